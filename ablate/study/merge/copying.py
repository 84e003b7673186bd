"""Copy the files of a result from the home of somebody else: no link is followed, and every digest is checked."""

from __future__ import annotations

import hashlib
import math
import os
import stat
from typing import IO, TYPE_CHECKING

from ablate.digests import damages, digests, is_file_name
from ablate.errors import DamagedFile
from ablate.files import files_in, replaced_folder
from ablate.inside import without_links
from ablate.printable import printable

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from ablate.store.records import StageRecord

_PORTION = 2**20


def is_name(name: str) -> bool:
    """Return whether a file in the folder of a stage, or with a ``/`` at its end a folder, may have this name."""
    own = name.removesuffix("/")
    return own != "" and is_file_name(own)


class Copier:
    """Copies the folders of stages from one home into another.

    Args:
        source: the home to copy from; it is only read.
        home: the home to copy into.

    Attributes:
        files: the number of files that were copied.
        bytes: their size.
    """

    def __init__(self, source: Path, home: Path) -> None:
        self._source, self._home = source, home
        self.files = self.bytes = 0

    def copy(self, stage: StageRecord) -> dict[str, str]:
        """Copy the folder of a stage, complete or not at all; return the digests of its files to record.

        Raises:
            DamagedFile: a file is missing, is no file, or is not what was written.
            UnsafePath: the home has a link on the way to it.
            OSError: it cannot be written.
        """
        if not stage.artifact or not (stage.files or os.path.lexists(self._source / stage.artifact)):
            return dict(stage.files)  # a bundle may have left out all of them
        target = without_links(self._home, stage.artifact)
        folder = self._folder(stage)
        # of a result of an older ablate, without digests, everything that is there
        names = [name for name in stage.files if not name.endswith("/")] if stage.files else sorted(files_in(folder))
        own = [
            f"{name}{path}" for name in stage.files if name.endswith("/") for path in sorted(files_in(folder / name))
        ]
        with replaced_folder(target) as new:
            for name in (*names, *own):
                self._copy(stage, name, new)
            found = digests(new) if own else {}
        # a program's own folder is copied without the links in it, and nobody reads it
        return {name: found.get(name, digest) if name.endswith("/") else digest for name, digest in stage.files.items()}

    def complete(self, here: StageRecord, there: StageRecord) -> dict[str, str]:
        """Copy the files that the folder of a stage in the home lacks, or has with another size; return their digests.

        Args:
            here: the stage as the home has it.
            there: the same result in the home to copy from.

        Raises:
            DamagedFile, UnsafePath, OSError: as for :meth:`copy`.
        """
        if not there.artifact or not there.files:
            return {}
        target, names = without_links(self._home, there.artifact), [name for name in there.files if name[-1] != "/"]
        if target.is_dir() and not target.is_symlink():
            own = {name: here.files[name] for name in names if name in here.files}
            lost = {damage.file.rpartition("/")[2] for damage in damages(self._home, there.artifact, own, math.inf)}
            names = [name for name in names if name in lost or name not in here.files]
        if not names or self._unusable(there, names):
            # nothing to add, or it is lost in both homes, which 'ablate db check' says
            return {}
        with replaced_folder(target, keep=True) as new:
            for name in names:
                (new / name).unlink(missing_ok=True)
                self._copy(there, name, new)
        return {name: there.files[name] for name in names}

    def _unusable(self, stage: StageRecord, names: Iterable[str]) -> bool:
        self._folder(stage)
        return any(damages(self._source, stage.artifact, {name: stage.files[name] for name in names}))

    def _folder(self, stage: StageRecord) -> Path:
        """Return the folder of a stage in the source, after a check that no link leads to it."""
        folder = without_links(self._source, stage.artifact)
        if folder.is_symlink() or not folder.is_dir():
            what = "is a link and no folder" if folder.is_symlink() else "is missing"
            raise DamagedFile(f"{stage.artifact} {what}")
        return folder

    def _copy(self, stage: StageRecord, name: str, folder: Path) -> None:
        """Copy one file into a folder, and compare what was read with its recorded digest."""
        file = f"{stage.artifact}/{name}"
        try:
            size, digest = _copied(without_links(self._source, file), folder / name)
        except _NotReadError as error:
            raise DamagedFile(f"{printable(file)} {error}") from error
        if f"{size}:{digest}" != stage.files.get(name, f"{size}:{digest}"):
            raise DamagedFile(f"{printable(file)} is not what was written: its digest differs")
        self.files += 1
        self.bytes += size


class _NotReadError(Exception):
    """A file that cannot be read, with the reason as the end of a sentence."""


def _copied(path: Path, target: Path) -> tuple[int, str]:
    """Copy a file that is no link, and return its size and SHA-256."""
    content, size = hashlib.sha256(), 0
    try:
        # a pipe would wait for ever without O_NONBLOCK
        flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
        if not stat.S_ISREG(path.lstat().st_mode):
            raise _NotReadError("is a link, a folder or a device, and no file")
        file = os.fdopen(os.open(path, flags), "rb")
    except FileNotFoundError:
        raise _NotReadError("is missing") from None
    except OSError as error:
        raise _NotReadError(f"cannot be read ({error.strerror})") from error
    target.parent.mkdir(parents=True, exist_ok=True)
    with file, target.open("xb") as out:
        while portion := _portion(file):
            out.write(portion)
            content.update(portion)
            size += len(portion)
    return size, content.hexdigest()


def _portion(file: IO[bytes]) -> bytes:
    try:
        return file.read(_PORTION)
    except OSError as error:
        raise _NotReadError(f"cannot be read ({error.strerror})") from error
