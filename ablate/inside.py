"""Paths that come from a database, an archive or a file of somebody else: they must stay inside their folder."""

from __future__ import annotations

from pathlib import Path, PurePosixPath, PureWindowsPath

from ablate.errors import UnsafePath, one_line
from ablate.printable import printable


def inside(root: Path, name: str) -> Path:
    """Return the path of a file or folder below a folder, after a check that it lies there and is no link out of it.

    Args:
        root: the folder.
        name: relative to it, with ``/`` between its parts, as it came from outside.

    Raises:
        UnsafePath: the name is empty, absolute, has ``..`` or a null character, names the folder itself, or leads out
            of it through a symbolic link.
    """
    parts, other = PurePosixPath(name), PureWindowsPath(name)
    absolute = parts.is_absolute() or other.is_absolute() or bool(other.drive)
    if not parts.parts or absolute or ".." in {*parts.parts, *other.parts} or "\0" in name:
        raise UnsafePath(f"'{printable(name)}' is no path inside {printable(str(root))}")
    path = root / parts
    try:
        is_inside = root.resolve() in path.resolve().parents
    except (OSError, ValueError) as error:  # a name that no file can have
        raise UnsafePath(f"'{printable(name)}' cannot be a path: {printable(one_line(error))}") from error
    if not is_inside:
        raise UnsafePath(f"'{printable(name)}' leads out of {printable(str(root))} through a link")
    return path
