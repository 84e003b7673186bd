"""Record a step that is the same every time as a CUDA graph, and replay it.

A step of a small network consists of thousands of kernels of a few microseconds each; launching them one by one takes
longer than running them. A recorded step is launched at once. It reads and writes the same memory every time, so values
that change from step to step have to be in tensors that existed before the recording.
"""

from __future__ import annotations

import contextlib
import functools
import logging
import warnings
from typing import TYPE_CHECKING, Any, Protocol

import torch

from ablate.engine.memory import is_out_of_memory
from ablate.errors import one_line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

_log = logging.getLogger(__name__)

#: Runs before the recording; they compile code and choose kernels.
WARMUP_RUNS = 3
_FAILED = (
    "a step cannot be recorded as a CUDA graph; its kernels, and those of all later steps of this process, "
    "are launched one by one, which is slower: %s"
)


class Recorder(Protocol):
    """Runs and records steps.

    Attributes:
        usable: whether steps can be recorded; false after a recording that failed.
    """

    usable: bool

    def run(self, step: Callable[[], None]) -> None:
        """Run a step that is not recorded, or not yet."""

    def record(self, step: Callable[[], None], generators: Sequence[torch.Generator]) -> Callable[[], None]:
        """Record a step without running it; return a function that replays it.

        Args:
            step: the function to record.
            generators: the random generators that it uses.

        Raises:
            RuntimeError: it cannot be recorded, or the memory is too small. UserWarning is possible, too.
        """
        ...


class RecordedStep:
    """Runs a step; after :data:`WARMUP_RUNS` runs, replays it as a CUDA graph where supported.

    Args:
        device: a torch device; only CUDA devices can record.
        recorder: what runs and records the step; None for the device's own.
    """

    def __init__(self, device: torch.device, recorder: Recorder | None = None) -> None:
        self._recorder = recorder or (graph_recorder(device) if device.type == "cuda" else None)
        self._replay: Callable[[], None] | None = None
        self._runs = 0

    def __call__(self, step: Callable[[], None], generators: Sequence[torch.Generator] = ()) -> None:
        """Run the step, which must be the same at every call.

        Args:
            step: the function to run.
            generators: the random generators that it uses.
        """
        # the step is no attribute: this object would keep its owner alive, and the owner's memory on the device
        if self._recorder is None:
            step()
            return
        if self._runs == WARMUP_RUNS and self._recorder.usable:
            self._replay = _recording(self._recorder, step, generators)
        self._runs += 1
        if self._replay:
            self._replay()
        else:
            self._recorder.run(step)


def _recording(
    recorder: Recorder, step: Callable[[], None], generators: Sequence[torch.Generator]
) -> Callable[[], None] | None:
    """Return a function that replays the step, or None if it cannot be recorded."""
    try:
        return recorder.record(step, generators)
    except (RuntimeError, UserWarning) as error:
        shortage = _shortage(error)
        if shortage:
            raise shortage from None
        recorder.usable = False
        _log.warning(_FAILED, "; then: ".join(map(one_line, _errors(error))))
        return None


def _shortage(error: BaseException) -> BaseException | None:
    """Return the error that reports too little memory: this one, or the one that it hides; None if neither does."""
    return next((each for each in _errors(error) if is_out_of_memory(each)), None)


def _errors(error: BaseException) -> list[BaseException]:
    """Return the error that this one hides, if there is one, and this one.

    Ending a failed recording may fail again, and that error contains nothing about the step.
    """
    return [each for each in (error.__context__, error) if each]


def graph_recorder(device: torch.device) -> GraphRecorder:
    """Return the recorder of a GPU, the same one at every call; without an index, that of the current GPU."""
    return _graph_recorder(torch.cuda.current_device() if device.index is None else device.index)


@functools.cache
def _graph_recorder(index: int) -> GraphRecorder:
    return GraphRecorder(torch.device("cuda", index))


class GraphRecorder:
    """Records steps of a GPU as CUDA graphs, see :class:`Recorder`.

    All steps run and are recorded on one stream. Autograd keeps the stream of a weight's first use, and a recording is
    invalid if it waits for another stream. cuBLAS keeps a workspace for each stream, 32 MiB on some GPUs.

    Args:
        device: a CUDA device with an index.

    Attributes:
        usable: see :class:`Recorder`.
    """

    def __init__(self, device: torch.device) -> None:
        self.usable = True
        self._device = device
        self._stream = torch.cuda.Stream(device)  # type: ignore[no-untyped-call]
        self._failed: list[torch.cuda.CUDAGraph] = []

    def run(self, step: Callable[[], None]) -> None:
        """Run a step on the stream of the recordings, after all that was started before it."""
        outside = torch.cuda.current_stream(self._device)
        self._stream.wait_stream(outside)
        try:
            with torch.cuda.stream(self._stream):
                step()
        finally:
            outside.wait_stream(self._stream)

    def record(self, step: Callable[[], None], generators: Sequence[torch.Generator]) -> Callable[[], None]:
        """Record a step as a CUDA graph; if that fails, leave the process as it was before."""
        graph, pool = torch.cuda.CUDAGraph(), torch.cuda.graph_pool_handle()
        with self._undone_on_failure(graph, pool, generators), warnings.catch_warnings():
            # an empty graph: the step ran on another device, and a replay would do nothing
            warnings.filterwarnings("error", ".*CUDA Graph is empty")
            for generator in generators:
                graph.register_generator_state(generator)
            with torch.cuda.graph(graph, pool=pool, stream=self._stream):
                step()
        return graph.replay

    @contextlib.contextmanager
    def _undone_on_failure(
        self, graph: torch.cuda.CUDAGraph, pool: Any, generators: Sequence[torch.Generator]
    ) -> Iterator[None]:
        """Undo in case of an error what torch leaves behind when a recording fails.

        torch then stays on the stream of the recording, its allocator keeps the recording's memory and puts off
        releasing any other, and up to torch 2.12 every generator that was registered refuses to draw; torch registers
        the default one itself.
        """
        outside = torch.cuda.current_stream(self._device)
        default = torch.cuda.default_generators[self._device.index]
        states = [(generator, generator.get_state()) for generator in (default, *generators)]
        try:
            yield
        except BaseException:
            torch.cuda.set_stream(outside)
            _release(pool, self._device.index)
            with contextlib.suppress(RuntimeError):
                graph.reset()
            # kept, because torch's allocator of pinned memory may still ask this graph whether it is being recorded
            self._failed.append(graph)
            for generator, state in states:
                renewed = torch.Generator(self._device)
                renewed.set_state(state)
                generator.graphsafe_set_state(renewed)
            raise


def _release(pool: Any, device: int) -> None:
    """End the use of a pool of memory by a recording that was not ended, and release it."""
    # its name up to torch 2.7
    older = "_cuda_endAllocateCurrentStreamToPool"
    end = getattr(torch._C, "_cuda_endAllocateToPool", None) or getattr(torch._C, older)  # noqa: SLF001
    try:
        end(device, pool)
    except RuntimeError:  # the recording was ended, or never begun: reset() releases the pool
        return
    torch._C._cuda_releasePool(device, pool)  # noqa: SLF001
