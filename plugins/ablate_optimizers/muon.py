"""Muon for matrices between hidden layers, AdamW for all other weights."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

import ablate

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ablate_optimizers.options import MuonOptions


class Muon(ablate.Optimizer):
    """Momentum whose update is orthogonalized by Newton-Schulz iterations (Jordan et al., 2024).

    Its authors use it for matrices between hidden layers only, and AdamW for embeddings, norms, biases and the layer
    that predicts the token. Updates of matrices are scaled to the size of AdamW's (Liu et al., 2025), so that
    ``training.learning_rate`` and ``training.weight_decay`` mean the same as with ``adamw``. Weight decay is decoupled.
    """

    def __init__(self, options: MuonOptions) -> None:
        self._options = options

    def build(self, groups: Sequence[ablate.WeightGroup]) -> list[torch.optim.Optimizer]:
        """Return torch's Muon of the hidden matrices and its AdamW of the other weights, without empty ones."""
        options = self._options
        matrices = [_part(group, 1.0, hidden=True) for group in groups]
        others = [_part(group, options.adamw_rate, hidden=False) for group in groups]
        made: list[torch.optim.Optimizer] = []
        if any(part["params"] for part in matrices):
            made.append(
                torch.optim.Muon(
                    [part for part in matrices if part["params"]],
                    momentum=options.momentum,
                    nesterov=options.nesterov,
                    ns_steps=options.iterations,
                    adjust_lr_fn="match_rms_adamw",
                )
            )
        if any(part["params"] for part in others):
            betas = (options.beta1, options.beta2)
            made.append(torch.optim.AdamW([part for part in others if part["params"]], betas=betas, fused=True))
        return made


def _part(group: ablate.WeightGroup, rate: float, *, hidden: bool) -> dict[str, Any]:
    """Return the hidden matrices of a group, or its other weights, with their own learning rate."""
    pairs = zip(group["params"], group["hidden"], strict=True)
    # torch's Muon takes two dimensions; a hidden weight of more, as of a convolution, is AdamW's
    params = [weight for weight, is_hidden in pairs if (is_hidden and weight.dim() == 2) == hidden]
    return {"params": params, "lr": group["lr"] * rate, "weight_decay": group["weight_decay"]}
