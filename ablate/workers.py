"""Worker processes of this machine, for executors that bring tasks to other machines and need processes there."""

from __future__ import annotations

import contextlib
import dataclasses
import importlib
import signal
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ablate.interfaces.executor import Channel, Executor, Setup


@dataclasses.dataclass(frozen=True)
class NamedWork:
    """The work of a setup by its name: a machine that only brings tasks on does not import what the work needs.

    Attributes:
        module: that has the function.
        name: of the function.
    """

    module: str
    name: str

    def __call__(self, data: bytes, channel: Channel) -> None:
        """Do the work."""
        getattr(importlib.import_module(self.module), self.name)(data, channel)


def named_work(work: Callable[[bytes, Channel], None]) -> NamedWork:
    """Return the work of a :class:`~ablate.interfaces.executor.Setup` by its name."""
    return NamedWork(work.__module__, work.__name__)


def machine_workers(setup: Setup, devices: Sequence[str], *, sees_home: bool) -> Executor:
    """Return the executor of one machine.

    An executor for many machines can have one on each: it supervises the processes, so that a component that ends its
    process costs a task and nothing else, and the reason is known.

    Args:
        setup: the purpose; its device is not used.
        devices: one for each process.
        sees_home: whether the home of the setup is seen on this machine.
    """
    from ablate.study.run.executor.local.executor import LocalExecutor

    return LocalExecutor(devices, setup, sees_home=sees_home)


#: Signals that compiled code gets for what it has done itself.
_CRASHES = {signal.SIGSEGV, signal.SIGABRT, signal.SIGFPE, signal.SIGILL, getattr(signal, "SIGBUS", signal.SIGSEGV)}


def own_end(code: int) -> str:
    """Return how a process that nobody else ended has ended, for people.

    Args:
        code: the exit status, or the number of a signal times -1.
    """
    if code < 0:
        name = signal.Signals(-code).name if -code in set(signal.Signals) else f"signal {-code}"
        return f"its process died of {name}{' (a crash in compiled code)' if -code in _CRASHES else ''}"
    return f"ended its process with status {code}"


def descendants(pid: int) -> list[int]:
    """Return the processes that a process has started, and those that they have started; only Linux tells."""
    found: list[int] = []
    for tasks in Path(f"/proc/{pid}/task").glob("*/children"):
        with contextlib.suppress(OSError):
            found += [int(word) for word in tasks.read_text().split()]
    return [each for child in found for each in (child, *descendants(child))]
