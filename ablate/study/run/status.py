"""The status of a plan's stages while they run."""

from __future__ import annotations

import collections
from typing import TYPE_CHECKING

from ablate.kinds import PROGRAM, TRAIN
from ablate.study.stage import checkpoint_path, program_checkpoint

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from ablate.study.plan.plan import Plan
    from ablate.study.stage import Stage
    from ablate.study.work.messages import StageFailure


class StageStatus:
    """The stages of a plan that are finished, have failed, or are missing.

    Args:
        plan: the stages that have to run.
        home: the folder with the checkpoints.

    Attributes:
        failures: the failed stages by fingerprint.
        ran: the number of stages finished since the plan was made, by kind.
    """

    def __init__(self, plan: Plan, home: Path) -> None:
        self._home = home
        self._missing = set(plan.missing)
        self.failures: dict[str, StageFailure] = {}
        self.ran: collections.Counter[str] = collections.Counter()

    def finish(self, stage: Stage) -> None:
        """Record a stage as finished."""
        self._missing.discard(stage.fingerprint)
        self.ran[stage.kind] += 1

    def fail(self, failure: StageFailure) -> None:
        """Record a stage as failed; it is still missing."""
        self.failures[failure.stage.fingerprint] = failure

    def is_missing(self, stage: Stage) -> bool:
        """Return whether a stage has no result."""
        return stage.fingerprint in self._missing

    def failure(self, stages: Iterable[Stage]) -> StageFailure | None:
        """Return the failure of the first of the stages that has failed."""
        return next((self.failures[s.fingerprint] for s in stages if s.fingerprint in self.failures), None)

    def has_checkpoint(self, stage: Stage) -> bool:
        """Return whether a stage is a training, or a program with checkpoints, that has started and can be resumed."""
        paths = {TRAIN: checkpoint_path, PROGRAM: program_checkpoint}
        return stage.kind in paths and (self._home / paths[stage.kind](stage.fingerprint)).exists()
