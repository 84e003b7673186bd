"""A step that is the same every time, recorded on a GPU as one CUDA graph.

A step of a small network is thousands of kernels of a few microseconds each, and launching them one by one takes longer
than they do. A recorded step is launched at once. It reads and writes the same memory every time: what changes from
step to step has to be in tensors that were there before.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_log = logging.getLogger(__name__)

#: Steps that run as they are before one is recorded: they compile what is to be compiled and choose their kernels.
WARM = 3


class Recorded:
    """Runs a step, from the fourth time on as a recording where the device can.

    Args:
        step: what to do, always the same; a recording of it does not run it.
        device: where; only CUDA devices can record.
        generators: gives the streams of random numbers that it draws from, once it has run some times.
        record: gives, for a step and its generators, a function that does what the step does.
    """

    def __init__(
        self,
        step: Callable[[], None],
        device: torch.device,
        generators: Callable[[], Sequence[torch.Generator]] = tuple,
        record: Callable[[Callable[[], None], Sequence[torch.Generator]], Callable[[], None]] | None = None,
    ) -> None:
        self._step, self._generators = step, generators
        self._record = record or (record_graph if device.type == "cuda" else None)
        self._replay: Callable[[], None] | None = None
        self._runs = 0

    def __call__(self) -> None:
        """Do the step."""
        if self._record and self._runs == WARM:
            self._try_to_record(self._record)
        self._runs += 1
        (self._replay or self._step)()

    def _try_to_record(
        self, record: Callable[[Callable[[], None], Sequence[torch.Generator]], Callable[[], None]]
    ) -> None:
        try:
            self._replay = record(self._step, self._generators())
        except RuntimeError as error:
            # ending a recording that has failed may fail once more, and hide why
            for cause in (error, error.__context__):
                if isinstance(cause, torch.OutOfMemoryError):
                    raise cause from None
            reason = " ".join(str(error).split())
            _log.warning("a step cannot be recorded as a CUDA graph and is launched piece by piece: %s", reason)


def record_graph(step: Callable[[], None], generators: Sequence[torch.Generator] = ()) -> Callable[[], None]:
    """A CUDA graph of a step, as a function that plays it."""
    graph = torch.cuda.CUDAGraph()
    for generator in generators:
        graph.register_generator_state(generator)
    # a stream of this device's own: the one that torch takes by itself stays with the first device that recorded
    with torch.cuda.graph(graph, stream=torch.cuda.Stream()):  # type: ignore[no-untyped-call]
        step()
    return graph.replay
