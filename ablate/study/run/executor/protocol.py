"""Executors: the methods that they have and the outcomes that they return; only the driver writes to the database."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, Protocol, Self

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from ablate.errors import AblateError
    from ablate.specs import ExecutorSpec
    from ablate.study.work.messages import Job, News, StageFailure, StageResult

#: Seconds without a sign of progress after which a component counts as stuck, unless a person says otherwise.
STALL_LIMIT = 3600.0


@dataclasses.dataclass(frozen=True)
class ChosenExecutor:
    """An executor that a person has chosen, with its options."""

    spec: ExecutorSpec
    options: Any


@dataclasses.dataclass(frozen=True)
class Working:
    """The settings of the work on jobs; nothing here changes a result by more than rounding on a GPU.

    Attributes:
        checkpoint_seconds: the time between two checkpoints of a training.
        stall_limit: seconds without a sign of progress after which a component counts as stuck and its stage fails; 0
            for none. It holds in worker processes, and not for programs, which have a limit of their own.
        isolated: work in other processes even if there is one worker, so that no component can end this process.
        executor: the one that a person has chosen; None for processes of this machine.
        fused: whether networks of equal shape are run as one; None is on a GPU only.
    """

    checkpoint_seconds: float = 10.0
    stall_limit: float = STALL_LIMIT
    isolated: bool = False
    executor: ChosenExecutor | None = None
    fused: bool | None = None


#: The settings where nobody has chosen any.
AS_USUAL = Working()


@dataclasses.dataclass(frozen=True)
class Outcome:
    """The results of a job, one for each stage that is finished or has failed; ``fatal`` is what ends the run.

    A job that took its worker along has an outcome for what was finished, and later others for the rest.
    """

    job: Job
    results: tuple[StageResult | StageFailure, ...]
    fatal: AblateError | None = None


class Executor(Protocol):
    """Runs jobs.

    Attributes:
        separate: whether jobs run in other processes.
    """

    separate: bool

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    @property
    def slots(self) -> int:
        """The number of jobs of a network that run side by side; asked only while the executor is entered."""
        ...

    @property
    def busy(self) -> bool:
        """True while jobs wait or run."""
        ...

    def submit(self, job: Job) -> None:
        """Add a job to the queue; it starts when a slot is free, in the order of submission, but before programs."""

    def wait(self, tell: Callable[[News], None], started: Callable[[Job], None] = lambda job: None) -> list[Outcome]:
        """Wait a moment for jobs to end, and pass on which jobs start and their progress; the list may be empty."""
        ...

    def stop(self) -> None:
        """Ask the running jobs to stop after their current step, and drop those that have not started.

        Only sets a flag, so that a signal handler can call it at any moment.
        """

    def kill(self) -> None:
        """End the running jobs at once where they run in other processes; finished stages are still returned.

        Only sets a flag, like :meth:`stop`.
        """
