"""Directives that write parts of the reference from the code: options of components, settings, and the database.

Each returns Markdown, which the page parses as if it were written there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sphinx.util.docutils import SphinxDirective
from sqlalchemy import create_engine, inspect

from ablate.options import describe, shown
from ablate.registry import get_registry
from ablate.settings import ProgramSettings
from ablate.store.database.tables import COLUMN_DOCS, VIEW_DOCS, VIEWS, Base
from ablate.study.file.configuration import SETTINGS, TABLES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from docutils import nodes

    from ablate.registry import Component

#: The distribution whose components are listed; third-party plugins may be installed beside it.
OURS = "ablate-music"
#: The types of columns in words; SQLite and PostgreSQL name them differently.
TYPES = {"VARCHAR": "text", "INTEGER": "whole number", "DOUBLE": "number"}


class FromCode(SphinxDirective):
    """A directive whose content is made by :meth:`lines`."""

    optional_arguments = 1

    def run(self) -> list[nodes.Node]:
        """Parse the lines in place of the directive."""
        return self.parse_text_to_nodes("\n".join(self.lines()), allow_section_headings=True)

    def lines(self) -> Iterator[str]:
        """Yield lines of Markdown."""
        raise NotImplementedError


class Components(FromCode):
    """All components of the kind that the argument names, each with its options."""

    def lines(self) -> Iterator[str]:
        """Yield a section for each component of ours."""
        for component in get_registry().offered(self.arguments[0]):
            if component.plugin.distribution == OURS:
                yield from _component(component)


class Settings(FromCode):
    """All sections of a study file that hold settings instead of components."""

    def lines(self) -> Iterator[str]:
        """Yield a section with a table for each of them."""
        for section, settings in {**SETTINGS, "program": ProgramSettings, **TABLES}.items():
            yield from [f"## `[{section}]`", "", *_options(settings), ""]


class Views(FromCode):
    """The views of the database, as a new database has them."""

    def lines(self) -> Iterator[str]:
        """Yield a section with a table for each view."""
        with create_engine("sqlite://").begin() as connection:
            Base.metadata.create_all(connection)
            for view in VIEWS:
                connection.exec_driver_sql(view)
            for name in inspect(connection).get_view_names():
                yield from [f"## `{name}`", "", VIEW_DOCS[name], "", "| column | type | meaning |", "|---|---|---|"]
                for column in inspect(connection).get_columns(name):
                    yield f"| `{column['name']}` | {TYPES[str(column['type'])]} | {COLUMN_DOCS[column['name']]} |"
                yield ""


class Tables(FromCode):
    """The tables of the database, each with its meaning."""

    def lines(self) -> Iterator[str]:
        """Yield a row for each table, by name: the mappers are a set, which has another order in each build."""
        yield from ["| table | a row is |", "|---|---|"]
        for table in sorted(Base.registry.mappers, key=lambda mapper: str(mapper.local_table)):
            yield f"| `{table.local_table}` | {(table.class_.__doc__ or '').splitlines()[0]} |"


def _component(component: Component) -> Iterator[str]:
    spec = component.spec
    fitted = " A study fits it on the training pieces." if getattr(spec, "fitted", False) else ""
    text = f"{spec.summary}{fitted} Plugin `{component.plugin.name}`."
    yield from [f"### {component.kind} `{spec.name}`", "", text, "", *_options(spec.options), ""]


def _options(options: type[Any]) -> Iterator[str]:
    """Yield a table with the options of a dataclass."""
    fields = describe(options)
    if not fields:
        yield "No options."
        return
    yield from ["| option | type | default | bounds | meaning |", "|---|---|---|---|---|"]
    for field in fields:
        default = "required" if field.required else f"`{shown(field.default)}`"
        kind = field.type.replace("|", "or")
        yield f"| `{field.name}` | {kind} | {default} | {field.bounds} | {field.doc} |"


def setup(app: Any) -> dict[str, bool]:
    """Register the directives."""
    for directive in (Components, Settings, Views, Tables):
        app.add_directive(directive.__name__.lower(), directive)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
