"""The sounds that a home keeps between reports, and which of them a report has."""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING

from ablate.inside import remove_inside

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

_SOUND = re.compile(r"[0-9a-f]{24}\.mp3")


def kept_sounds(home: Path) -> list[str]:
    """Return the names of the sounds that are kept, relative to the home."""
    folder = home / "audio"
    if folder.is_symlink() or not folder.is_dir():
        return []
    return [f"audio/{path.name}" for path in sorted(folder.iterdir()) if _SOUND.fullmatch(path.name)]


def sounds_of(report: Path) -> set[str]:
    """Return the digests of the sounds in the folder of a report."""
    return set(_digests(report / "audio"))


def unused_sounds(home: Path, reports: Iterable[Path]) -> list[str]:
    """Return the sounds that are kept and that none of the reports has, relative to the home."""
    wanted = {digest for report in reports for digest in sounds_of(report)}
    return [name for name in kept_sounds(home) if _digest(home / name) not in wanted]


def remove_sounds(home: Path, digests: set[str], reports: Iterable[Path]) -> int:
    """Remove the kept sounds with these digests, unless one of the reports has them; return their number."""
    gone = digests - {digest for report in reports for digest in sounds_of(report)}
    return sum(remove_inside(home, name) for name in kept_sounds(home) if gone and _digest(home / name) in gone)


def reports_of(home: Path) -> list[Path]:
    """Return the folders of all reports."""
    folder = home / "reports"
    if folder.is_symlink() or not folder.is_dir():
        return []
    shown = (path for path in sorted(folder.iterdir()) if not path.name.startswith("."))
    return [path for path in shown if path.is_dir() and not path.is_symlink()]


def _digests(folder: Path) -> Iterator[str]:
    if folder.is_symlink() or not folder.is_dir():
        return
    for path in folder.iterdir():
        digest = _digest(path)
        if digest:
            yield digest


def _digest(path: Path) -> str:
    """Return the digest of a file; empty for anything else."""
    if path.is_symlink() or not path.is_file():
        return ""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
