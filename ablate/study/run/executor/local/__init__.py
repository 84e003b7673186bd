"""The executor ``local``: worker processes of this machine.

The modules in the order of reading:

- :mod:`ablate.study.run.executor.local.executor`: hands tasks to workers, and takes what comes of them;
- :mod:`ablate.study.run.executor.local.held`: the tasks that wait for a worker;
- :mod:`ablate.study.run.executor.local.worker`: the driver's side of one worker: its channel, and its death;
- :mod:`ablate.study.run.executor.local.process`: the worker's side;
- :mod:`ablate.study.run.executor.local.shared`: the memory that a worker shares with its driver.

This module is a plugin: an entry point names it as any other. Only a run whose person has chosen no executor takes the
record directly, so that it works whichever plugins are loaded.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ablate.hookspecs import hookimpl
from ablate.specs import ExecutorSpec

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ablate.interfaces.executor import Executor, Setup


def _build(_: Any, setup: Setup) -> Executor:
    from ablate.engine.devices import spread
    from ablate.study.run.executor.local.executor import LocalExecutor

    return LocalExecutor(spread(setup.device, setup.workers), setup)


#: The record.
LOCAL = ExecutorSpec(
    name="local", summary="Processes of this machine: one for each GPU that is used, and for each core.", build=_build
)


@hookimpl
def ablate_executors() -> Iterator[ExecutorSpec]:
    """Offer the executor."""
    yield LOCAL
