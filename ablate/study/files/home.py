"""The folders of results and the checkpoints in a home, as they are on the disk."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ablate.files import UNFINISHED
from ablate.store.folders import is_fingerprint, own_folder

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

#: What a training or a program can leave in the folder of the checkpoints: the endings after its fingerprint.
CHECKPOINTS = ("", ".safetensors", ".json")
#: The end of the name of a file that a repair has put aside.
PUT_ASIDE = ".damaged"


def result_folders(home: Path) -> Iterator[tuple[str, bool]]:
    """Yield everything in the place of the results, relative to the home, and whether it is the folder of a stage.

    Links are not followed. Hidden names of what is being written are left out.
    """
    for path in _inside(home / "artifacts", 3):
        name = path.relative_to(home).as_posix()
        parts = name.split("/")
        is_named = len(parts) == 4 and own_folder(parts[1], parts[3]) == name
        yield name, is_named and path.is_dir() and not path.is_symlink()


def _inside(folder: Path, depth: int) -> Iterator[Path]:
    """Yield what is in a folder at a depth, and what is no folder above it."""
    if not folder.is_dir() or folder.is_symlink():
        return
    for path in sorted(folder.iterdir()):
        if path.name.startswith(UNFINISHED):
            continue
        if depth > 1 and path.is_dir() and not path.is_symlink():
            yield from _inside(path, depth - 1)
        else:
            yield path


def checkpoints(home: Path) -> Iterator[tuple[Path, str]]:
    """Yield every checkpoint and what belongs to it, with the fingerprint of its training; empty if it has none."""
    folder = home / "checkpoints"
    if not folder.is_dir():
        return
    for path in sorted(folder.iterdir()):
        fingerprint, dot, ending = path.name.partition(".")
        if not path.name.startswith(UNFINISHED):
            yield path, fingerprint if is_fingerprint(fingerprint) and f"{dot}{ending}" in CHECKPOINTS else ""
