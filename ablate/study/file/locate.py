"""Where study files lie. Imports nothing heavy: ``ablate study list`` should answer at once."""

from __future__ import annotations

from pathlib import Path

import ablate
from ablate.errors import StudyFileError, UnknownName


def shipped_folder() -> Path:
    """Where the studies that come with ablate lie: inside the installed package, or beside it in a checkout."""
    package = Path(ablate.__file__).parent
    inside = package / "studies"
    return inside if inside.is_dir() else package.parent / "studies"


def shipped_studies() -> dict[str, Path]:
    """Name to file of the shipped studies."""
    return {path.stem: path for path in sorted(shipped_folder().glob("*.toml"))}


def known_studies() -> dict[str, Path]:
    """Name to file of the shipped studies and those in ``./studies``, which win."""
    local = {path.stem: path for path in sorted(Path("studies").glob("*.toml"))}
    return {**shipped_studies(), **local}


def find_study(name_or_file: str) -> Path:
    """A study file by path, or by name in ``./studies`` and among the shipped ones.

    Raises:
        UnknownName: with a suggestion.
        StudyFileError: a path to a file that does not exist.
    """
    if name_or_file.endswith(".toml") or "/" in name_or_file:
        path = Path(name_or_file)
        if not path.is_file():
            raise StudyFileError(name_or_file, ["is a folder, not a study file" if path.is_dir() else "no such file"])
        return path
    known = known_studies()
    if name_or_file not in known:
        raise UnknownName("study", name_or_file, known)
    return known[name_or_file]
