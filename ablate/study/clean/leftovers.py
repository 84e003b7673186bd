"""Find the files of a home that no study refers to, and remove them.

Only files of the kinds that ablate makes are found, by their places and names; whatever else is in a home stays.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from ablate.errors import UnsafePath
from ablate.files import file_name, unfinished
from ablate.inside import remove_inside
from ablate.store.folders import is_fingerprint
from ablate.study.clean.sounds import reports_of, unused_sounds
from ablate.study.files.home import CHECKPOINTS
from ablate.writing import abandoned

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

_KIND = re.compile(r"[a-z]+")
#: What a stage can leave in these folders: the endings after its fingerprint.
_BESIDE = {"checkpoints": CHECKPOINTS, "logs": (".txt", ".log", ".lock")}
#: The main files of reports: a folder without any of them is not a report of ablate.
_PAGES = ("index.html", "report.md", "paper/table.tex", "data/effects.csv")


class Leftover(NamedTuple):
    """A file or folder that no study refers to.

    Attributes:
        what: its kind, for people, in plural.
        name: its path, relative to the home.
        size: bytes on the disk, of a folder those of everything in it.
    """

    what: str
    name: str
    size: int


def find_leftovers(home: Path, used: set[str], studies: Iterable[str]) -> list[Leftover]:
    """Return what no study refers to, in the order of its kinds.

    Args:
        home: the home folder.
        used: the fingerprints that studies refer to.
        studies: the names of all studies.
    """
    wanted = {file_name(name) for name in studies}
    reports = reports_of(home)
    gone = [path for path in reports if path.name not in wanted and any((path / page).is_file() for page in _PAGES)]
    found = [
        *_results(home, used),
        *_beside(home, used),
        *(("logs", f"logs/{name}") for name in _report_logs(home, wanted)),
        *(("reports of deleted studies", f"reports/{path.name}") for path in gone),
        *(("sounds", name) for name in unused_sounds(home, [path for path in reports if path not in gone])),
        *(("unfinished files", path.relative_to(home).as_posix()) for path in unfinished_files(home)),
        *(("locks of deleted reports", name) for name in _locks(home, wanted)),
    ]
    return [Leftover(what, name, size_of(home / name)) for what, name in found]


def remove_leftovers(home: Path, leftovers: Iterable[Leftover]) -> tuple[list[Leftover], list[str]]:
    """Remove what was found, and folders of results that are empty then.

    Returns:
        What was removed, and a line for each place that was left alone.
    """
    removed, left = [], []
    for each in leftovers:
        try:
            if remove_inside(home, each.name):
                removed.append(each)
                _remove_empty(home, each.name)
        except UnsafePath as error:
            left.append(str(error))
    return removed, left


def size_of(path: Path) -> int:
    """Return the bytes of a file, or of everything in a folder; links count as links."""
    try:
        size = path.lstat().st_size
        if path.is_symlink() or not path.is_dir():
            return size
        return size + sum(size_of(each) for each in path.iterdir())
    except OSError:
        return 0


def _results(home: Path, used: set[str]) -> Iterator[tuple[str, str]]:
    for folder in artifact_folders(home):
        kind = folder.parent.name
        for path in sorted(folder.iterdir()):
            is_own = is_fingerprint(path.name) and path.name.startswith(folder.name) and _KIND.fullmatch(kind)
            if is_own and path.name not in used:
                yield f"files of results: {kind}", path.relative_to(home).as_posix()


def artifact_folders(home: Path) -> list[Path]:
    """Return the folders that hold the folders of stages, sorted; none that is a link or behind one."""
    folders = [home / "artifacts"]
    for _ in range(2):
        folders = [path for folder in folders if not folder.is_symlink() for path in sorted(folder.glob("*/"))]
    return [folder for folder in folders if not folder.is_symlink()]


def _beside(home: Path, used: set[str]) -> Iterator[tuple[str, str]]:
    for folder, endings in _BESIDE.items():
        for name in _names(home / folder):
            fingerprint, dot, ending = name.partition(".")
            if is_fingerprint(fingerprint) and f"{dot}{ending}" in endings and fingerprint not in used:
                yield folder, f"{folder}/{name}"


def _report_logs(home: Path, wanted: set[str]) -> Iterator[str]:
    for name in _names(home / "logs"):
        report = name.removeprefix("report-").removesuffix(".txt")
        if name == f"report-{report}.txt" and report not in wanted:
            yield name


def unfinished_files(home: Path) -> list[Path]:
    """Return what killed processes left half written; whoever holds the locks of the home may remove it."""
    folders = [home, home / "checkpoints", home / "logs", *artifact_folders(home)]
    found = [path for folder in folders for path in unfinished(folder)]
    return [*found, *abandoned(home / "reports"), *abandoned(home / "audio")]


def _locks(home: Path, wanted: set[str]) -> Iterator[str]:
    for name in _names(home / "reports"):
        study = name.removeprefix(".").removesuffix(".lock")
        if name == f".{study}.lock" and study not in {*wanted, "index.html"}:
            yield f"reports/{name}"


def _names(folder: Path) -> list[str]:
    return [] if folder.is_symlink() or not folder.is_dir() else sorted(path.name for path in folder.iterdir())


def _remove_empty(home: Path, name: str) -> None:
    """Remove the folders above a folder of results that are empty now."""
    if not name.startswith("artifacts/"):
        return
    for folder in list((home / name).parents)[:2]:
        try:
            folder.rmdir()
        except OSError:  # it holds others
            return
