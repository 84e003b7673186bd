"""The equations of transformers of equal shape: every product covers all of them, [models, ...].

They are those of :mod:`ablate_transformer.network`, with random numbers drawn in the same order; a test compares both.
Attention is left to the caller: training attends to the tokens of its windows, generation to a cache.
"""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING

import torch
from torch.nn import functional

import ablate
from ablate.product import DTYPES
from ablate_transformer.attention import INITIAL_STD

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from contextlib import AbstractContextManager

    from ablate_transformer.options import TransformerOptions

    Weights = Mapping[str, torch.Tensor]
    #: Returns the result of attention, [models, rows, time, width], to tokens whose queries, keys and values are given,
    #: [models, rows, time, 3 * width].
    Attend = Callable[[torch.Tensor], torch.Tensor]


class FusedLayers:
    """The parts of transformers of equal shape; each has its own dropout.

    Args:
        options: of each network; equal but for dropout.
        modules: of each network, its conditioners' modules.
        precision: ``"bf16"`` or ``"fp32"``, of the products.

    Attributes:
        options: of the first network.
        dtype: of the products.
    """

    def __init__(
        self, options: Sequence[TransformerOptions], modules: Iterable[Iterable[torch.nn.Module]], precision: str
    ) -> None:
        self.options, self.dtype = options[0], DTYPES[precision]
        self._modules = list(zip(*modules, strict=True))
        self._dropouts = [each.dropout for each in options]

    def products(self, device: torch.device) -> AbstractContextManager[None]:
        """Return a context in which products are in the precision of these networks."""
        if self.dtype == torch.float32:
            return nullcontext()
        # a cache of cast weights would outlive a recording of the step
        return torch.autocast(device.type, self.dtype, cache_enabled=False)

    def embedded(
        self, weights: Weights, tokens: torch.Tensor, conditions: Sequence[torch.Tensor], random: ablate.RandomStreams
    ) -> torch.Tensor:
        """Return the input of the first layer, [models, rows, time, width]."""
        embedding_mrte = ablate.embed_each(weights["embedding.weight"], tokens)
        for index, (modules, condition_mrtf) in enumerate(zip(self._modules, conditions, strict=True)):
            condition_mrte = ablate.apply_each(modules, weights, f"conditioners.{index}.", condition_mrtf)
            embedding_mrte = embedding_mrte + condition_mrte
        return random.dropout(INITIAL_STD * embedding_mrte, self._dropouts)

    def layer(
        self, weights: Weights, layer: int, hidden_mrte: torch.Tensor, attend: Attend, random: ablate.RandomStreams
    ) -> torch.Tensor:
        """Return the output of a layer, [models, rows, time, width] as its input."""
        name = f"layers.{layer}."
        normed_mrte = _normed(weights, f"{name}attention_norm", hidden_mrte)
        context_mrte = attend(_linear(weights, f"{name}spread", normed_mrte))
        gathered_mrte = _linear(weights, f"{name}gather", context_mrte)
        hidden_mrte = hidden_mrte + random.dropout(gathered_mrte, self._dropouts)
        normed_mrte = _normed(weights, f"{name}feedforward_norm", hidden_mrte)
        narrow_mrte = _linear(weights, f"{name}narrow", functional.gelu(_linear(weights, f"{name}widen", normed_mrte)))
        return hidden_mrte + random.dropout(narrow_mrte, self._dropouts)

    def logits(self, weights: Weights, hidden_mrte: torch.Tensor) -> torch.Tensor:
        """Return logits [models, rows, time, vocabulary] from the output of the last layer."""
        return _linear(weights, "projection", _normed(weights, "norm", hidden_mrte))


def _linear(weights: Weights, name: str, values_mrti: torch.Tensor) -> torch.Tensor:
    """Apply the linear layer of that name of every model, giving [models, rows, time, out]."""
    weight_mei, bias_m1e = weights[f"{name}.weight"], weights[f"{name}.bias"][:, None]
    return torch.baddbmm(bias_m1e, values_mrti.flatten(1, 2), weight_mei.mT).view(*values_mrti.shape[:3], -1)


def _normed(weights: Weights, name: str, values_mrte: torch.Tensor) -> torch.Tensor:
    """Apply the layer norm of that name of every model."""
    scale_m11e, shift_m11e = (weights[f"{name}.{kind}"][:, None, None] for kind in ("weight", "bias"))
    return functional.layer_norm(values_mrte, values_mrte.shape[-1:]) * scale_m11e + shift_m11e
