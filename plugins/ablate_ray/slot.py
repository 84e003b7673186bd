"""One actor as the driver's process of Ray sees it: what it needs, its task, and the events of it."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
from typing import TYPE_CHECKING, Any

from ablate.errors import ExecutorError, named_line
from ablate.interfaces.executor import Begun, Died, Event, Resources
from ablate_ray.deaths import how_it_died, why_it_cannot_start

if TYPE_CHECKING:
    from collections.abc import Callable

    from ablate.interfaces.executor import Task
    from ablate_ray.contents import Contents
    from ablate_ray.messages import Start
    from ablate_ray.nodes import Nodes

#: Events that an actor has ready before the driver takes them: each is a list.
_READY = 16
#: Seconds for an actor to end its process.
_LEAVE = 3.0


class Slot:
    """An actor, and the task that it works on.

    Args:
        needs: of each of its tasks.
        start: the purpose.
        report: takes events to the driver.

    Attributes:
        needs: of each of its tasks.
        place: the name of its place; empty until the actor is there.
        task: that it works on.
    """

    def __init__(self, needs: Resources, start: Start, report: Callable[[list[Event]], None]) -> None:
        self.needs, self.place = needs, ""
        self.task: Task | None = None
        self._start, self._report = start, report
        self._actor: Any = None
        self._begun, self._dropped, self._stopping = False, False, False

    async def enter(self, nodes: Nodes) -> None:
        """Start the actor, as soon as the cluster has room for it.

        Raises:
            ExecutorError: the machine lacks what it needs.
            RayError: the actor is lost.
        """
        import ray
        from ray.exceptions import ActorDiedError

        from ablate_ray.actor import Slot as Actor

        device = "cuda:0" if self.needs.gpus else "cpu"
        self._actor = (
            ray.remote(Actor)
            .options(
                num_cpus=self.needs.cores,
                num_gpus=self.needs.gpus,
                memory=self.needs.memory or None,
                max_concurrency=4,  # one for the task, the others to end and to stop it
                max_restarts=0,
                max_task_retries=0,
                scheduling_strategy="SPREAD",
            )
            .remote(self._start.work, self._start.home, device, sees_home=self._start.options.shared_home)
        )
        try:
            node, host = await self._actor.where.remote()
        except ActorDiedError as error:
            if error.actor_init_failed:
                raise ExecutorError(why_it_cannot_start(error)) from error
            raise
        self.place = nodes.place(node, host, on_gpu=bool(self.needs.gpus))
        if self._stopping:
            self.stop()

    def take(self, task: Task) -> None:
        """Take a task, which can be ended from now on; :meth:`work` follows."""
        self.task, self._begun, self._dropped = task, False, False

    async def work(self, contents: Contents) -> bool:
        """Work on the task that was taken; return whether the actor is still there."""
        from ray.exceptions import RayError

        task = self.task
        assert task  # noqa: S101 - see above
        try:
            references = await contents.references(task.inputs)
            if self._dropped:
                return True
            stream = self._actor.work.options(num_returns="streaming", _generator_backpressure_num_objects=_READY)
            async for events in stream.remote(task, references):
                self._take(await events)
        except RayError as error:
            self._end(Died(task.name, how_it_died(error), outside=True))
            return False
        except OSError as error:
            self._end(Died(task.name, f"misses a file that it reads ({named_line(error)})"))
        finally:
            self.task = None
        return True

    def _take(self, events: list[Event]) -> None:
        self._begun = self._begun or any(isinstance(event, Begun) for event in events)
        if not self._dropped:
            self._report(
                [
                    dataclasses.replace(event, place=self.place) if isinstance(event, Begun) else event
                    for event in events
                ]
            )

    def _end(self, died: Died) -> None:
        if not self._dropped:
            self._report([died])

    def end(self) -> None:
        """End the task, without an event if it has not begun."""
        if self.task:
            self._dropped = self._dropped or not self._begun
            self._actor.end.remote(self.task.name)  # it may have begun already, or be about to

    def stop(self) -> None:
        """Ask the task to end after its step, and those to come."""
        self._stopping = True
        if self.place:
            self._actor.stop.remote()

    async def leave(self, *, at_once: bool) -> None:
        """End the actor."""
        import ray
        from ray.exceptions import RayError

        if self._actor is None:
            return
        if self.place:
            with contextlib.suppress(RayError, TimeoutError):
                await asyncio.wait_for(self._actor.leave.remote(at_once=at_once), _LEAVE)
        with contextlib.suppress(RayError):
            ray.kill(self._actor)
