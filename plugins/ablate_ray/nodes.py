"""The machines of the cluster, and the tasks that they have room for, whoever else uses them."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from ablate.interfaces.executor import Place

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from ablate_ray.messages import Start

#: Bytes in a GiB.
_GIB = 2**30
#: The name of the place of tasks that wait for machines that a cluster may still get.
_TO_COME = "machines to come"


class Nodes:
    """The machines of the cluster, as of the last look.

    Args:
        start: the options, and the device that the study computes on.

    Attributes:
        places: where tasks can run.
    """

    def __init__(self, start: Start) -> None:
        self._options, self._on_gpu = start.options, start.device.startswith("cuda")
        self._names: dict[str, str] = {}
        self.places: list[Place] = []

    async def look(self) -> bool:
        """Look at the cluster; return whether the places have changed."""
        import ray

        found: Sequence[Mapping[str, Any]] = await asyncio.to_thread(ray.nodes)
        places = [place for node in found if node["Alive"] for place in self._places_of(node)]
        before, self.places = self.places, self._at_most(places)
        return self.places != before

    def name(self, node: str, host: str) -> str:
        """Return the name of a machine: that of its host, with the beginning of its id where another one has it."""
        if node not in self._names:
            self._names[node] = f"{host}-{node[:6]}" if host in self._names.values() else host
        return self._names[node]

    def place(self, node: str, host: str, *, on_gpu: bool) -> str:
        """Return the name of a place."""
        name = self.name(node, host)
        return f"{name} {'gpu' if on_gpu else 'cpu'}" if self._on_gpu else name

    def _places_of(self, node: Mapping[str, Any]) -> list[Place]:
        """Return the places of a machine: where the study uses GPUs, one for them and one for the cores beside them."""
        total, options = node["Resources"], self._options
        slots = int(total.get("CPU", 0.0) // options.cores)
        if options.memory:
            slots = min(slots, int(total.get("memory", 0.0) // (options.memory * _GIB)))
        of_gpus = min(slots, int(total.get("GPU", 0.0) // options.gpus)) if self._on_gpu else 0
        wanted = ((True, "cuda:0", of_gpus), (False, "cpu", slots - of_gpus))
        return [
            Place(self.place(node["NodeID"], node["NodeManagerHostname"], on_gpu=on_gpu), device, count)
            for on_gpu, device, count in wanted
            if count > 0
        ]

    def _at_most(self, places: Sequence[Place]) -> list[Place]:
        """Return the places for the number of tasks of the options: the first ones, or all and others to come.

        Where the study uses GPUs, they come first, but one task is left for the cores beside them; and where there is
        no GPU, one task waits for a machine that has one.
        """
        left = self._options.tasks
        if not left:
            return list(places)
        wanted = "cuda:0" if self._on_gpu else "cpu"
        first = [place for place in places if place.device == wanted]
        others = [place for place in places if place.device != wanted]
        kept = _first(first, left - 1 if others and left > 1 else left)
        left -= _slots(kept)
        kept += _first(others, left if kept else left - 1)
        left = self._options.tasks - _slots(kept)
        return [*kept, *([Place(_TO_COME, wanted, left)] if left else [])]

    def room(self, *, on_gpu: bool) -> int:
        """Return the number of tasks that run at once; at least one may wait, for a cluster that grows when asked."""
        return max(_slots(place for place in self.places if on_gpu == (place.device != "cpu")), 1)


def _slots(places: Iterable[Place]) -> int:
    return sum(place.slots for place in places)


def _first(places: Iterable[Place], slots: int) -> list[Place]:
    """Return the first places, with a number of slots in all."""
    kept = list[Place]()
    for place in places:
        if slots:
            kept.append(Place(place.name, place.device, min(place.slots, slots)))
            slots -= kept[-1].slots
    return kept
