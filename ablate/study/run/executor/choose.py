"""Choose the executor of a study."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ablate.engine.devices import spread
from ablate.study.run.executor.inline import InlineExecutor
from ablate.study.run.executor.pool import PoolExecutor
from ablate.study.run.executor.protocol import Working

if TYPE_CHECKING:
    from pathlib import Path

    from ablate.registry import Registry
    from ablate.study.run.executor.protocol import Executor

_AS_USUAL = Working()


def make_executor(home: Path, device: str, workers: int, registry: Registry, working: Working = _AS_USUAL) -> Executor:
    """Return an executor with ``workers`` processes on a CPU or one for each GPU.

    With one of them, jobs run in this process, unless they are to be isolated.
    """
    devices = spread(device, workers)
    if len(devices) == 1 and not working.isolated:
        return InlineExecutor(home, device, registry, working.checkpoint_seconds)
    return PoolExecutor(home, devices, registry, working)
