"""References to public names by any of their names, and signatures that Sphinx can parse.

A docstring in ``ablate.interfaces.executor`` refers to ``Setup``, and one in ``ablate.specs`` to
``ablate.interfaces.LanguageModel``, which the reference lists as ``ablate.LanguageModel``.
"""

from __future__ import annotations

import re
from typing import Any

from sphinx.util.nodes import make_refnode


def resolve(app: Any, env: Any, node: Any, content: Any) -> Any:
    """Return a link to the only documented object of this name, or None."""
    target = node["reftarget"]
    if node.get("refdomain") != "py":
        return None
    documented = env.domains["py"].objects
    short = target.rpartition(".")[2] if target.startswith("ablate.") else target
    matches = [name for name, entry in documented.items() if f".{name}".endswith(f".{short}") and not entry.aliased]
    if len(matches) != 1:
        return None
    (name,) = matches
    entry = documented[name]
    return make_refnode(app.builder, node["refdoc"], entry.docname, entry.node_id, content, name)


def shorten(*event: Any) -> tuple[str | None, str | None]:
    """Replace the defaults in a signature that are no Python, such as ``<factory>``, which would hide its types."""
    signature, returned = event[-2:]
    return signature and re.sub(r"= ?<[^<>]*>", "= ...", signature), returned


def setup(app: Any) -> dict[str, bool]:
    """Listen to references that Sphinx does not resolve, and to signatures."""
    app.connect("missing-reference", resolve)
    app.connect("autodoc-process-signature", shorten)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
