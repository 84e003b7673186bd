"""Generate samples: rows of several variants share each step of the network.

Each row has its own stream of uniform numbers, drawn ahead. On a CPU its tokens do not depend, bit for bit, on the rows
with which it is batched: see :mod:`ablate.engine.generation.batching`. On a GPU the rows of all models that can be
fused share steps (:mod:`ablate.engine.fusion.generation`), and products of other sizes may round differently; the same
rows of the same models always give the same tokens.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from ablate.engine.devices import Compute, on_device, torch_threads
from ablate.engine.fusion.generation import generation_groups
from ablate.engine.generation.batching import (
    BLOCK,
    LARGEST_BATCH,
    batch_size_is_exact,
    has_stepper,
    make_stepper,
)
from ablate.engine.generation.block import Block, BlockPlan

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from ablate.arrays import IntArray
    from ablate.engine.generation.row import Row
    from ablate.interfaces import Conditioner, Stepper, Tokenizer

_CPU = Compute()
#: Steps between progress updates.
PROGRESS_EVERY = 100
#: The most rows of a separate model that share a step on a GPU; a model without a fused form may keep much for each.
MOST_ON_GPU = 1024


def generate(
    models: Sequence[Any],
    rows: Sequence[Row],
    *,
    tokenizer: Tokenizer,
    conditioners: Sequence[Conditioner],
    compute: Compute = _CPU,
    on_progress: Callable[[int, int], None] = lambda done, total: None,
    should_stop: Callable[[], bool] = lambda: False,
) -> list[IntArray] | None:
    """Generate the new tokens of each row, in the order of ``rows``; return None if stopped before the end.

    The primer is read once, and the first new token is drawn from the prediction after its last token. The result
    (int64 [row.tokens] for each row) does not include the primer.

    Args:
        models: on the device and in evaluation mode.
        rows: what to generate.
        tokenizer: of the models' vocabulary.
        conditioners: in the order in which the models were built with them.
        compute: device, precision and threads.
        on_progress: called with the steps done and the steps of the whole generation.
        should_stop: called before every step.

    Raises:
        NoTokenPossible: a row has no possible token, because of its logits or its samplers.
    """
    results: dict[int, IntArray] = {}
    plans = _plan_blocks(models, rows, len(tokenizer.vocabulary), conditioners, compute)
    done, total = 0, sum(plan.steps for plan in plans)
    while plans:
        plan = plans.pop(0)  # out of the list, because its stepper may hold a recorded step in the device's memory
        with torch.inference_mode(), on_device(compute.device), torch_threads(plan.threads):
            block = Block(plan, tokenizer, conditioners, compute.device)
            for step in range(plan.steps):
                if should_stop():
                    return None
                block.advance(step)
                done += 1
                if done % PROGRESS_EVERY == 0 or done == total:
                    block.check()
                    on_progress(done, total)
            block.check()
            results.update(zip(plan.indices, block.new_tokens(), strict=True))
    return [results[index] for index in range(len(rows))]


def _plan_blocks(
    models: Sequence[Any],
    rows: Sequence[Row],
    vocabulary: int,
    conditioners: Sequence[Conditioner],
    compute: Compute,
) -> list[BlockPlan]:
    """Return all rows in blocks: those of fused models, then those of each separate model."""
    plans = _plan_fused(models, rows, conditioners, compute) if compute.fused else []
    separate = set(range(len(rows))) - {index for plan in plans for index in plan.indices}
    by_model: dict[int, list[int]] = {}
    for index, row in sorted(enumerate(rows), key=lambda each: each[1].samplers):
        if index in separate:
            by_model.setdefault(row.model, []).append(index)
    for model, indices in by_model.items():
        stepper = make_stepper(models[model], compute)
        if compute.device != "cpu":
            plans += _plan_on_gpu(stepper, rows, indices)
            continue
        threads = 0
        if has_stepper(models[model], compute.device):
            labels = [rows[index].labels for index in indices]
            threads = _exact_threads(stepper, labels, vocabulary, conditioners, compute.threads)
        plans += _plan_separate(stepper, rows, indices, threads)
    return plans


def _plan_fused(
    models: Sequence[Any], rows: Sequence[Row], conditioners: Sequence[Conditioner], compute: Compute
) -> list[BlockPlan]:
    """Return the rows of models that can be fused, in blocks."""
    plans = []
    for group in generation_groups(models, rows, compute, conditioners):
        for part in group.split(rows):
            indices = sorted(part, key=lambda index: rows[index].samplers)
            stepper = group.stepper([rows[index].model for index in indices], torch.device(compute.device))
            plans.append(BlockPlan(stepper, indices, [rows[i] for i in indices], len(indices), compute.threads))
    return plans


def _plan_on_gpu(stepper: Stepper, rows: Sequence[Row], indices: Sequence[int]) -> list[BlockPlan]:
    """Return the rows of one model on a GPU in as few blocks as possible, without idle rows: bits are not promised."""
    parts = (indices[i : i + MOST_ON_GPU] for i in range(0, len(indices), MOST_ON_GPU))
    return [BlockPlan(stepper, part, [rows[i] for i in part], len(part), 1) for part in parts]


def _plan_separate(stepper: Stepper, rows: Sequence[Row], indices: Sequence[int], threads: int) -> list[BlockPlan]:
    """Return the rows of one model in blocks; ``threads`` is 0 if only blocks of :data:`BLOCK` rows are exact."""
    most = LARGEST_BATCH if threads else BLOCK
    plans = []
    for part in (indices[i : i + most] for i in range(0, len(indices), most)):
        size = len(part) if threads else BLOCK
        plans.append(BlockPlan(stepper, part, [rows[i] for i in part], size, threads or 1))
    return plans


def _exact_threads(
    stepper: Stepper,
    labels: Sequence[Mapping[str, float]],
    vocabulary: int,
    conditioners: Sequence[Conditioner],
    most: int,
) -> int:
    """Return with how many threads, ``most`` or 1, batches of these rows are exact; 0 if with neither."""
    batches = (labels[start : start + LARGEST_BATCH] for start in range(0, len(labels), LARGEST_BATCH))
    by_size = {len(batch): batch for batch in batches}
    for threads in dict.fromkeys((most, 1)):
        if all(batch_size_is_exact(stepper, each, vocabulary, conditioners, threads) for each in by_size.values()):
            return threads
    return 0
