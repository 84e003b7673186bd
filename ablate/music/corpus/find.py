"""Find the MIDI files of a folder, and name the pieces in them.

A piece is identified by its file's path relative to the folder, so files of one name in two folders are two pieces.
"""

from __future__ import annotations

import collections
import errno
import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING

from ablate.errors import CorpusError
from ablate.files import MIDI_SUFFIXES
from ablate.printable import piece_text, printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    #: A file or folder: its path relative to the folder that is searched, with ``/``, and its path.
    Found = tuple[str, Path]


#: Errors for a path that leads to nothing: also through a file, or through links that lead to each other.
_NOTHING = {errno.ENOENT, errno.ENOTDIR, errno.EBADF, errno.ELOOP}


def find_midi(path: str | Path) -> list[tuple[str, Path]]:
    """Return the MIDI files at ``path``, as pairs of a name to show and a path.

    Links are followed, but no file or folder is taken twice: a link to one that is in the folder anyway counts for
    nothing, of several links to one the first by name counts, and a link to a folder above itself is not followed.

    Args:
        path: one file, of any suffix; or a folder, searched with its subfolders for the suffixes of
            :data:`ablate.files.MIDI_SUFFIXES` in upper or lower case. Hidden files and folders (``._piece.mid``, which
            macOS writes to archives) are ignored.

    Returns:
        At least one file; sorted by name. The name is the path relative to the folder, see
        :func:`ablate.printable.piece_text`. A subfolder that cannot be opened, and a link with a suffix of MIDI files
        to nothing, are among them, so that reading them says why.

    Raises:
        CorpusError: there is no such path, a folder has no MIDI files, or two have names that look the same.
    """
    root = Path(path).expanduser()
    shown = printable(str(path))
    try:
        mode = _mode(root)
        if not stat.S_ISDIR(mode):
            if mode:
                return [(piece_text(root.name), root)]
            raise CorpusError(f"{shown}: no such file or folder; check the path")
        with os.scandir(root):  # if the folder itself cannot be opened
            found = _Search(root).files
    except (OSError, ValueError) as error:  # ValueError: a path that no file can have
        place = getattr(error, "filename", None)
        where = f"{printable(place)}: " if place and str(place) != str(root) else ""
        raise CorpusError(f"{shown}: cannot be opened: {where}{getattr(error, 'strerror', None) or error}") from None
    if not found:
        raise CorpusError(f"{shown}: holds no MIDI file ({_listing()}); give a MIDI file or a folder of them")
    return sorted(_named(found, shown))


def _mode(path: Path) -> int:
    """Return the mode of what a path leads to, or 0 if there is nothing.

    ``Path.is_dir`` and ``Path.exists`` return False from Python 3.14 on also where a folder may not be entered.

    Raises:
        OSError: the path cannot be followed.
    """
    try:
        return path.stat().st_mode
    except OSError as error:
        if error.errno in _NOTHING:
            return 0
        raise
    except ValueError:  # no file can have this path
        return 0


def _listing() -> str:
    return f"{', '.join(MIDI_SUFFIXES[:-1])} or {MIDI_SUFFIXES[-1]}"


def _named(found: Iterable[Found], shown: str) -> Iterator[tuple[str, Path]]:
    """Yield each file with its name to show; raise CorpusError where two would have the same one."""
    names: dict[str, str] = {}
    for inside, file in found:
        name = piece_text(inside)
        other = names.setdefault(name, inside)
        if other != inside:
            raise CorpusError(
                f"{shown}: has two files with names that look the same, {other!a} and {inside!a}; rename one"
            )
        yield name, file


class _Search:
    """The MIDI files of a folder: first those that are really in it, then those behind links."""

    def __init__(self, root: Path) -> None:
        self.files: list[Found] = []
        self._folders: list[Found] = [("", root)]
        self._seen = {_identity(root)}
        self._links: list[Found] = []
        self._linked_files: list[Found] = []
        while self._folders or self._links:
            if not self._folders:
                self._follow()
            while self._folders:
                self._look_into(*self._folders.pop())
        self._add_linked_files()

    def _follow(self) -> None:
        """Follow the first link to a folder, unless it leads to a folder above itself."""
        self._links.sort(reverse=True)
        inside, link = self._links.pop()
        if not link.parent.resolve().is_relative_to(link.resolve()):
            self._add_folder(inside, link)

    def _look_into(self, inside: str, folder: Path) -> None:
        """Sort what is in a folder; if it cannot be opened, it counts as a file, which then cannot be read."""
        try:
            entries = list(os.scandir(folder))
        except OSError:
            self.files.append((inside, folder))
            return
        for entry in entries:
            if not entry.name.startswith("."):
                self._sort(f"{inside}/{entry.name}" if inside else entry.name, entry)

    def _sort(self, inside: str, entry: os.DirEntry[str]) -> None:
        is_midi = entry.name.lower().endswith(MIDI_SUFFIXES)
        if entry.is_symlink():
            self._sort_link(inside, Path(entry.path), is_midi=is_midi)
        elif entry.is_dir():
            self._add_folder(inside, Path(entry.path))
        elif is_midi and entry.is_file():
            self.files.append((inside, Path(entry.path)))

    def _sort_link(self, inside: str, link: Path, *, is_midi: bool) -> None:
        try:
            mode = _mode(link)
            if stat.S_ISDIR(mode):
                self._links.append((inside, link))
            elif is_midi and (stat.S_ISREG(mode) or not mode):
                self._linked_files.append((inside, link))
        except OSError:  # into a folder that cannot be entered; nobody knows whether it is one
            self.files.append((inside, link))

    def _add_folder(self, inside: str, folder: Path) -> None:
        identity = _identity(folder)
        if identity is None:  # it is in a folder that can be listed and not entered
            self.files.append((inside, folder))
        elif identity not in self._seen:
            self._seen.add(identity)
            self._folders.append((inside, folder))

    def _add_linked_files(self) -> None:
        if not self._linked_files:
            return
        known = {_identity(file) for _, file in self.files}
        for inside, link in sorted(self._linked_files):
            identity = _identity(link)
            if identity is None or identity not in known:  # a link to nothing cannot be read, which its reading says
                known.add(identity)
                self.files.append((inside, link))


def _identity(path: Path) -> tuple[int, int] | None:
    """Return what a file or folder is, whatever names lead to it; None if it cannot be looked at."""
    try:
        about = path.stat()
    except OSError:
        return None
    return about.st_dev, about.st_ino


def piece_names(files: Sequence[str]) -> list[str]:
    """Return the name of each piece of a folder: its file's relative path without the suffix.

    Files that differ only in their suffix (``etude.mid``, ``etude.midi``) keep it, so that no two names are equal.

    Args:
        files: paths relative to the folder, with ``/``, each once.
    """
    stems = [f"{folder}{slash}{Path(file).stem}" for folder, slash, file in (file.rpartition("/") for file in files)]
    counts = collections.Counter([*stems, *files])
    return [stem if counts[stem] == 1 or stem == file else file for stem, file in zip(stems, files, strict=True)]
