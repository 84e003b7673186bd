"""The check of a stage that comes from a bundle or a home of somebody else, before it enters a database."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ablate.digests import is_digest
from ablate.kinds import KINDS
from ablate.store.folders import is_fingerprint
from ablate.study.sources.facts import well_formed
from ablate.study.stage import artifact_folder

if TYPE_CHECKING:
    from collections.abc import Callable

    from ablate.store.records import StageRecord


def stage_problem(stage: StageRecord, is_name: Callable[[str], bool]) -> str:
    """Return what is wrong with the record of a stage; empty if nothing is.

    Args:
        stage: its record.
        is_name: whether a file or folder of a stage may have this name.
    """
    if not is_fingerprint(stage.fingerprint):
        return f"stage {stage.fingerprint[:80]!r} has no fingerprint"
    if stage.kind not in KINDS:
        return f"stage of a kind '{stage.kind[:80]}' that this version of ablate does not have; upgrade ablate"
    if not well_formed(stage.sources):
        return f"stage {stage.fingerprint} has sources in a form that this version does not know"
    if not all(is_digest(digest) and is_name(name) for name, digest in stage.files.items()):
        return f"stage {stage.fingerprint} has files with names or digests that are not valid"
    # the folder is deleted with the study, so it must be the stage's own
    if stage.artifact not in ("", artifact_folder(stage.kind, stage.fingerprint)):
        return f"the folder of stage {stage.fingerprint} is not its own"
    return ""
