"""Paths that come from a database, an archive or a file of somebody else: they must stay inside their folder."""

from __future__ import annotations

import os
import stat
from pathlib import Path, PurePosixPath, PureWindowsPath

from ablate.errors import UnsafePath, one_line
from ablate.files import remove
from ablate.printable import printable


def inside(root: Path, name: str) -> Path:
    """Return the path of a file or folder below a folder, after a check that it lies there and is no link out of it.

    Args:
        root: the folder.
        name: relative to it, with ``/`` between its parts, as it came from outside.

    Raises:
        UnsafePath: the name is empty, absolute, has ``..`` or a null character, names the folder itself, leads out
            of it through a symbolic link, or is that of a device, a pipe or a socket, which could wait for ever.
    """
    path = root / _relative(root, name)
    try:
        is_inside = root.resolve() in path.resolve().parents
        kind = stat.S_IFMT(path.stat().st_mode) if is_inside else 0
    except (FileNotFoundError, NotADirectoryError, PermissionError):
        return path
    except (OSError, ValueError, RuntimeError) as error:  # a name that no file can have, or links in a circle
        raise UnsafePath(f"'{printable(name)}' cannot be a path: {printable(one_line(error))}") from error
    if not is_inside:
        raise UnsafePath(f"'{printable(name)}' leads out of {printable(str(root))} through a link")
    if kind not in (stat.S_IFREG, stat.S_IFDIR):
        raise UnsafePath(f"'{printable(name)}' in {printable(str(root))} is neither a file nor a folder")
    return path


def remove_inside(root: Path, name: str) -> bool:
    """Remove a file, a folder or a link below a folder; never what a link leads to.

    Args:
        root: the folder.
        name: as for :func:`inside`.

    Returns:
        Whether it was there and is gone.

    Raises:
        UnsafePath: the name is not one of a path below the folder, or a folder on the way to it is a link.
    """
    path = without_links(root, name)
    if not os.path.lexists(path):
        return False
    remove(path)
    return not os.path.lexists(path)


def without_links(root: Path, name: str) -> Path:
    """Return the path of something below a folder whose way there has no link; it may be a link itself.

    Raises:
        UnsafePath: as for :func:`remove_inside`.
    """
    parts = _relative(root, name)
    path = root / parts
    above = [root / parent for parent in parts.parents if parent.parts]
    link = next((folder for folder in reversed(above) if folder.is_symlink()), None)
    if link:
        raise UnsafePath(f"'{printable(name)}' is behind the link {printable(str(link))}, which is not followed")
    return path


def _relative(root: Path, name: str) -> PurePosixPath:
    parts, other = PurePosixPath(name), PureWindowsPath(name)
    absolute = parts.is_absolute() or other.is_absolute() or bool(other.drive)
    if not parts.parts or absolute or ".." in {*parts.parts, *other.parts} or "\0" in name:
        raise UnsafePath(f"'{printable(name)}' is no path inside {printable(str(root))}")
    try:
        os.fsencode(name)
    except UnicodeEncodeError as error:
        raise UnsafePath(f"'{printable(name)}' cannot be a path: no file can have this name") from error
    return parts
