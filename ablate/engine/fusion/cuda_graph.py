"""A step that is the same every time, recorded on a GPU as one CUDA graph.

A step of a small network is thousands of kernels of a few microseconds each, and launching them one by one takes longer
than they do. A recorded step is launched at once. It reads and writes the same memory every time: what changes from
step to step has to be in tensors that were there before.
"""

from __future__ import annotations

import logging
import warnings
from typing import TYPE_CHECKING

import torch

from ablate.errors import one_line

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Record = Callable[[Callable[[], None], Sequence[torch.Generator]], Callable[[], None]]

_log = logging.getLogger(__name__)

#: Steps that run as they are before one is recorded: they compile what is to be compiled and choose their kernels.
WARM = 3


class Recorded:
    """Does a step, from the fourth time on as a recording where the device can.

    Args:
        device: where; only CUDA devices can record.
        record: gives, for a step and the streams of random numbers that it draws from, a function that does what the
            step does; recording a step does not do it.
    """

    def __init__(self, device: torch.device, record: Record | None = None) -> None:
        self._record = record or (record_graph if device.type == "cuda" else None)
        self._replay: Callable[[], None] | None = None
        self._runs = 0

    def __call__(self, step: Callable[[], None], streams: Sequence[torch.Generator] = ()) -> None:
        """Do the step, which is the same at every call."""
        # the step is handed over each time: kept here, it would keep alive who keeps this, and the device's memory too
        if self._record and self._runs == WARM:
            self._replay = self._recorded(self._record, step, streams)
        self._runs += 1
        (self._replay or step)()

    def _recorded(
        self, record: Record, step: Callable[[], None], streams: Sequence[torch.Generator]
    ) -> Callable[[], None] | None:
        try:
            return record(step, streams)
        except (RuntimeError, UserWarning) as error:
            # ending a recording that has failed may fail once more, and hide why
            for cause in (error, error.__context__):
                if cause and ran_out(cause):
                    raise cause from None
            reason = one_line(error)
            _log.warning("a step cannot be recorded as a CUDA graph and is launched piece by piece: %s", reason)
            return None


def record_graph(step: Callable[[], None], streams: Sequence[torch.Generator] = ()) -> Callable[[], None]:
    """A CUDA graph of a step on the current device, as a function that plays it."""
    graph = torch.cuda.CUDAGraph()
    for stream in streams:
        graph.register_generator_state(stream)
    before = torch.cuda.current_stream()
    # a stream of this device's own: the one that torch takes by itself stays with the first device that recorded
    own = torch.cuda.Stream()  # type: ignore[no-untyped-call]
    with warnings.catch_warnings():
        warnings.filterwarnings("error", ".*CUDA Graph is empty")  # the step ran elsewhere, and playing does nothing
        try:
            with torch.cuda.graph(graph, stream=own):
                step()
        finally:
            torch.cuda.set_stream(before)  # where recording fails, torch leaves its own
    return graph.replay


def ran_out(error: BaseException) -> bool:
    """Whether memory ran out, as torch says it or one of CUDA's libraries."""
    if isinstance(error, torch.OutOfMemoryError):
        return True
    text = str(error)
    return isinstance(error, RuntimeError) and ("out of memory" in text or "ALLOC_FAILED" in text)
