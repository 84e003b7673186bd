"""Writes docs/hooks.md from the code: ``python tools/make_hooks.py``."""  # noqa: INP001 - a script

from __future__ import annotations

import inspect
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ablate import hookspecs, interfaces
from ablate.specs import SPEC_TYPES, SPECS, ComponentSpec

if TYPE_CHECKING:
    from collections.abc import Iterator

PAGE = Path(__file__).parent.with_name("docs") / "hooks.md"
HEAD = """\
# Hook points

*Made from `ablate/hookspecs.py`, `ablate/specs.py` and `ablate/interfaces/` by `python tools/make_hooks.py`.*

A plugin is a module named by an entry point of the group `ablate`.
It implements any of these hooks with `@ablate.hookimpl`.
Each yields records, which name a component and know how to build it.
[Writing a plugin](writing-a-plugin.md) shows one from the first line to the last.
"""


def render() -> str:
    """Return the page: one section for each hook point, in the order of the data flow."""
    return "\n".join([HEAD, *map(_section, SPECS)])


def example(kind: str) -> str:
    """Return the example of a kind's hook, as the text of a module."""
    return textwrap.dedent(_hook_parts(kind)[1]).strip() + "\n"


def _hook_parts(kind: str) -> tuple[str, str]:
    hook = getattr(hookspecs, f"ablate_{SPECS[kind].kinds}")
    said, _, code = (inspect.getdoc(hook) or "").partition("Example:\n")
    return said.strip(), code


def _section(kind: str) -> str:
    specs = [spec for spec in SPEC_TYPES if spec.kind == kind]
    return f"""\
## `ablate_{specs[0].kinds}() -> Iterable[{" | ".join(spec.__name__ for spec in specs)}]`

{_hook_parts(kind)[0]}

```python
{example(kind)}```

{chr(10).join(map(_component, specs))}"""


def _component(spec: type[ComponentSpec]) -> str:
    """Return the description of the component that a record builds."""
    name = "LanguageModel" if spec.kind == "model" else spec.__name__.removesuffix("Spec")
    component = getattr(interfaces, name)
    field, kind = next(item for item in inspect.get_annotations(spec).items() if item[0].startswith("build"))
    return f"""\
`{field}` of `{spec.__name__}` is a `{kind}`.
{_markdown(component)}{" [Optional base classes](models.md)." if spec.kind == "model" else ""}

{chr(10).join(_methods(component))}
"""


def _methods(component: type[Any]) -> Iterator[str]:
    for name, method in vars(component).items():
        if inspect.isfunction(method) and (name == "__call__" or not name.startswith("_")):
            signature = str(inspect.signature(method)).replace("'", "").replace("self, ", "").replace("self", "")
            yield f"- `{name}{signature}`: {_markdown(method)}"


def _markdown(documented: Any) -> str:
    """Return the first paragraph of a docstring."""
    first = (inspect.getdoc(documented) or "").partition("\n\n")[0]
    return " ".join(first.split()).replace("``", "`")


if __name__ == "__main__":
    PAGE.write_text(render(), encoding="utf-8")
