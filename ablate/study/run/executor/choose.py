"""Choose the executor of a study."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ablate.interfaces.executor import Setup
from ablate.specs import NoOptions
from ablate.study.run.executor.blame import blamed
from ablate.study.run.executor.dispatcher import Dispatcher
from ablate.study.run.executor.inline import InlineExecutor
from ablate.study.run.executor.local import LOCAL
from ablate.study.run.executor.local.executor import LocalExecutor
from ablate.study.run.executor.protocol import AS_USUAL, Working
from ablate.study.run.executor.tasks import work

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from ablate.registry import Registry
    from ablate.study.run.executor.protocol import Executor


def make_executor(home: Path, device: str, workers: int, registry: Registry, working: Working = AS_USUAL) -> Executor:
    """Return an executor with ``workers`` processes; on GPUs one for each, and the rest for the cores beside them.

    With one, jobs run in this process, unless they are to be isolated. An executor that a person has chosen
    decides about its processes itself.

    Raises:
        ExecutorError: it cannot be built.
    """
    chosen = working.executor
    if chosen is None and not working.isolated and workers <= 1:
        return InlineExecutor(home, device, registry, working)
    spec, options = (chosen.spec, chosen.options) if chosen else (LOCAL, NoOptions())
    setup = Setup(work, home, device, workers)
    with blamed(spec):
        executor = spec.build(options, setup)
    own = None if spec is LOCAL else LocalExecutor(["cpu"], setup)
    return Dispatcher(executor, home, registry, working, about=spec, own=own, device=device)


def local_dispatcher(home: Path, devices: Sequence[str], registry: Registry, working: Working = AS_USUAL) -> Dispatcher:
    """Return an executor with a process of this machine for each of the devices; see :class:`Dispatcher`."""
    executor = LocalExecutor(devices, Setup(work, home, devices[0], len(devices)))
    return Dispatcher(executor, home, registry, working, device=devices[0])
