"""Transformers of equal shape as one: every product goes over all of them, [members, ...].

Attention knows no weights, so there the heads of all members are simply that many heads. The equations are those of
:mod:`ablate_transformer.network`, in the same order of draws; a test compares both.
"""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING

import torch
from torch.nn import functional

import ablate
from ablate_transformer.network import AT_ONCE, INITIAL_STD, attention, joined, kept, rotary_turns, turned

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ablate_transformer.network import Cache, Transformer, Turns

    Weights = Mapping[str, torch.Tensor]


class StackedTransformer:
    """See :class:`ablate.Stacked`. Dropout is each member's own.

    Args:
        models: networks of equal shape and numbers of heads, which look back equally far.
        precision: ``"bf16"`` or ``"fp32"``, of the products.
    """

    def __init__(self, models: Sequence[Transformer], precision: str) -> None:
        self._options = models[0].options
        self._modules = list(zip(*(model.conditioners for model in models), strict=True))
        self._bf16 = precision == "bf16"
        self._dropped = [model.options.dropout for model in models]

    def __call__(
        self, weights: Weights, tokens: torch.Tensor, conditions: Sequence[torch.Tensor], draws: ablate.Draws
    ) -> torch.Tensor:
        """Logits [members, rows, time, vocabulary]."""
        # a cache of cast weights would outlive a recording of the step
        cast = torch.autocast(tokens.device.type, torch.bfloat16, cache_enabled=False) if self._bf16 else nullcontext()
        with cast:
            embedded_vrte = ablate.each_embedding(weights["embedding.weight"], tokens)
            for index, (modules, condition_vrtf) in enumerate(zip(self._modules, conditions, strict=True)):
                told_vrte = ablate.each_member(modules, weights, f"conditioners.{index}.", condition_vrtf)
                embedded_vrte = embedded_vrte + told_vrte
            embedded_vrte = draws.dropout(INITIAL_STD * embedded_vrte, self._dropped)
            read_vrte = self._read(weights, embedded_vrte, draws)
            return _linear(weights, "projection", _normed(weights, "norm", read_vrte))

    def _read(self, weights: Weights, embedded_vrte: torch.Tensor, draws: ablate.Draws) -> torch.Tensor:
        members, rows, _, width = embedded_vrte.shape
        heads = members * self._options.heads
        nothing_hrks = embedded_vrte.new_empty((heads, rows, 0, width // self._options.heads))
        caches: list[Cache] = [((nothing_hrks, nothing_hrks),) * 2] * self._options.layers
        pieces, position = [], 0
        for piece_vrte in torch.split(embedded_vrte, AT_ONCE, dim=2):
            time_1t = position + torch.arange(piece_vrte.shape[2], device=piece_vrte.device)[None]
            turns = rotary_turns(time_1t, width // self._options.heads)
            hidden_vrte = piece_vrte
            for layer in range(self._options.layers):
                hidden_vrte, caches[layer] = self._layer(weights, layer, hidden_vrte, turns, caches[layer], draws)
            pieces.append(hidden_vrte)
            position += piece_vrte.shape[2]
        return torch.cat(pieces, dim=2)

    def _layer(
        self,
        weights: Weights,
        layer: int,
        hidden_vrte: torch.Tensor,
        turns: Turns,
        cache: Cache,
        draws: ablate.Draws,
    ) -> tuple[torch.Tensor, Cache]:
        name = f"layers.{layer}."
        normed_vrte = _normed(weights, f"{name}attention_norm", hidden_vrte)
        spread_vrte = _linear(weights, f"{name}spread", normed_vrte)
        spread_vrt3hs = spread_vrte.view(*spread_vrte.shape[:3], 3, self._options.heads, -1)
        query_hrts, key_hrts, value_hrts = spread_vrt3hs.permute(3, 0, 4, 1, 2, 5).flatten(1, 2)
        far, near = cache
        near = joined(near, (turned(key_hrts, turns), value_hrts))
        attended_hrts = attention(turned(query_hrts, turns), far, near, self._options.context)
        attended_vhrts = attended_hrts.view(len(hidden_vrte), -1, *attended_hrts.shape[1:])
        attended_vrte = attended_vhrts.permute(0, 2, 3, 1, 4).flatten(3)
        gathered_vrte = _linear(weights, f"{name}gather", attended_vrte)
        hidden_vrte = hidden_vrte + draws.dropout(gathered_vrte, self._dropped)
        normed_vrte = _normed(weights, f"{name}feedforward_norm", hidden_vrte)
        narrow_vrte = _linear(weights, f"{name}narrow", functional.gelu(_linear(weights, f"{name}widen", normed_vrte)))
        return hidden_vrte + draws.dropout(narrow_vrte, self._dropped), kept(far, near, self._options.context)


def _linear(weights: Weights, name: str, values_vrti: torch.Tensor) -> torch.Tensor:
    """The linear layer of that name of every member, [members, rows, time, out]."""
    weight_voi, bias_v1o = weights[f"{name}.weight"], weights[f"{name}.bias"][:, None]
    return torch.baddbmm(bias_v1o, values_vrti.flatten(1, 2), weight_voi.mT).view(*values_vrti.shape[:3], -1)


def _normed(weights: Weights, name: str, values_vrte: torch.Tensor) -> torch.Tensor:
    """The layer norm of that name of every member."""
    scale_v11e, shift_v11e = (weights[f"{name}.{kind}"][:, None, None] for kind in ("weight", "bias"))
    return functional.layer_norm(values_vrte, values_vrte.shape[-1:]) * scale_v11e + shift_v11e
