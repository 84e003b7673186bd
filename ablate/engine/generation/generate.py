"""Generate samples: rows of several variants share each step of the network.

Each row has its own stream of uniform numbers, drawn ahead. On a CPU its tokens do not depend, bit for bit, on the rows
with which it is batched: see :mod:`ablate.engine.generation.batching`. On a GPU the rows of all models that can be
fused share steps (:mod:`ablate.engine.fusion.generation`), and products of other sizes may round differently; the same
rows of the same models always give the same tokens, unless the memory is too small for them at one time.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import torch

from ablate.engine.devices import Compute, on_device, torch_threads
from ablate.engine.generation.block import Block
from ablate.engine.generation.plans import Planner
from ablate.engine.memory import is_out_of_memory, release_memory

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ablate.arrays import IntArray
    from ablate.engine.generation.block import BlockPlan
    from ablate.engine.generation.row import Row
    from ablate.interfaces import Conditioner, Tokenizer

_CPU = Compute()
#: Steps between progress updates.
PROGRESS_EVERY = 100


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
        StageError: a GPU's memory is too small for a single row.
    """
    results: dict[int, IntArray] = {}
    planner = Planner(models, rows, len(tokenizer.vocabulary), conditioners, compute)
    with on_device(compute.device):  # a fused stepper computes already when it is made
        plans = planner.blocks()
    generation = _Generation(tokenizer, conditioners, compute, on_progress, should_stop)
    done = 0
    while plans:
        plan = plans.pop(0)  # out of the list, because its stepper may hold the weights of a fused group
        try:
            new_tokens = generation.run(plan, done, done + plan.steps + sum(later.steps for later in plans))
        except RuntimeError as error:
            is_exact = compute.device == "cpu" and not plan.fused  # a smaller block may have other bits
            if is_exact or not is_out_of_memory(error):
                raise
        else:
            if new_tokens is None:
                return None
            results.update(zip(plan.indices, new_tokens, strict=True))
            done += plan.steps
            continue
        # only now is the block gone, which the error kept alive
        release_memory(compute.device)
        plans[:0] = planner.smaller(plan)
    return [results[index] for index in range(len(rows))]


@dataclasses.dataclass(frozen=True)
class _Generation:
    """The arguments of one call of :func:`generate` that concern every block."""

    tokenizer: Tokenizer
    conditioners: Sequence[Conditioner]
    compute: Compute
    on_progress: Callable[[int, int], None]
    should_stop: Callable[[], bool]

    def run(self, plan: BlockPlan, done: int, total: int) -> list[IntArray] | None:
        """Return the new tokens of each row of a block, or None if stopped.

        Args:
            plan: the block.
            done: steps of the blocks before.
            total: steps of the whole generation.
        """
        device = self.compute.device
        with torch.inference_mode(), on_device(device), torch_threads(plan.threads):
            block = Block(plan, self.tokenizer, self.conditioners, device)
            for step in range(plan.steps):
                if self.should_stop():
                    return None
                block.advance(step)
                reached = done + step + 1
                if reached % PROGRESS_EVERY == 0 or reached == total:
                    block.check()
                    self.on_progress(reached, total)
            block.check()
            return block.new_tokens()
