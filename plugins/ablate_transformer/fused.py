"""Transformers of equal shape run as one, in training; :mod:`ablate_transformer.fused_steps` generates.

Attention has no weights, so the heads of all models are treated as heads of one.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

import torch

import ablate
from ablate_transformer.attention import AT_ONCE, attention, joined, rotary_turns, rotated, trimmed
from ablate_transformer.fused_layers import FusedLayers
from ablate_transformer.fused_steps import FusedSteps

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from ablate_transformer.attention import Cache, Turns
    from ablate_transformer.options import TransformerOptions

    Weights = Mapping[str, torch.Tensor]


class FusedTransformer(ablate.FusedModels):
    """Transformers as one, see :class:`ablate.FusedModels`. Each has its own dropout.

    Args:
        options: of each network; equal but for dropout.
        modules: of each network, its conditioners' modules.
        precision: ``"bf16"`` or ``"fp32"``, of the products.
    """

    def __init__(
        self, options: Sequence[TransformerOptions], modules: Iterable[Iterable[torch.nn.Module]], precision: str
    ) -> None:
        self._options = options[0]
        self._layers = FusedLayers(options, modules, precision)

    def __call__(
        self, weights: Weights, tokens: torch.Tensor, conditions: Sequence[torch.Tensor], random: ablate.RandomStreams
    ) -> torch.Tensor:
        """Return logits [models, rows, time, vocabulary]."""
        with self._layers.products(tokens.device):
            embedding_mrte = self._layers.embedded(weights, tokens, conditions, random)
            return self._layers.logits(weights, self._read(weights, embedding_mrte, random))

    def stepper(self, weights: Weights) -> FusedSteps:
        """Return a stepper that generates a token of every row of every model at a time."""
        return FusedSteps(self._layers, weights)

    def _read(self, weights: Weights, embedding_mrte: torch.Tensor, random: ablate.RandomStreams) -> torch.Tensor:
        models, rows, _, width = embedding_mrte.shape
        heads = models * self._options.heads
        empty_artn = embedding_mrte.new_empty((heads, rows, 0, width // self._options.heads))
        caches: list[Cache] = [((empty_artn, empty_artn),) * 2] * self._options.layers
        pieces, position = [], 0
        for piece_mrte in torch.split(embedding_mrte, AT_ONCE, dim=2):
            time_1t = position + torch.arange(piece_mrte.shape[2], device=piece_mrte.device)[None]
            turns = rotary_turns(time_1t, width // self._options.heads)
            hidden_mrte = piece_mrte
            for layer in range(self._options.layers):
                attend = functools.partial(self._attend, caches, layer, turns)
                hidden_mrte = self._layers.layer(weights, layer, hidden_mrte, attend, random)
            pieces.append(hidden_mrte)
            position += piece_mrte.shape[2]
        return torch.cat(pieces, dim=2)

    def _attend(self, caches: list[Cache], layer: int, turns: Turns, spread_mrte: torch.Tensor) -> torch.Tensor:
        """Return the result of attention to the tokens that a layer has read, and add the new ones to its cache."""
        spread_mrt3an = spread_mrte.view(*spread_mrte.shape[:3], 3, self._options.heads, -1)
        query_artn, key_artn, value_artn = spread_mrt3an.permute(3, 0, 4, 1, 2, 5).flatten(1, 2)
        far, near = caches[layer]
        near = joined(near, (rotated(key_artn, turns), value_artn))
        context_artn = attention(rotated(query_artn, turns), far, near, self._options.context)
        caches[layer] = trimmed(far, near, self._options.context)
        context_martn = context_artn.view(len(spread_mrte), -1, *context_artn.shape[1:])
        return context_martn.permute(0, 2, 3, 1, 4).flatten(3)
