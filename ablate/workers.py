"""Worker processes of this machine, for executors that bring tasks to other machines and need processes there."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ablate.interfaces.executor import Executor, Setup


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
