"""Find study files. Imports nothing heavy, so that ``ablate study list`` is fast."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import shlex
from pathlib import Path

import ablate
from ablate.errors import StudyFileError, UnknownName
from ablate.files import exists
from ablate.printable import printable

#: The entry points that name packages of plugins with a folder ``studies``.
STUDIES = "ablate.studies"


def shipped_folder() -> Path:
    """Return the folder of the studies that come with ablate: in the installed package, or next to it in a checkout."""
    package = Path(ablate.__file__).parent
    inside = package / "studies"
    return inside if inside.is_dir() else package.parent / "studies"


def shipped_studies() -> dict[str, Path]:
    """Map the name of each shipped study to its file."""
    return _files(shipped_folder())


def plugin_studies() -> dict[str, Path]:
    """Map names to files, of the studies in the packages of plugins; no plugin is imported."""
    studies: dict[str, Path] = {}
    for point in importlib.metadata.entry_points(group=STUDIES):
        package = importlib.util.find_spec(point.value.partition(".")[0])
        for folder in (package and package.submodule_search_locations) or ():
            studies |= _files(Path(folder) / "studies")
    return studies


def _files(folder: Path) -> dict[str, Path]:
    return {path.stem: path for path in sorted(folder.glob("*.toml"))}


def known_studies() -> dict[str, Path]:
    """Map names to files; those in ``./studies`` come before the shipped ones, and these before those of plugins."""
    return {**plugin_studies(), **shipped_studies(), **_files(Path("studies"))}


def find_study(name_or_file: str) -> Path:
    """Find a study file by path, or by name in ``./studies``, among the shipped studies and among those of plugins.

    Raises:
        UnknownName: with a suggestion.
        StudyFileError: a path to a file that does not exist.
    """
    if name_or_file.endswith(".toml") or "/" in name_or_file:
        path = Path(name_or_file)
        if not exists(path) or path.is_dir():
            problem = "is a folder, not a study file" if exists(path) else "no such file"
            raise StudyFileError(printable(name_or_file), [problem])
        return path
    known = known_studies()
    if name_or_file not in known:
        raise UnknownName("study", name_or_file, [*known], hint=how_to_run(name_or_file))
    return known[name_or_file]


def how_to_run(name: str) -> str:
    """Return how to run what somebody has named in another way: a file of the folder, or a stored study by its name.

    It is the end of a message, and empty where there is neither.
    """
    stem, at, profile = name.partition("@")
    option = f" --profile {shlex.quote(profile)}" if at else ""
    if Path(f"{stem}.toml").is_file():
        return f"There is {stem}.toml here: ablate study run {shlex.quote(f'./{stem}.toml')}{option}"
    return f"To run a study with a profile: ablate study run {stem}{option}" if at and stem in known_studies() else ""
