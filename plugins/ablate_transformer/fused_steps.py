"""The steps of a generation with fused transformers: one token of every row of every model at a time.

All rows are at the same position. Each layer keeps the keys and values of ``context`` tokens in slots that are a ring,
whose order attention does not see: the new token replaces the one that no later token attends to. The position is a
tensor, so that a recorded step of a GPU finds the next slot.

Tensor suffixes beside those of ablate: l layers, a heads, k slots, n numbers in a head, b heads of all rows and models.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

import torch

from ablate.fusion import NoRandomness
from ablate_transformer.attention import rotary_turns, rotated

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ablate_transformer.attention import Part, Turns
    from ablate_transformer.fused_layers import FusedLayers

    State = tuple[torch.Tensor, torch.Tensor, torch.Tensor]

#: The linear layers of a network; the products with their weights are in the precision of generation.
_LINEAR = ("spread", "gather", "widen", "narrow", "projection")


class FusedSteps:
    """The steps of a generation, see :class:`ablate.FusedStepper`; weights are cast once.

    The state, which is changed in place, is the number of tokens so far, int64 [1], and the keys and values of all
    slots, [layers, models, rows, heads, context, size] both.

    Args:
        layers: of the fused models.
        weights: all parameters by their names in a single network, float32 [models, ...].
    """

    @torch.no_grad()
    def __init__(self, layers: FusedLayers, weights: Mapping[str, torch.Tensor]) -> None:
        self._layers = layers
        self._weights = {
            name: weight.to(layers.dtype) if _is_linear(name) else weight for name, weight in weights.items()
        }
        device = weights["embedding.weight"].device
        self._slot_k = torch.arange(layers.options.context, device=device)
        self._random = NoRandomness(device)

    def __call__(
        self, tokens: torch.Tensor, conditions: Sequence[torch.Tensor], state: Any = None
    ) -> tuple[torch.Tensor, State]:
        """Return logits, float32 [models, rows, vocabulary], and the state."""
        layers, weights, random = self._layers, self._weights, self._random
        if state is None:
            state = self._empty_state(tokens)
        position_1, keys_lmrakn, values_lmrakn = state
        options = layers.options
        turns = rotary_turns(position_1[None], options.embedding // options.heads)
        with layers.products(tokens.device):
            conditions_mrtf = [condition_mrf[:, :, None] for condition_mrf in conditions]
            hidden_mrte = layers.embedded(weights, tokens[..., None], conditions_mrtf, random)
            for layer in range(options.layers):
                slots = keys_lmrakn[layer], values_lmrakn[layer]
                attend = functools.partial(self._attend, slots, position_1, turns)
                hidden_mrte = layers.layer(weights, layer, hidden_mrte, attend, random)
            logits_mrv = layers.logits(weights, hidden_mrte)[:, :, 0].float()
        position_1.add_(1)
        return logits_mrv, state

    def _empty_state(self, tokens_mr: torch.Tensor) -> State:
        options = self._layers.options
        shape = (options.layers, *tokens_mr.shape, options.heads, options.context, options.embedding // options.heads)
        # zeros, because an empty slot counts with a weight of 0, which only a number leaves at 0
        keys_lmrakn, values_lmrakn = (
            torch.zeros(shape, dtype=self._layers.dtype, device=tokens_mr.device) for _ in range(2)
        )
        return torch.zeros(1, dtype=torch.int64, device=tokens_mr.device), keys_lmrakn, values_lmrakn

    def _attend(self, slots: Part, position_1: torch.Tensor, turns: Turns, spread_mrte: torch.Tensor) -> torch.Tensor:
        """Write the new token's keys and values into their slot, and return the result of attention to all slots."""
        options = self._layers.options
        query_mran, key_mran, value_mran = spread_mrte.view(*spread_mrte.shape[:2], 3, options.heads, -1).unbind(2)
        slot_1 = position_1 % options.context
        for slots_mrakn, new_mran in zip(slots, (rotated(key_mran, turns), value_mran), strict=True):
            slots_mrakn.index_copy_(3, slot_1, new_mran[..., None, :].to(slots_mrakn.dtype))
        keys_bkn, values_bkn = (each.flatten(0, 2) for each in slots)
        query_b1n = (rotated(query_mran, turns) * query_mran.shape[-1] ** -0.5).flatten(0, 2)[:, None]
        hidden_k = query_b1n.new_zeros(options.context).masked_fill(self._slot_k > position_1, float("-inf"))
        weights_b1k = torch.baddbmm(hidden_k, query_b1n, keys_bkn.mT).softmax(-1)
        return torch.bmm(weights_b1k, values_bkn).view(*spread_mrte.shape[:3], -1)


def _is_linear(name: str) -> bool:
    """Check whether a parameter is one of a linear layer of the network itself, not of a conditioner's module."""
    return not name.startswith("conditioners.") and name.split(".")[-2] in _LINEAR
