"""Digests of files: taken when a stage has written them, compared before they are used again.

The digest of a file is a text of its size in bytes and its SHA-256 (``"1234:9f86d0…"``), so that a file that was cut is
recognised without reading it. The digest of a subfolder, whose name ends with ``/``, is that of the list of its files.
A file that is a link or a folder now is no file of the stage, whatever is behind it.
"""

from __future__ import annotations

import functools
import hashlib
import math
import os
import re
import shlex
import stat
import time
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, NamedTuple

from ablate.errors import DamagedFile
from ablate.files import UNFINISHED
from ablate.printable import printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

#: A digest as a text.
_DIGEST = re.compile(r"[0-9]{1,19}:[0-9a-f]{64}")
#: What is wrong with a file that is not there.
MISSING = "is missing"
#: Where the advice begins in a message about a damaged file.
TO_MAKE_IT_AGAIN = "; to make it again"
#: Seconds by which the clock of a file system may be behind that of the system.
_TICK = 0.05


class Damage(NamedTuple):
    """A file that is not as it was recorded.

    Attributes:
        file: its path, relative to the home.
        problem: what is wrong, as the end of a sentence (``"is missing"``).
    """

    file: str
    problem: str

    def __str__(self) -> str:
        return f"{printable(self.file)} {self.problem}"


def digest(path: Path) -> str:
    """Return the digest of a file; of one that has not changed since it was read last, without reading it again.

    Raises:
        OSError: it cannot be read.
    """
    about = path.stat()
    read = _read if time.time() - max(about.st_mtime, about.st_ctime) > _TICK else _read.__wrapped__
    return read(path, about.st_ino, about.st_size, about.st_mtime_ns, about.st_ctime_ns)


@functools.lru_cache(maxsize=2**14)
def _read(path: Path, *_identity: int) -> str:
    with path.open("rb") as file:
        content = hashlib.file_digest(file, "sha256").hexdigest()
        return f"{file.tell()}:{content}"


def digests(folder: Path) -> dict[str, str]:
    """Return the digest of each file and each subfolder in a folder, by its name, in the order of the names.

    Raises:
        OSError: a file cannot be read.
    """
    found = {}
    for path in sorted(folder.iterdir()):
        if path.is_dir() and not path.is_symlink():
            found[f"{path.name}/"] = _of_folder(path)
        elif not path.name.startswith(UNFINISHED):
            found[path.name] = digest(path)
    return found


def _of_folder(folder: Path) -> str:
    """Return the digest of the names and contents of all files in a folder; the links in it are not followed."""
    size, content = 0, hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.is_symlink():
            own = f"link:{path.readlink()}"
        elif path.is_file():
            own = digest(path)
            size += path.stat().st_size
        else:
            continue
        content.update(f"{path.relative_to(folder).as_posix()}\0{own}\0".encode("utf-8", "surrogateescape"))
    return f"{size}:{content.hexdigest()}"


def is_digest(text: str) -> bool:
    """Return whether a text is a digest."""
    return _DIGEST.fullmatch(text) is not None


def is_file_name(name: str) -> bool:
    """Return whether a text is the name of a file in a folder, and no path that leads elsewhere."""
    return PurePosixPath(name).name == name and name != ".." and "\0" not in name


def damages(home: Path, artifact: str, files: Mapping[str, str], since: float = -math.inf) -> Iterator[Damage]:
    """Yield the files of a stage that are not as they were recorded; those of its subfolders are not looked at.

    Args:
        home: the folder with all files.
        artifact: the folder of the stage, relative to the home.
        files: the recorded digests by name; those of subfolders are ignored.
        since: read only files that have changed since this time, in seconds since 1970: of the others the sizes are
            compared. By default all files are read.
    """
    for name, expected in files.items():
        if not name.endswith("/"):
            is_file = is_file_name(name) and is_digest(expected)
            problem = _problem(home / artifact / name, expected, since) if is_file else "is not recorded as a file"
            if problem:
                yield Damage(f"{artifact}/{name}", problem)


def _problem(path: Path, expected: str, since: float) -> str:
    """Return what is wrong with a file; empty if nothing is."""
    try:
        about = path.lstat()
        if not stat.S_ISREG(about.st_mode):
            kinds = {stat.S_IFLNK: "link", stat.S_IFDIR: "folder"}
            return f"is a {kinds.get(stat.S_IFMT(about.st_mode), 'device')} and no file"
        size = int(expected.partition(":")[0])
        if about.st_size != size:
            return f"has {about.st_size:,} bytes and not {size:,}" if about.st_size else "is empty"
        # a time that can be set by hand, and one that cannot
        if max(about.st_mtime, about.st_ctime) < since - _TICK or digest(path) == expected:
            return ""
    except (FileNotFoundError, NotADirectoryError):
        return MISSING
    except OSError as error:
        return f"cannot be read ({error.strerror})"
    return "is not what was written: its digest differs"


def require(home: Path, artifact: str, files: Mapping[str, str], names: Iterable[str] | None = None) -> None:
    """Check files of a finished stage before they are used, by reading them.

    Args:
        home: the folder with all files.
        artifact: the folder of the stage, relative to the home.
        files: the recorded digests by name; empty if none were recorded, so that nothing can be checked.
        names: the files to check; by default all. Those without a digest are not checked.

    Raises:
        DamagedFile: one is missing, or is not what was written; with the steps that make it again.
    """
    wanted = files if names is None else {name: files[name] for name in names if name in files}
    for damage in damages(home, artifact, wanted):
        raise DamagedFile(f"{printable(str(home))}/{damage}{make_again(home)}")


def make_again(home: Path) -> str:
    """Return the end of a message about a damaged file: the two steps that make it again."""
    return f"{TO_MAKE_IT_AGAIN}, run its study after this: ablate db check --repair{home_words(home)}"


def home_words(home: Path) -> str:
    """Return the option that chooses a home, with a space before it; empty for the default one."""
    is_default = os.path.realpath(home) == os.path.realpath(".ablate")
    return "" if is_default else f" --home {shlex.quote(printable(str(home)))}"
