"""A report page that is small enough to be committed: one file without sound, compressed."""

from __future__ import annotations

import gzip
import re
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from gallery.commands import ablate_command

if TYPE_CHECKING:
    from collections.abc import Iterator

#: A link to one of the files that a report is written with.
_FILE = re.compile(r'<a href="(?P<path>(?:figures|midi|data|paper|\.\.)/[^"]*)"[^>]*>(?P<text>.*?)</a>', re.DOTALL)
#: The release of a kernel, which says nothing to a reader.
_KERNEL = re.compile(r"\b(Linux|macOS)-[^\s<]*?-(x86_64|aarch64|arm64)[^\s<]*")
#: The folder that the study file was in.
_CHECKOUT = re.compile(r"/[^\s<>\"']*/(?=studies/\w+\.toml)")


def packed_report(study: str, home: Path) -> tuple[bytes, bytes]:
    """Return the report page of a study, compressed by gzip, and its first figure, as SVG.

    Links to the files of the report become plain text, because these files are not in the gallery. Equal results give
    equal bytes.

    Raises:
        CommandFailedError: the report cannot be written.
    """
    with tempfile.TemporaryDirectory() as parent:
        folder = Path(parent, "report")
        ablate_command("study", "report", study, "--home", str(home), "--no-audio", "--output", str(folder))
        page = (folder / "index.html").read_text(encoding="utf-8")
        figure = folder / next(path for path in linked_files(page) if path.startswith("figures/"))
        return packed(page), figure.read_bytes()


def packed(page: str) -> bytes:
    """Return a page without links to files beside it, and without what only its writer's machine has, compressed."""
    alone = _CHECKOUT.sub("", _KERNEL.sub(r"\1 \2", _FILE.sub(r"\g<text>", page)))
    return gzip.compress(alone.encode(), compresslevel=9, mtime=0)


def linked_files(page: str) -> Iterator[str]:
    """Yield the paths of the files beside a page that it links to, in order."""
    return (match["path"] for match in _FILE.finditer(page))
