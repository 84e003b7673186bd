"""Links to files and folders that are no pages: they lead to the repository.

A page links to ``../../SECURITY.md`` or ``../examples/programs``, which works where the pages are read as files.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx import addnodes
from sphinx.transforms import SphinxTransform


class RepositoryLinks(SphinxTransform):
    """Replace each relative link to an existing path that is no page of the site."""

    default_priority = 400

    def apply(self, **_: Any) -> None:
        """Replace the links of one page; a path that does not exist is left to Sphinx, which warns."""
        links = [*self.document.findall(addnodes.pending_xref), *self.document.findall(addnodes.download_reference)]
        for link in links:
            path = self._path(link)
            if path:
                link.replace_self(nodes.reference("", "", *link.children, refuri=self.config.repository_files + path))

    def _path(self, link: nodes.Element) -> str:
        """Return the path in the repository, or an empty text for a link to a page or to nothing."""
        source = Path(self.env.srcdir)
        target, anchor = link["reftarget"], link.get("reftargetid")
        if link.get("refdomain") == "doc":  # MyST has taken away the ending
            full = source / f"{target}.md"
        elif "#" in target or link.get("reftype") != "myst":
            return ""
        else:
            full = (source / self.env.docname).parent / target
        if target in self.env.found_docs or not full.resolve().exists():
            return ""
        return full.resolve().relative_to(source.parent).as_posix() + (f"#{anchor}" if anchor else "")


def setup(app: Any) -> dict[str, bool]:
    """Register the transform, and the setting with the address that its links begin with."""
    app.add_config_value("repository_files", "", "env", str)
    app.add_transform(RepositoryLinks)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
