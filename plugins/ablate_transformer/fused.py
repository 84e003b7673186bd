"""Transformers of equal shape run as one: every product covers all of them, [models, ...].

Attention has no weights, so the heads of all models are treated as heads of one. The equations are those of
:mod:`ablate_transformer.network`, with random numbers drawn in the same order; a test compares both.
"""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING

import torch
from torch.nn import functional

import ablate
from ablate_transformer.attention import AT_ONCE, INITIAL_STD, attention, joined, rotary_turns, rotated, trimmed

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
        self._modules = list(zip(*modules, strict=True))
        self._bf16 = precision == "bf16"
        self._dropouts = [each.dropout for each in options]

    def __call__(
        self, weights: Weights, tokens: torch.Tensor, conditions: Sequence[torch.Tensor], random: ablate.RandomStreams
    ) -> torch.Tensor:
        """Return logits [models, rows, time, vocabulary]."""
        # a cache of cast weights would outlive a recording of the step
        cast = torch.autocast(tokens.device.type, torch.bfloat16, cache_enabled=False) if self._bf16 else nullcontext()
        with cast:
            embedding_mrte = ablate.embed_each(weights["embedding.weight"], tokens)
            for index, (modules, condition_mrtf) in enumerate(zip(self._modules, conditions, strict=True)):
                condition_mrte = ablate.apply_each(modules, weights, f"conditioners.{index}.", condition_mrtf)
                embedding_mrte = embedding_mrte + condition_mrte
            embedding_mrte = random.dropout(INITIAL_STD * embedding_mrte, self._dropouts)
            hidden_mrte = self._read(weights, embedding_mrte, random)
            return _linear(weights, "projection", _normed(weights, "norm", hidden_mrte))

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
                hidden_mrte, caches[layer] = self._layer(weights, layer, hidden_mrte, turns, caches[layer], random)
            pieces.append(hidden_mrte)
            position += piece_mrte.shape[2]
        return torch.cat(pieces, dim=2)

    def _layer(
        self,
        weights: Weights,
        layer: int,
        hidden_mrte: torch.Tensor,
        turns: Turns,
        cache: Cache,
        random: ablate.RandomStreams,
    ) -> tuple[torch.Tensor, Cache]:
        name = f"layers.{layer}."
        normed_mrte = _normed(weights, f"{name}attention_norm", hidden_mrte)
        spread_mrte = _linear(weights, f"{name}spread", normed_mrte)
        spread_mrt3an = spread_mrte.view(*spread_mrte.shape[:3], 3, self._options.heads, -1)
        query_artn, key_artn, value_artn = spread_mrt3an.permute(3, 0, 4, 1, 2, 5).flatten(1, 2)
        far, near = cache
        near = joined(near, (rotated(key_artn, turns), value_artn))
        context_artn = attention(rotated(query_artn, turns), far, near, self._options.context)
        context_martn = context_artn.view(len(hidden_mrte), -1, *context_artn.shape[1:])
        context_mrte = context_martn.permute(0, 2, 3, 1, 4).flatten(3)
        gathered_mrte = _linear(weights, f"{name}gather", context_mrte)
        hidden_mrte = hidden_mrte + random.dropout(gathered_mrte, self._dropouts)
        normed_mrte = _normed(weights, f"{name}feedforward_norm", hidden_mrte)
        narrow_mrte = _linear(weights, f"{name}narrow", functional.gelu(_linear(weights, f"{name}widen", normed_mrte)))
        return hidden_mrte + random.dropout(narrow_mrte, self._dropouts), trimmed(far, near, self._options.context)


def _linear(weights: Weights, name: str, values_mrti: torch.Tensor) -> torch.Tensor:
    """Apply the linear layer of that name of every model, giving [models, rows, time, out]."""
    weight_mei, bias_m1e = weights[f"{name}.weight"], weights[f"{name}.bias"][:, None]
    return torch.baddbmm(bias_m1e, values_mrti.flatten(1, 2), weight_mei.mT).view(*values_mrti.shape[:3], -1)


def _normed(weights: Weights, name: str, values_mrte: torch.Tensor) -> torch.Tensor:
    """Apply the layer norm of that name of every model."""
    scale_m11e, shift_m11e = (weights[f"{name}.{kind}"][:, None, None] for kind in ("weight", "bias"))
    return functional.layer_norm(values_mrte, values_mrte.shape[-1:]) * scale_m11e + shift_m11e
