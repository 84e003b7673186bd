"""Decide which rows share steps: those of fused models, then those of each separate model.

A block that does not fit into a GPU's memory is planned again, in smaller ones.
"""

from __future__ import annotations

import functools
import logging
from collections import Counter
from typing import TYPE_CHECKING, Any

import torch

from ablate.engine.fusion.generation import generation_groups, in_parts
from ablate.engine.generation.batching import (
    BLOCK,
    LARGEST_BATCH,
    batch_size_is_exact,
    has_stepper,
    make_stepper,
)
from ablate.engine.generation.block import BlockPlan
from ablate.errors import StageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from ablate.engine.devices import Compute
    from ablate.engine.generation.row import Row
    from ablate.interfaces import Conditioner, Stepper

_log = logging.getLogger(__name__)

#: The most rows of a separate model that share a step on a GPU; a model without a fused form may keep much for each.
MOST_ON_GPU = 1024
_HALVED = "%d samples do not fit into the memory of %s together; trying %d"
_SEPARATED = "a sample of each fused model does not fit into the memory of %s; generating with one model at a time"
_TOO_LARGE = (
    "out of memory on {device}: there is no room for a single sample; "
    "try a smaller model or --device cpu, or stop other programs that use this memory"
)


class Planner:
    """Puts the rows of a generation into blocks.

    Args:
        models: on the device and in evaluation mode.
        rows: what to generate.
        vocabulary: number of token ids.
        conditioners: of the models.
        compute: device, precision and threads.
    """

    def __init__(
        self,
        models: Sequence[Any],
        rows: Sequence[Row],
        vocabulary: int,
        conditioners: Sequence[Conditioner],
        compute: Compute,
    ) -> None:
        self._models, self._rows, self._vocabulary = models, rows, vocabulary
        self._conditioners, self._compute = conditioners, compute

    def blocks(self) -> list[BlockPlan]:
        """Return all rows in blocks."""
        plans = self._fused() if self._compute.fused else []
        fused = {index for plan in plans for index in plan.indices}
        return plans + self._separate([index for index in range(len(self._rows)) if index not in fused])

    def smaller(self, plan: BlockPlan) -> list[BlockPlan]:
        """Return the rows of a block that does not fit into the memory in blocks with half of each model's rows.

        Raises:
            StageError: the block is a single row.
        """
        rows_of, device = Counter(row.model for row in plan.rows), self._compute.device
        most = max(rows_of.values())
        if most > 1:
            parts = list(in_parts(self._rows, plan.indices, (most + 1) // 2))
            _log.warning(_HALVED, len(plan.rows), device, len(parts[0]))
            return [self._block(plan.make_stepper, part, plan.threads, fused=plan.fused) for part in parts]
        if plan.fused:
            _log.warning(_SEPARATED, device)
            return self._separate(plan.indices)
        raise StageError(_TOO_LARGE.format(device=device))

    def _fused(self) -> list[BlockPlan]:
        """Return the rows of models that can be fused."""
        plans, compute = [], self._compute
        for group in generation_groups(self._models, self._rows, compute, self._conditioners):
            make = functools.partial(group.stepper, device=torch.device(compute.device))
            plans += [self._block(make, part, compute.threads, fused=True) for part in group.split(self._rows)]
        return plans

    def _separate(self, indices: Iterable[int]) -> list[BlockPlan]:
        """Return the rows of these indices in blocks, each of a single model."""
        plans: list[BlockPlan] = []
        by_model: dict[int, list[int]] = {}
        for index in sorted(indices, key=self._samplers):
            by_model.setdefault(self._rows[index].model, []).append(index)
        for model, own in by_model.items():
            stepper = make_stepper(self._models[model], self._compute)
            if self._compute.device == "cpu":
                threads = self._exact_threads(stepper, own) if has_stepper(self._models[model], "cpu") else 0
                plans += self._on_cpu(stepper, own, threads)
            else:
                plans += self._on_gpu(stepper, own)
        return plans

    def _on_gpu(self, stepper: Stepper, indices: Sequence[int]) -> list[BlockPlan]:
        """Return the rows of one model in as few blocks as possible, without idle rows: bits are not promised."""
        return [self._block(lambda _: stepper, part, 1) for part in in_parts(self._rows, indices, MOST_ON_GPU)]

    def _on_cpu(self, stepper: Stepper, indices: Sequence[int], threads: int) -> list[BlockPlan]:
        """Return the rows of one model; ``threads`` is 0 if only blocks of :data:`BLOCK` rows are exact."""
        most = LARGEST_BATCH if threads else BLOCK
        plans = []
        for part in (indices[i : i + most] for i in range(0, len(indices), most)):
            size = len(part) if threads else BLOCK
            plans.append(BlockPlan(lambda _: stepper, part, [self._rows[i] for i in part], size, threads or 1))
        return plans

    def _exact_threads(self, stepper: Stepper, indices: Sequence[int]) -> int:
        """Return with how many threads, all or 1, batches of these rows are exact; 0 if with neither."""
        labels = [self._rows[index].labels for index in indices]
        batches = (labels[start : start + LARGEST_BATCH] for start in range(0, len(labels), LARGEST_BATCH))
        by_size: dict[int, Sequence[Mapping[str, float]]] = {len(batch): batch for batch in batches}
        for threads in dict.fromkeys((self._compute.threads, 1)):
            if all(
                batch_size_is_exact(stepper, batch, self._vocabulary, self._conditioners, threads)
                for batch in by_size.values()
            ):
                return threads
        return 0

    def _block(
        self,
        make: Callable[[Sequence[Row]], Stepper],
        part: Iterable[int],
        threads: int,
        *,
        fused: bool = False,
    ) -> BlockPlan:
        """Return the rows of these indices as a block without idle rows."""
        indices = sorted(part, key=self._samplers)
        return BlockPlan(make, indices, [self._rows[i] for i in indices], len(indices), threads, fused)

    def _samplers(self, index: int) -> Any:
        return self._rows[index].samplers
