"""Remove files of a home: only at places that are made from checked names, and never through a link."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ablate.errors import UnsafePath
from ablate.files import file_name, remove
from ablate.inside import remove_inside, without_links
from ablate.printable import printable
from ablate.store.folders import is_fingerprint, own_folder
from ablate.study.clean.sounds import remove_sounds, reports_of, sounds_of
from ablate.study.stage import checkpoint_path, log_path, program_checkpoint
from ablate.writing import lock_of, only_writer

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from ablate.store.records import RemovedStage


def remove_results(home: Path, stages: Iterable[RemovedStage]) -> tuple[int, list[str]]:
    """Remove the folders of stages.

    What the database names as their folder is not used: the kind and the fingerprint of a stage decide where its files
    are.

    Returns:
        The number of folders that were removed, and a line for each place that was left alone.
    """
    removed, left = 0, []
    for stage in stages:
        folder = own_folder(stage.kind, stage.fingerprint)
        if stage.artifact not in ("", folder):
            left.append(f"{printable(stage.artifact[:200])}, which is not the folder of the stage that names it")
        if folder:
            removed += _removed(home, folder, left)
    return removed, left


def remove_checkpoints(home: Path, fingerprints: Iterable[str]) -> list[str]:
    """Remove the checkpoints and logs of stages that nobody will resume; return the places that were left alone."""
    left: list[str] = []
    for fingerprint in filter(is_fingerprint, fingerprints):
        for name in files_beside(fingerprint):
            _removed(home, name, left)
    return left


def files_beside(fingerprint: str) -> list[str]:
    """Return the places of what a stage leaves outside its folder, relative to the home: checkpoints and logs."""
    log = log_path(fingerprint).removesuffix(".log")
    return [
        checkpoint_path(fingerprint),
        f"{program_checkpoint(fingerprint)}.json",
        program_checkpoint(fingerprint),
        *(f"{log}{ending}" for ending in (".log", ".txt", ".lock")),
    ]


def report_log(study: str) -> str:
    """Return the place of what went wrong when the report of a study was drawn, relative to the home."""
    return f"logs/report-{file_name(study)}.txt"


def remove_report(home: Path, study: str) -> list[str]:
    """Remove the report of a study and what only it has: sounds, a log; return the places that were left alone."""
    name = f"reports/{file_name(study)}"
    left: list[str] = []
    try:
        folder = without_links(home, name)
    except UnsafePath as error:
        return [str(error)]
    if not folder.parent.is_dir():
        return []
    sounds = sounds_of(folder)
    with only_writer(folder):
        _removed(home, name, left)
    remove(lock_of(folder))
    _removed(home, report_log(study), left)
    remove_sounds(home, sounds, reports_of(home))
    return left


def _removed(home: Path, name: str, left: list[str]) -> bool:
    """Remove something; return whether it was there. A place that must be left alone is added to a list."""
    try:
        return remove_inside(home, name)
    except UnsafePath as error:
        left.append(str(error))
        return False
