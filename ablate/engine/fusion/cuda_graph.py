"""Record a step that is the same every time as a CUDA graph, and replay it.

A step of a small network consists of thousands of kernels of a few microseconds each; launching them one by one takes
longer than running them. A recorded step is launched at once. It reads and writes the same memory every time, so values
that change from step to step have to be in tensors that existed before the recording.
"""

from __future__ import annotations

import logging
import warnings
from typing import TYPE_CHECKING

import torch

from ablate.engine.memory import is_out_of_memory
from ablate.errors import one_line

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Recorder = Callable[[Callable[[], None], Sequence[torch.Generator]], Callable[[], None]]

_log = logging.getLogger(__name__)

#: Runs before the recording; they compile code and choose kernels.
WARMUP_RUNS = 3


class RecordedStep:
    """Runs a step; after :data:`WARMUP_RUNS` runs, replays it as a CUDA graph where supported.

    Args:
        device: a torch device; only CUDA devices can record.
        recorder: returns, for a step and the random generators that it uses, a function that replays the step.
            Recording a step does not run it.
    """

    def __init__(self, device: torch.device, recorder: Recorder | None = None) -> None:
        self._recorder = recorder or (record_graph if device.type == "cuda" else None)
        self._replay: Callable[[], None] | None = None
        self._runs = 0

    def __call__(self, step: Callable[[], None], generators: Sequence[torch.Generator] = ()) -> None:
        """Run the step, which must be the same at every call.

        Args:
            step: the function to run.
            generators: the random generators that it uses.
        """
        # the step is no attribute: this object would keep its owner alive, and the owner's memory on the device
        if self._recorder and self._runs == WARMUP_RUNS:
            self._replay = self._record(self._recorder, step, generators)
        self._runs += 1
        (self._replay or step)()

    def _record(
        self, recorder: Recorder, step: Callable[[], None], generators: Sequence[torch.Generator]
    ) -> Callable[[], None] | None:
        """Return a function that replays the step, or None if it cannot be recorded."""
        try:
            return recorder(step, generators)
        except (RuntimeError, UserWarning) as error:
            # ending a failed recording may fail again, which hides the first error
            for cause in (error, error.__context__):
                if cause and is_out_of_memory(cause):
                    raise cause from None
            reason = one_line(error)
            _log.warning("a step cannot be recorded as a CUDA graph; its kernels are launched one by one: %s", reason)
            return None


def record_graph(step: Callable[[], None], generators: Sequence[torch.Generator] = ()) -> Callable[[], None]:
    """Record a step on the current device as a CUDA graph; return a function that replays it."""
    graph = torch.cuda.CUDAGraph()
    for generator in generators:
        graph.register_generator_state(generator)
    before = torch.cuda.current_stream()
    # a new stream of this device: torch's default one stays on the first device that recorded
    stream = torch.cuda.Stream()  # type: ignore[no-untyped-call]
    with warnings.catch_warnings():
        # an empty graph: the step ran on another device, and a replay would do nothing
        warnings.filterwarnings("error", ".*CUDA Graph is empty")
        try:
            with torch.cuda.graph(graph, stream=stream):
                step()
        finally:
            torch.cuda.set_stream(before)  # after a failed recording, torch does not restore it
    return graph.replay
