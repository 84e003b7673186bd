"""The status of a plan's stages while they run."""

from __future__ import annotations

import collections
from typing import TYPE_CHECKING

from ablate.kinds import PROGRAM, TRAIN
from ablate.study.stage import checkpoint_path, program_checkpoint

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
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
        finished: the fingerprints of the stages finished since the plan was made, in their order.
        files: the digests of the files of each finished stage, by its fingerprint.
    """

    def __init__(self, plan: Plan, home: Path) -> None:
        self._home = home
        self._missing = set(plan.missing)
        self.failures: dict[str, StageFailure] = {}
        self.ran: collections.Counter[str] = collections.Counter()
        self.finished: list[str] = []
        self.files: dict[str, Mapping[str, str]] = {f: record.files for f, record in plan.reused.items()}

    def finish(self, stage: Stage, files: Mapping[str, str]) -> None:
        """Record a stage as finished, with the digests of its files."""
        self._missing.discard(stage.fingerprint)
        self.ran[stage.kind] += 1
        self.finished.append(stage.fingerprint)
        self.files[stage.fingerprint] = files

    def files_read_by(self, stages: Iterable[Stage]) -> dict[str, Mapping[str, str]]:
        """Return the digests of the files of every stage that these stages read, by its fingerprint."""
        sources = {source.fingerprint for stage in stages for source in stage.inputs.values()}
        return {source: self.files.get(source, {}) for source in sorted(sources)}

    def fail(self, failure: StageFailure) -> None:
        """Record a stage as failed; it is still missing."""
        self.failures[failure.stage.fingerprint] = failure

    def is_missing(self, stage: Stage) -> bool:
        """Return whether a stage has no result."""
        return stage.fingerprint in self._missing

    def failure(self, stages: Iterable[Stage]) -> StageFailure | None:
        """Return the failure of the first of the stages that has failed."""
        return next(iter(self.failed(stages)), None)

    def failed(self, stages: Iterable[Stage]) -> list[StageFailure]:
        """Return the failures of those of the stages that have failed."""
        return [self.failures[s.fingerprint] for s in stages if s.fingerprint in self.failures]

    def has_checkpoint(self, stage: Stage) -> bool:
        """Return whether a stage is a training, or a program with checkpoints, that has started and can be resumed."""
        paths = {TRAIN: checkpoint_path, PROGRAM: program_checkpoint}
        return stage.kind in paths and (self._home / paths[stage.kind](stage.fingerprint)).exists()
