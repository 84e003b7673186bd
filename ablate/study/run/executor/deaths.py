"""Decide what happens to a job whose worker has died: which stages fail, and which are tried again, and how."""

from __future__ import annotations

import dataclasses
import logging
from typing import TYPE_CHECKING

from ablate.kinds import KINDS
from ablate.study.work.messages import Job, StageFailure, StageResult

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ablate.errors import AblateError
    from ablate.interfaces.executor import Died
    from ablate.study.run.executor.transfer.incoming import Incoming
    from ablate.study.stage import Stage

_log = logging.getLogger(__name__)

#: Kills from outside that a job survives: chance may hit it again, and a stage without enough memory has to end.
_MOST_KILLS = 3


@dataclasses.dataclass(frozen=True)
class Part:
    """A job to hand to a worker.

    Attributes:
        job: one that was submitted, or a part of one that took its worker along.
        alone: whether it is such a part, and needs a new process to itself.
        deaths: how many workers died with it, killed from outside or before they began.
        reached: the fraction that was done when its worker had to leave; 0 where none had.
    """

    job: Job
    alone: bool = False
    deaths: int = 0
    reached: float = 0.0

    @property
    def again(self) -> bool:
        """True if a worker had it before."""
        return bool(self.alone or self.deaths or self.reached)


@dataclasses.dataclass
class Running:
    """A job that was handed to the executor.

    Attributes:
        part: the job.
        gpus: that it needs.
        results: those so far.
        placed: whether a worker got it.
        begun: whether the worker has begun with it.
        doing: the component at work, or the last one.
        fraction: that is done, of the stage that has got furthest.
        silent: seconds without a sign of progress.
        fault: why the driver ended it; empty if it did not.
        stuck: whether this was for its silence.
        fatal: the error that ends the run, if there is one.
        foreign: whether its worker may have another installation, which may be why it cannot begin.
        incoming: takes the files of the job; None if the worker writes them in place.
    """

    part: Part
    gpus: float = 0.0
    results: list[StageResult | StageFailure] = dataclasses.field(default_factory=list)
    placed: bool = False
    begun: bool = False
    doing: str = ""
    fraction: float = 0.0
    silent: float = 0.0
    fault: str = ""
    stuck: bool = False
    fatal: AblateError | None = None
    foreign: bool = False
    incoming: Incoming | None = None

    def close(self) -> None:
        """Remove what has arrived and did not become whole."""
        if self.incoming:
            self.incoming.close()


def after_death(running: Running, died: Died) -> tuple[tuple[StageResult | StageFailure, ...], list[Part]]:
    """Return the results of a job whose worker is gone, with the failures, and the parts of it to try again."""
    part, how, results = running.part, running.fault or died.how, tuple(running.results)
    done = {result.stage.fingerprint for result in results}
    left = tuple(stage for stage in part.job.stages if stage.fingerprint not in done)
    moved = died.asked and not running.fault and running.fraction > part.reached
    if left and (moved or part.deaths < _tries(running, outside=died.outside and not running.fault)):
        if running.begun:
            _log.warning("%s: %s; it is tried again", _at_work(running, left[0]), how)
        # with a result, the first one left is another stage
        deaths = (0 if results else part.deaths) + (not moved)
        reached = 0.0 if results else max(part.reached, running.fraction)
        job = dataclasses.replace(part.job, stages=left)
        return results, [dataclasses.replace(part, job=job, deaths=deaths, reached=reached)]
    failed = _failed_with(running, left)
    alone = [stage for stage in left if stage not in failed]
    if alone:
        reason = f"{_at_work(running, left[0])}: {how}"
        _log.warning("%s; %s: what is left of its job is tried one by one", reason, part.job.kind)
    again = [
        Part(dataclasses.replace(part.job, stages=(stage,)), alone=True, deaths=0 if index else part.deaths)
        for index, stage in enumerate(alone)
    ]
    failures = [StageFailure(stage, "WorkerDied", f"{_at_work(running, stage)}: {how}") for stage in failed]
    return (*results, *failures), again


def _tries(running: Running, *, outside: bool) -> int:
    """Return how many workers may die with a job in the way that this one did, before its stages fail."""
    if outside:
        return _MOST_KILLS
    return 0 if running.begun or running.stuck else 1


def _failed_with(running: Running, left: Sequence[Stage]) -> list[Stage]:
    """Return the stages that fail with their worker; the others are tried again.

    The first one that is left was worked on, unless they are worked on together. But it may have died of what another
    one did to the process before, and so gets a second chance, which a component that was stuck does not.
    """
    job = running.part.job
    if running.part.alone or len(job.stages) == 1 or not running.begun:
        return list(left)
    together = KINDS[job.kind].jobs == "together"
    return list(left[:1]) if running.stuck and not together else []


def _at_work(running: Running, stage: Stage) -> str:
    """Return the component that was at work, or what can be said of it without its word."""
    return running.doing or (f"metric '{stage.metric}'" if stage.metric else KINDS[stage.kind].verb)
