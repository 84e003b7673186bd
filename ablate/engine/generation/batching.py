"""Steppers, and how many rows may share a step on a CPU.

A matrix product may round differently for another number of rows, but a row's tokens must not depend on the rows with
which it is batched. So generation is defined by its result in a batch of exactly :data:`BLOCK` rows, idle rows among
them. This works on a CPU, where a row's result does not depend on its position in a product of fixed shape (a test
asserts it for the models of this distribution). Other batch sizes or thread counts are used only after a self-test of
the model's own stepper has confirmed bit-identical results; then no row is idle, and more rows share a step.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from ablate.engine.conditions import trial_conditions
from ablate.engine.devices import torch_threads
from ablate.interfaces import Steppable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ablate.engine.devices import Compute
    from ablate.interfaces import Conditioner, Stepper

#: Rows of a batch whose size matters. Larger batches use a step better, smaller ones waste less on idle rows.
BLOCK = 32
#: The most rows of a batch whose size does not matter; beyond, the time of a step grows linearly.
LARGEST_BATCH = 128
#: Tokens of each row in the self-test.
TRIAL_TOKENS = 2


def has_stepper(model: Any, device: str) -> bool:
    """Check whether the model has its own stepper for that device."""
    return device == "cpu" and isinstance(model, Steppable)


def make_stepper(model: Any, compute: Compute) -> Stepper:
    """Return the model's own stepper, if it has one for this device, or one that calls ``forward`` in float32.

    Args:
        model: a ``LanguageModel`` on the device and in evaluation mode.
        compute: the device and the precision.
    """
    if has_stepper(model, compute.device):
        stepper: Stepper = model.stepper(compute.precision)
        return stepper

    def step(tokens: torch.Tensor, conditions: Sequence[torch.Tensor], state: Any = None) -> tuple[torch.Tensor, Any]:
        logits_rtv, state = model(tokens[:, None], [values_rf[:, None] for values_rf in conditions], state)
        return logits_rtv[:, -1].float(), state

    return step


@torch.inference_mode()
def batch_size_is_exact(
    stepper: Stepper,
    labels: Sequence[Mapping[str, float]],
    vocabulary: int,
    conditioners: Sequence[Conditioner],
    threads: int = 1,
) -> bool:
    """Check that each of these rows gets the same logits, bit for bit, as in a batch of :data:`BLOCK` rows.

    Args:
        stepper: called with random tokens.
        labels: of each row of the batch.
        vocabulary: number of token ids.
        conditioners: of the network; they are asked for the numbers of these rows.
        threads: torch's number of threads for the batch; the block that defines the result is computed with one.
    """
    generator = torch.Generator().manual_seed(0)
    rows = len(labels)
    padded = -(-rows // BLOCK) * BLOCK
    tokens_rt = torch.randint(vocabulary, (padded, TRIAL_TOKENS), generator=generator)
    padded_labels = [*labels, *[labels[0]] * (padded - rows)]
    conditions_rtf = [
        torch.from_numpy(values_rtf).float()
        for values_rtf in trial_conditions(conditioners, padded_labels, TRIAL_TOKENS)
    ]

    def logits(part: slice) -> torch.Tensor:
        state, steps = None, []
        for t in range(TRIAL_TOKENS):
            logits_rv, state = stepper(tokens_rt[part, t], [values[part, t] for values in conditions_rtf], state)
            steps.append(logits_rv)
        return torch.stack(steps)

    with torch_threads(1):
        in_blocks_trv = torch.cat([logits(slice(start, start + BLOCK)) for start in range(0, padded, BLOCK)], dim=1)
    with torch_threads(threads):
        return logits(slice(rows)).equal(in_blocks_trv[:, :rows])
