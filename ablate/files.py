"""Files and folders that are written whole or not at all, and names that a file can have."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import re
import secrets
import shutil
import stat
from pathlib import Path
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    #: The bytes of a file, or a function that writes them to an open file where they are too many for the memory.
    Content = bytes | Callable[[IO[bytes]], None]

#: How the hidden names begin of what is being written; a process that is killed meanwhile may leave some of these.
UNFINISHED = ".writing-"
#: The endings of files that hold MIDI, in lower case: standard MIDI files, karaoke, and MIDI in a RIFF file.
MIDI_SUFFIXES = (".mid", ".midi", ".kar", ".smf", ".rmi", ".rmid")
_ENDLESS = {stat.S_IFIFO: "pipe", stat.S_IFCHR: "device", stat.S_IFBLK: "device", stat.S_IFSOCK: "socket"}
_DEVICE = re.compile(r"(?:con|prn|aux|nul|com[0-9]|lpt[0-9])(?:\..*)?", re.IGNORECASE)


def write_whole(path: Path, content: Content, *, flush: bool = True) -> None:
    """Write a file so that it is complete or not there at all, also after a power failure.

    The content goes to a hidden file, which is flushed to the disk and then renamed to ``path``. The file that had
    this name before stays until then. Missing folders are made.

    Args:
        path: of the file.
        content: the bytes, or a function that writes them.
        flush: whether to wait for the disk; otherwise a power failure may leave any part of the file, which its reader
            has to notice.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = _temporary(path)
    try:
        _write(temporary, content)
        if flush:
            _sync(temporary)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    if flush:
        _sync_folder(path.parent)


@contextlib.contextmanager
def replaced_folder(target: Path, *, keep: bool = False) -> Iterator[Path]:
    """Fill a new folder that replaces ``target`` when the block ends, complete or not at all.

    The new folder is flushed to the disk and then renamed to ``target``; the old one is removed after that. If the
    block or the replacement fails, the old folder is there again and the new one is removed. Missing folders above
    ``target`` are made.

    Args:
        target: the folder to replace, or to make.
        keep: begin with a copy of the old folder's files, instead of an empty folder.

    Yields:
        The new folder, to be filled.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    new, old = _temporary(target), _temporary(target)
    try:
        if keep and target.is_dir() and not target.is_symlink():
            shutil.copytree(target, new, ignore=_neither_file_nor_folder)
        else:
            new.mkdir()
        yield new
        sync_tree(new)
        if os.path.lexists(target):
            target.rename(old)
        new.rename(target)
        _sync_folder(target.parent)
    except BaseException:
        if os.path.lexists(old) and not os.path.lexists(target):
            old.rename(target)
        raise
    finally:
        remove(new)
        if target.exists():  # otherwise the old folder could not be renamed back, and is all that is left
            remove(old)


def write_folder_whole(target: Path, files: Mapping[str, Content]) -> None:
    """Write a folder with these files, by name, so that it is complete or not there at all."""
    with replaced_folder(target) as folder:
        for name, content in files.items():
            _write(folder / name, content)


def unfinished(folder: Path) -> list[Path]:
    """Return what killed processes left half written in a folder, sorted; nothing in one that is a link."""
    return [] if folder.is_symlink() else sorted(folder.glob(f"{UNFINISHED}*"))


def remove(path: Path) -> None:
    """Remove a file, a folder with everything in it, or a link, whose target stays.

    What may not be removed stays too; a folder is then left with the rest of its files.
    """
    with contextlib.suppress(OSError):
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)  # it follows no links
        else:
            path.unlink(missing_ok=True)


def read_file(path: Path) -> bytes:
    """Return the content of a file.

    Raises:
        OSError: it cannot be read, or is what :func:`check_file` refuses.
        ValueError: no file can have this path.
    """
    check_file(path)
    return path.read_bytes()


def check_file(path: Path) -> None:
    """Check that what a path leads to can be read to an end: pipes and devices may wait for ever or never end.

    A pipe that is open already (``/dev/stdin`` behind another command, ``<(...)`` of a shell) is none of these.

    Raises:
        OSError: it is a named pipe, a device or a socket, or cannot be looked at.
        ValueError: no file can have this path.
    """
    kind = stat.S_IFMT(path.stat().st_mode)
    what = _ENDLESS.get(kind)
    if what is None or (kind == stat.S_IFIFO and path.resolve().parent == Path("/dev/fd").resolve()):
        return
    raise OSError(errno.EINVAL, f"it is a {what} and no file", str(path))


def exists(path: Path) -> bool:
    """Check whether a path leads to a file or folder; False for a path that no file can have, or that is not open."""
    try:
        return path.exists()
    except (OSError, ValueError):  # too long, a folder without permission; a null character
        return False


def led_to(path: Path) -> Path:
    """Return the file or folder that a path leads to (``.``, a link); the path itself if there is none."""
    return path.resolve() if exists(path) else path


def anchored(path: str, folder: Path) -> str:
    """Return a path as an absolute one: a relative one starts from ``folder``, and ``~`` is the user's home."""
    with contextlib.suppress(RuntimeError):  # a user who does not exist: a folder may have this name
        path = str(Path(path).expanduser())
    try:
        return str((folder / path).resolve())
    except (OSError, RuntimeError):  # links that lead to each other, which are reported where they are read
        return os.path.abspath(folder / path)  # noqa: PTH100 - follows no links


def files_in(folder: Path) -> set[str]:
    """Return the files in a folder and its subfolders, as paths relative to it; links are none."""
    paths = (path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
    return {path.relative_to(folder).as_posix() for path in paths}


def file_name(name: str) -> str:
    """Return ``name`` itself where a file can have it on every system, otherwise a similar name that no other leads to.

    Windows cuts off a dot at the end, and has names for devices, also with a suffix.
    """
    safe = re.sub(r"^[.-]|[^A-Za-z0-9@=,+_.-]", "_", name[:80]) or "_"
    # index.html is the page over all reports
    if safe == name != "index.html" and not name.endswith(".") and not _DEVICE.fullmatch(name):
        return name
    mark = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    return f"{'_' if _DEVICE.fullmatch(safe) else ''}{safe}-{mark}"


def _neither_file_nor_folder(folder: str, names: list[str]) -> set[str]:
    """Return the names in a folder that are not copied: links, whose targets may be anything, pipes and devices."""
    kinds = {name: stat.S_IFMT(os.lstat(os.path.join(folder, name)).st_mode) for name in names}  # noqa: PTH118
    return {name for name, kind in kinds.items() if kind not in (stat.S_IFREG, stat.S_IFDIR)}


def _temporary(path: Path) -> Path:
    return path.with_name(f"{UNFINISHED}{secrets.token_hex(4)}-{path.name}")


def _write(path: Path, content: Content) -> None:
    # opened by name, not by mkstemp, whose files only their owner may read
    with path.open("xb") as file:
        if isinstance(content, bytes):
            file.write(content)
        else:
            content(file)


def _sync(path: Path) -> None:
    """Flush a file to the disk."""
    # Windows flushes only files that are open for writing
    descriptor = os.open(path, os.O_RDWR if os.name == "nt" else os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _sync_folder(folder: Path) -> None:
    """Flush a folder's list of names to the disk, where the system can."""
    with contextlib.suppress(OSError):  # Windows opens no folders, some file systems flush none
        _sync(folder)


def sync_tree(folder: Path) -> None:
    """Flush a folder with everything in it to the disk."""
    for path in folder.rglob("*"):
        if path.is_file():
            _sync(path)
        elif path.is_dir():
            _sync_folder(path)
    _sync_folder(folder)
