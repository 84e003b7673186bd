"""A study whose stages only take time, and an executor with any number of workers that exist on a clock alone.

The driver is the real one: plan, scheduler, database, files beside checkpoints, Optuna's trials and progress lines. Of
its work, the real seconds are measured, and added to the clock on which the simulated workers run. So an hour with 64
workers takes as long as the driver's own work in it.

As the workers of this machine do, each of them begins its next job without the driver, as long as one is held: the
driver has handed over as many jobs as there are workers, besides those that run.
"""

from __future__ import annotations

import collections
import heapq
import itertools
import time
from typing import TYPE_CHECKING, Self

from ablate.interfaces import Value
from ablate.kinds import KINDS, MEASURE, TRAIN
from ablate.registry import get_registry
from ablate.study.file.study_file import read_study
from ablate.study.plan.layout import lay_out
from ablate.study.run.executor.protocol import Outcome
from ablate.study.work.dispatch import work
from ablate.study.work.messages import Context, Job, MetricRecord, News, StageResult

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from types import TracebackType

    from ablate.study.plan.layout import Layout
    from ablate.study.stage import Stage

VARIANTS = 100
#: Numbers that a simulated measurement has: five features of four samples.
SAMPLES, FEATURES = 4, 5

STUDY = """
question = "Is it large?"
seed = 1
corpus = "bach-prelude"
tokenizer = "midilike"
model = "lstm"
metric = "distance.pitch"
objective = { metric = "distance.pitch", feature = "f0", direction = "lower" }
sampler.temperature.tau = 1.0
generation = { samples = 4, tokens = 600 }
floors = { draws = 0 }
[axes]
training.learning_rate = [1e-3, 2e-3, 3e-3, 4e-3, 5e-3, 6e-3, 7e-3, 8e-3, 9e-3, 1e-2]
training.clip = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0]
[baseline]
training.learning_rate = 1e-3
training.clip = 0.1
"""


def layout(folder: Path, runs: int) -> Layout:
    """Lay out a study of 100 variants whose runs share no training: three stages each, and a few that all share."""
    file = folder / "simulated.toml"
    file.write_text(f"replicates = {runs // VARIANTS}\n{STUDY}", encoding="utf-8")
    registry = get_registry()
    return lay_out(read_study(str(file), registry=registry), registry, "cpu")


class Simulated:
    """Workers that take the same time for each stage. Stages before training are worked on, because others read them.

    Args:
        home: the folder for files.
        workers: their number.
        seconds: the time that a stage takes, in seconds of the clock.
        backlog: the number of jobs that are handed over before a worker is free.

    Attributes:
        done: the number of simulated stages that have ended.
        worked: seconds of the clock in which a worker worked, summed over the workers.
        driver: real seconds that the driver has worked since the first simulated stage began.
        begun: the time on the clock when the first simulated stage began.
        ended: the time on the clock when the last one ended.
    """

    separate = True

    def __init__(self, home: Path, workers: int, seconds: float, backlog: int) -> None:
        self.slots, self._home, self._seconds, self._backlog = workers, home, seconds, backlog
        self._queue: collections.deque[Job] = collections.deque()
        self._held: collections.deque[Job] = collections.deque()
        self._running: list[tuple[float, int, Job]] = []
        self._order = itertools.count()
        self._skipped, self._left = 0.0, time.perf_counter()
        self._stopped = False
        self.begun, self.ended = 0.0, 0.0
        self.done, self.worked, self.driver = 0, 0.0, 0.0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass

    @property
    def busy(self) -> bool:
        """Whether jobs wait or run."""
        return bool(self._queue or self._held or self._running)

    def submit(self, job: Job) -> None:
        """Put a job at the end of the queue."""
        self._queue.append(job)

    def stop(self) -> None:
        """Drop the jobs that have not started."""
        self._stopped = True

    def kill(self) -> None:
        """Like :meth:`stop`."""
        self._stopped = True

    def wait(self, tell: Callable[[News], None], started: Callable[[Job], None] = lambda job: None) -> list[Outcome]:
        """Start jobs on free workers, let the clock run to the next end of a job, and return what has ended by then."""
        passed = time.perf_counter() - self._left
        self._skipped += passed
        self.driver += passed if self.begun else 0.0
        if self._stopped:
            self._queue.clear()
            self._held.clear()
        if self._queue and KINDS[self._queue[0].kind].early:
            outcomes = [self._really(self._queue.popleft())]
        else:
            self._start(started)
            outcomes = self._ended(tell, started)
        self._left = time.perf_counter()
        return outcomes

    def _start(self, started: Callable[[Job], None]) -> None:
        """Hand jobs over; those for which a worker is free begin now."""
        while self._queue and len(self._running) + len(self._held) < self.slots + self._backlog:
            self._held.append(self._queue.popleft())
        while self._held and len(self._running) < self.slots:
            self._begin(self._skipped, started)

    def _begin(self, now: float, started: Callable[[Job], None]) -> None:
        job = self._held.popleft()
        self.begun = self.begun or now
        heapq.heappush(self._running, (now + self._seconds * len(job.stages), next(self._order), job))
        started(job)

    def _ended(self, tell: Callable[[News], None], started: Callable[[Job], None]) -> list[Outcome]:
        """Let the clock run to the next end, and take all that have ended by then, of jobs that were held, too."""
        if self._running:
            self._skipped = max(self._skipped, self._running[0][0])
        outcomes = []
        while self._running and self._running[0][0] <= self._skipped:
            end, _, job = heapq.heappop(self._running)
            if self._held:
                self._begin(end, started)
            self.ended = end
            self.done += len(job.stages)
            self.worked += self._seconds * len(job.stages)
            if job.kind == TRAIN:
                tell(News(job.stages[0].fingerprint, TRAIN, 1.0, 2.0, 1000.0))
            outcomes.append(Outcome(job, tuple(self._result(stage) for stage in job.stages)))
        return outcomes

    def _really(self, job: Job) -> Outcome:
        context = Context(self._home, "cpu", get_registry(), lambda news: None, lambda: False)
        return Outcome(job, tuple(work(job, context)))

    def _result(self, stage: Stage) -> StageResult:
        files = {"file": stage.fingerprint} if KINDS[stage.kind].keeps_files else {}
        return StageResult(
            stage, {"samples": SAMPLES, "notes": 400, "seconds": 60.0}, self._seconds, _values(stage), files=files
        )


def _values(stage: Stage) -> tuple[MetricRecord[Value], ...]:
    if stage.kind != MEASURE:
        return ()
    return tuple(
        MetricRecord(sample, stage.config["metric"]["name"], _value(feature))
        for sample in range(SAMPLES)
        for feature in range(FEATURES)
    )


def _value(feature: int) -> Value:
    return Value(0.5, n=500, feature=f"f{feature}", direction="lower")
