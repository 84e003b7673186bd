"""How a network reads one token of every row, and how many rows may step together.

A matrix product may round differently for another number of rows. A row's tokens must not depend on which rows it was
batched with, so what counts is its result in a block of exactly :data:`BLOCK` rows, idle ones among them; this holds on
a CPU, where a row's result does not depend on its place in a product of fixed shape (a test asserts it for our models).
Where a model's own stepper gives those very bits for another number of rows, or with several threads, and that is tried
out here for the numbers at hand, no row has to be idle and more of them can share a step.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from ablate.engine.devices import torch_threads
from ablate.interfaces import Steppable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ablate.engine.devices import Compute
    from ablate.interfaces import Stepper

#: Rows that step together where the number of rows matters. More share a step better, fewer waste less on idle rows.
BLOCK = 32
#: Rows that step together at most where it does not; beyond, a step takes longer by as much as there are more rows.
LARGEST = 128
#: Tokens of each row that a stepper is tried with.
TRIED = 2


def has_stepper(model: Any, device: str) -> bool:
    """Whether the model has a stepper of its own for that device."""
    return device == "cpu" and isinstance(model, Steppable)


def make_stepper(model: Any, compute: Compute) -> Stepper:
    """The model's own stepper, if it has one for this device, or one that calls the model as it is, in float32.

    Args:
        model: a ``LanguageModel`` on the device and in evaluation mode.
        compute: the device and the precision.
    """
    if has_stepper(model, compute.device):
        stepper: Stepper = model.stepper(compute.precision)
        return stepper

    def step(tokens: torch.Tensor, conditions: Sequence[torch.Tensor], state: Any = None) -> tuple[torch.Tensor, Any]:
        logits_rtv, state = model(tokens[:, None], [condition[:, None] for condition in conditions], state)
        return logits_rtv[:, -1].float(), state

    return step


@torch.inference_mode()
def rows_may_vary(stepper: Stepper, rows: int, vocabulary: int, widths: Sequence[int], threads: int = 1) -> bool:
    """Whether each of so many rows gets the logits, to the bit, that it gets in a block of :data:`BLOCK` rows.

    Args:
        stepper: tried with random tokens.
        rows: how many there are.
        vocabulary: number of token ids.
        widths: of each conditioner.
        threads: that torch has for the rows; the block that counts is computed by one.
    """
    generator = torch.Generator().manual_seed(0)
    whole = -(-rows // BLOCK) * BLOCK
    tokens_rt = torch.randint(vocabulary, (whole, TRIED), generator=generator)
    conditions_rtf = [torch.randn(whole, TRIED, each, generator=generator) for each in widths]

    def logits(some: slice) -> torch.Tensor:
        state, seen = None, []
        for t in range(TRIED):
            logits_rv, state = stepper(tokens_rt[some, t], [values[some, t] for values in conditions_rtf], state)
            seen.append(logits_rv)
        return torch.stack(seen)

    with torch_threads(1):
        apart = torch.cat([logits(slice(start, start + BLOCK)) for start in range(0, whole, BLOCK)], dim=1)
    with torch_threads(threads):
        return logits(slice(rows)).equal(apart[:, :rows])
