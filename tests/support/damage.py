"""Ways in which a file of a finished result is damaged."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def flip(path: Path, other: Path) -> None:
    """Flip one bit in the middle."""
    del other
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 4
    path.write_bytes(data)


def truncate(path: Path, other: Path) -> None:
    """Cut off the second half."""
    del other
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def empty(path: Path, other: Path) -> None:
    """Leave no byte."""
    del other
    path.write_bytes(b"")


def remove(path: Path, other: Path) -> None:
    """Delete it."""
    del other
    path.unlink()


def swap(path: Path, other: Path) -> None:
    """Exchange it with a file of another stage."""
    between = path.with_name("between")
    path.rename(between)
    other.rename(path)
    between.rename(other)


def into_folder(path: Path, other: Path) -> None:
    """Put a folder in its place."""
    del other
    path.unlink()
    path.mkdir()
    (path / "file").write_bytes(b"something")


def into_link(path: Path, other: Path) -> None:
    """Put a link in its place that leads to the same bytes outside the home."""
    del other
    kept = path.parents[5] / f"outside-{path.parent.name}-{path.name}"
    shutil.move(path, kept)
    path.symlink_to(kept)


DAMAGES: tuple[Callable[[Path, Path], None], ...] = (flip, truncate, empty, remove, swap, into_folder, into_link)
