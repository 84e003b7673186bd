"""Unpack the reports of the gallery into the built site."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sphinx.application import Sphinx


def unpack(app: Sphinx, exception: Exception | None) -> None:
    """Write ``gallery/reports/NAME.html`` for each compressed report, if HTML was built."""
    if exception or app.builder.format != "html":
        return
    target = Path(app.outdir, "gallery/reports")
    target.mkdir(parents=True, exist_ok=True)
    for packed in Path(app.srcdir, "gallery/reports").glob("*.html.gz"):
        (target / packed.stem).write_bytes(gzip.decompress(packed.read_bytes()))


def setup(app: Sphinx) -> dict[str, Any]:
    """Register with Sphinx."""
    app.connect("build-finished", unpack)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
