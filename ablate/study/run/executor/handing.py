"""Hand jobs to executors as tasks, with what they read where the home cannot be seen."""

from __future__ import annotations

import dataclasses
import itertools
import pickle
from typing import TYPE_CHECKING

from ablate.errors import ExecutorError
from ablate.interfaces.executor import Resources, Task
from ablate.kinds import COLLECT, LOAD, PRIME, PROGRAM
from ablate.study.run.executor.deaths import Part, Running
from ablate.study.run.executor.tasks import Shared, pack
from ablate.study.run.executor.transfer.away import Inputs
from ablate.study.run.executor.transfer.incoming import Incoming, put_inputs
from ablate.study.run.executor.transfer.versions import needed_versions
from ablate.study.stage import runs_network
from ablate.study.work.messages import Job

if TYPE_CHECKING:
    from pathlib import Path

    from ablate.interfaces.executor import Executor
    from ablate.specs import ExecutorSpec

#: The kinds of stages that read the files of a person, which are on this machine.
_FROM_FILES = (LOAD, PRIME, COLLECT)


class Handing:
    """Makes tasks of jobs, and submits them.

    Args:
        executor: brings tasks to workers.
        own: processes of this machine, for what reads the files of a person; None if the executor sees the home.
        home: the folder for files.
        shared: what all jobs have in common.
        device: that the study computes on.
        about: the record of the executor, for messages.

    Attributes:
        executors: those that get tasks.
        on_gpu: whether the study computes on a GPU.
    """

    def __init__(
        self, executor: Executor, own: Executor | None, home: Path, shared: Shared, device: str, about: ExecutorSpec
    ) -> None:
        self.executors = [executor, own] if own else [executor]
        self._executor, self._own, self._home, self._about = executor, own, home, about
        self.on_gpu = device.startswith("cuda")
        self._versions: dict[str, str] = {}
        if not executor.same_installation:
            self._versions = needed_versions(shared.registry)
            loaded = tuple(plugin.name for plugin in shared.registry.plugins if not plugin.error)
            shared = dataclasses.replace(shared, loaded=loaded)
        self._shared = pickle.dumps(shared)
        self._numbers = itertools.count(1)

    def check(self) -> tuple[str, Running]:
        """Submit a task without stages, which only checks its worker; return as :meth:`hand_over`."""
        job, name = Job("check", ()), f"check-{next(self._numbers)}"
        self._executor.submit(Task(name, pack(self._versions, self._shared, job, Inputs({}, {}))))
        return name, Running(Part(job), foreign=bool(self._versions))

    def gpus(self, job: Job) -> float:
        """Return how many GPUs a job needs: those that run a network need one in a study on GPUs, the others none."""
        return float(self.on_gpu and any(runs_network(stage) for stage in job.stages))

    def hand_over(self, part: Part) -> tuple[str, Running]:
        """Submit a job; return the name of its task.

        Raises:
            ExecutorError: the executor cannot do jobs of this kind.
            DamagedFile: what it reads is missing, or is not what was written.
        """
        job, executor, inputs, incoming = part.job, self._executor, None, None
        if not executor.shares_home:
            if job.kind == PROGRAM:
                raise ExecutorError(
                    f"{self._about.about} does not see this home, so it cannot run programs; use --executor local"
                )
            if self._own and job.kind in _FROM_FILES:
                executor = self._own
            else:
                inputs, incoming = put_inputs(executor, job, self._home), Incoming(job, self._home)
        name = f"{job.kind}-{next(self._numbers)}"
        versions = {} if executor is self._own else self._versions
        task = Task(
            name,
            pack(versions, self._shared, job, inputs),
            resources=Resources(gpus=self.gpus(job)),
            inputs=inputs.digests() if inputs else (),
            alone=part.alone,
            supervised=job.kind == PROGRAM,
        )
        executor.submit(task)
        return name, Running(part, self.gpus(job), foreign=bool(versions), incoming=incoming)
