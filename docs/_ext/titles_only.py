"""Make the sidebar from tables of contents without sections: it shows none, and copying them took a third of a build.

Sphinx copies the sections of all pages into the sidebar of each page, and then removes them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sphinx.addnodes import toctree

if TYPE_CHECKING:
    from docutils import nodes


def titles(contents: nodes.bullet_list) -> nodes.bullet_list:
    """Return a copy of a page's table of contents with its titles and the pages below it, as the sidebar shows it."""
    short = contents.deepcopy()
    for title in short:
        below = list(title.findall(toctree))
        if below:
            title[1][:] = below
        elif len(title) > 1:
            title.pop(1)
    return short


def shorten(_app: Any, env: Any) -> None:
    """Shorten the table of contents of each page, after all pages are read."""
    env.short_tocs = {name: titles(contents) for name, contents in env.tocs.items()}


def use(app: Any, _page: str, _template: str, context: dict[str, Any], _doctree: Any) -> None:
    """Let a page make a tree of titles from the short tables of contents."""
    make = context["toctree"]

    def make_short(**options: Any) -> Any:
        if not options.get("titles_only"):
            return make(**options)
        whole, app.env.tocs = app.env.tocs, app.env.short_tocs
        try:
            return make(**options)
        finally:
            app.env.tocs = whole

    context["toctree"] = make_short


def setup(app: Any) -> dict[str, bool]:
    """Listen for the end of reading, and for each page before the theme makes its sidebar."""
    app.connect("env-updated", shorten)
    app.connect("html-page-context", use, priority=400)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
