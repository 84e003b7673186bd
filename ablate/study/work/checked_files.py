"""Check the files that a job reads, and take the digests of those that it has written."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from ablate.digests import digests, require
from ablate.kinds import KINDS
from ablate.study.work.messages import StageResult

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from ablate.study.stage import Stage
    from ablate.study.work.messages import StageFailure


def check_inputs(stages: Iterable[Stage], files: Mapping[str, Mapping[str, str]], home: Path) -> None:
    """Check the files of every stage that these stages read.

    Args:
        stages: to work on.
        files: the recorded digests of each stage that they read, by its fingerprint.
        home: the folder with all files.

    Raises:
        DamagedFile: one is missing, or is not what was written.
    """
    for source in {s.fingerprint: s for stage in stages for s in stage.inputs.values()}.values():
        require(home, source.artifact, files.get(source.fingerprint, {}))


def with_digests(result: StageResult | StageFailure, home: Path) -> StageResult | StageFailure:
    """Return the result of a stage with the digests of the files that it has just written."""
    if not isinstance(result, StageResult) or not KINDS[result.stage.kind].keeps_files:
        return result
    return dataclasses.replace(result, files=digests(home / result.stage.artifact))
