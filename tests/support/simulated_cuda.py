"""torch's rules for CUDA graphs, without a GPU: what a recording that fails leaves behind up to torch 2.12.

Written from torch's sources (``CUDAGraph.cpp``, ``CUDAGeneratorImpl.cpp``, ``CUDACachingAllocator.cpp``).
"""

from __future__ import annotations

import contextlib
import dataclasses
from types import SimpleNamespace
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclasses.dataclass
class State:
    """Of a generator; a graph registers it."""

    seed: int
    capturing: bool = False


class Generator:
    def __init__(self, cuda: SimulatedCuda, seed: int = 0) -> None:
        self._cuda, self.state = cuda, State(seed)

    def get_state(self) -> int:
        return self.state.seed

    def set_state(self, seed: int) -> None:
        self.state.seed = seed

    def graphsafe_set_state(self, other: Generator) -> None:
        self.state = other.state

    def draw(self) -> int:
        if self.state.capturing != bool(self._cuda.capture):
            raise RuntimeError("Offset increment outside graph capture encountered unexpectedly.")
        self.state.seed += 1
        return self.state.seed


class Stream:
    def __init__(self, cuda: SimulatedCuda, name: str) -> None:
        self._cuda, self.name = cuda, name

    def wait_stream(self, other: Stream) -> None:
        if self._cuda.capture and (self is self._cuda.now) != (other is self._cuda.now):
            self._cuda.invalidate()
        self._cuda.said.append(f"{self.name} waits for {other.name}")


class Graph:
    def __init__(self, cuda: SimulatedCuda) -> None:
        self.cuda, self.valid, self.ended, self.pool = cuda, True, False, 0
        self.states: list[State] = []

    def register_generator_state(self, generator: Generator) -> None:
        self.states.append(generator.state)

    def reset(self) -> None:
        if self.ended:
            self.cuda.released.append(self.pool)

    def replay(self) -> None:
        self.cuda.said.append("replayed")


class SimulatedCuda:
    """Takes the place of the name ``torch`` in a module that records.

    Attributes:
        now: the current stream.
        capture: the graph that is being recorded.
        underway: pools of memory that the allocator takes to be in use by a recording.
        released: pools that were released.
        said: what happened, in order.
    """

    device = torch.device

    def __init__(self) -> None:
        self.said: list[str] = []
        self.default = self.now = Stream(self, "default")
        self.capture: Graph | None = None
        self.underway: list[int] = []
        self.released: list[int] = []
        self._pools = self._streams = 0
        self.cuda = SimpleNamespace(
            current_device=lambda: 0,
            current_stream=lambda device=None: self.now,
            set_stream=self._set_stream,
            default_generators=[Generator(self, 100)],
            graph_pool_handle=self._new_pool,
            CUDAGraph=lambda: Graph(self),
            Stream=self._new_stream,
            stream=self._on_stream,
            graph=self._graph,
        )
        self._C = SimpleNamespace(_cuda_endAllocateToPool=self._end, _cuda_releasePool=self._release)

    def Generator(self, device: torch.device) -> Generator:  # noqa: N802 - torch's name
        del device
        return Generator(self)

    def invalidate(self) -> None:
        """Do what no recording may contain, such as waiting for a number."""
        if self.capture:
            self.capture.valid = False
            raise RuntimeError("operation not permitted when stream is capturing")

    def _set_stream(self, stream: Stream) -> None:
        self.now = stream

    def _new_pool(self) -> int:
        self._pools += 1
        return self._pools

    def _new_stream(self, device: torch.device) -> Stream:
        del device
        self._streams += 1
        return Stream(self, f"stream {self._streams}")

    def _end(self, device: int, pool: int) -> None:
        del device
        if pool not in self.underway:
            raise RuntimeError("endAllocatePool: not currently recording to mempool_id")
        self.underway.remove(pool)

    def _release(self, device: int, pool: int) -> None:
        del device
        self.released.append(pool)

    @contextlib.contextmanager
    def _on_stream(self, stream: Stream) -> Iterator[None]:
        before, self.now = self.now, stream
        try:
            yield
        finally:
            self.now = before

    @contextlib.contextmanager
    def _graph(self, graph: Graph, *, pool: int, stream: Stream) -> Iterator[None]:
        before, self.now = self.now, stream
        self.capture, graph.pool = graph, pool
        self.underway.append(pool)
        graph.states.append(self.cuda.default_generators[0].state)
        for state in graph.states:
            state.capturing = True
        try:
            yield
        finally:
            self.capture = None
            if not graph.valid:  # cudaStreamEndCapture fails, and with it all that comes after it
                raise RuntimeError("operation failed due to a previous error during capture")
            self.underway.remove(pool)
            for state in graph.states:
                state.capturing = False
            graph.ended = True
            self.now = before
