"""A transformer packed for generation on a CPU: one token of every row at a time.

All rows are at the same position, so a step writes each row's key and value into one slot of a cache that was
allocated before: the slots are a ring of ``context`` tokens, whose order attention does not see. Weights lie in the
order that the kernels need, in bfloat16 or float32, as do keys and values; norms, sums and probabilities are float32.

The pairs of a head that rotate together lie side by side here, so that a rotation is one product of complex numbers:
rows of the weights of queries and keys are put in this order once, which leaves their products unchanged. So does the
factor before the softmax, which is part of the weights of the queries.

A row's result does not depend on the number of rows, to the bit: each product has the same shape for every row and
head, and a test compares many numbers of rows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch
from torch.nn import functional

import ablate
from ablate.product import DTYPES
from ablate_transformer.attention import INITIAL_STD, rotary_angles

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from ablate_transformer.options import TransformerOptions

#: Slots are allocated and read in multiples of this number. Every step reads all of them, for torch multiplies what
#: lies in one piece without a copy; so their number follows the number of tokens to attend to.
PORTION = 32


class _Norm(NamedTuple):
    """Scale and shift of a layer norm."""

    scale: torch.Tensor
    shift: torch.Tensor

    def __call__(self, hidden_re: torch.Tensor) -> torch.Tensor:
        return functional.layer_norm(hidden_re, self.scale.shape, self.scale, self.shift)


class _Layer(NamedTuple):
    """The packed weights of a layer."""

    attention_norm: _Norm
    spread: ablate.Product
    gather: ablate.Product
    feedforward_norm: _Norm
    widen: ablate.Product
    narrow: ablate.Product


class _State:
    """The keys and values of the rows of a generation, each [layers, rows, heads, slots, size], and the position."""

    def __init__(self, rows: int, options: TransformerOptions, dtype: torch.dtype) -> None:
        self.position = 0
        shape = (options.layers, rows, options.heads, PORTION, options.embedding // options.heads)
        self.keys, self.values = torch.zeros(shape, dtype=dtype), torch.zeros(shape, dtype=dtype)

    def make_room(self, slot: int) -> None:
        """Add a portion of slots if there is no such slot yet."""
        if slot >= self.keys.shape[3]:
            self.keys, self.values = (functional.pad(each, (0, 0, 0, PORTION)) for each in (self.keys, self.values))


class Packed:
    """The next-token logits of a trained network, one token of every row at a time.

    Args:
        options: of the network.
        weights: of the network by name, on the CPU.
        modules: of the conditioners, in evaluation mode.
        precision: ``"bf16"`` or ``"fp32"``, of the products.
    """

    def __init__(
        self,
        options: TransformerOptions,
        weights: Mapping[str, torch.Tensor],
        modules: Iterable[torch.nn.Module],
        precision: str,
    ) -> None:
        self._options, self._dtype = options, DTYPES[precision]
        self._modules = list(modules)
        self._angle_p = rotary_angles(options.embedding // options.heads).numpy()
        with torch.no_grad():
            weights = {name: weight.detach() for name, weight in weights.items()}
            self._table = INITIAL_STD * weights["embedding.weight"]
            self._layers = [
                _packed_layer(weights, f"layers.{layer}.", options, precision) for layer in range(options.layers)
            ]
            self._norm = _Norm(weights["norm.weight"], weights["norm.bias"])
            self._last = ablate.Product(weights["projection.weight"], weights["projection.bias"], precision)

    def __call__(
        self, tokens: torch.Tensor, conditions: Sequence[torch.Tensor], state: _State | None = None
    ) -> tuple[torch.Tensor, _State]:
        """Return the logits after one more token of each row, and the state, which is changed in place.

        See :class:`ablate.Stepper`.
        """
        options = self._options
        if state is None:
            state = _State(len(tokens), options, self._dtype)
        slot = state.position % options.context
        state.make_room(slot)
        seen = min(state.position + 1, options.context)
        turn_p = torch.from_numpy(np.exp(1j * state.position * self._angle_p).astype(np.complex64))
        hidden_re = self._table.index_select(0, tokens)
        for module, condition_rf in zip(self._modules, conditions, strict=True):
            hidden_re += INITIAL_STD * module(condition_rf[:, None])[:, 0]
        for layer, keys_raks, values_raks in zip(self._layers, state.keys, state.values, strict=True):
            spread_re = layer.spread(layer.attention_norm(hidden_re).to(self._dtype))
            context_re = self._attend(spread_re, turn_p, (keys_raks, values_raks), slot, seen)
            hidden_re += layer.gather(context_re)
            wide_rh = layer.widen(layer.feedforward_norm(hidden_re).to(self._dtype))
            hidden_re += layer.narrow(wide_rh)
        state.position += 1
        return self._last(self._norm(hidden_re).to(self._dtype)).float(), state

    def _attend(
        self,
        spread_re: torch.Tensor,
        turn_p: torch.Tensor,
        cache: tuple[torch.Tensor, torch.Tensor],
        slot: int,
        seen: int,
    ) -> torch.Tensor:
        """Write keys and values into a slot, and return the result of attention to ``seen`` slots, [rows, width]."""
        rows, heads, width = len(spread_re), self._options.heads, self._options.embedding
        keys_raks, values_raks = cache
        turned_r2ap = spread_re[:, : 2 * width].float().view(rows, 2, heads, -1, 2)
        turned_r2as = torch.view_as_real(torch.view_as_complex(turned_r2ap) * turn_p).flatten(3)
        keys_raks[:, :, slot].copy_(turned_r2as[:, 1])
        values_raks[:, :, slot].copy_(spread_re[:, 2 * width :].view(rows, heads, -1))
        query_n1s = turned_r2as[:, 0].to(self._dtype).reshape(rows * heads, 1, -1)
        scores_n1k = query_n1s @ keys_raks.flatten(0, 1).mT
        scores_n1k[:, :, seen:] = float("-inf")
        weights_n1k = scores_n1k.softmax(-1)
        return (weights_n1k @ values_raks.flatten(0, 1)).view(rows, width)


def _packed_layer(
    weights: Mapping[str, torch.Tensor], name: str, options: TransformerOptions, precision: str
) -> _Layer:
    def both(kind: str) -> tuple[torch.Tensor, torch.Tensor]:
        return weights[f"{name}{kind}.weight"], weights[f"{name}{kind}.bias"]

    spread_weight, spread_bias = (_pairs_together(values, options.heads) for values in both("spread"))
    return _Layer(
        _Norm(*both("attention_norm")),
        ablate.Product(spread_weight, spread_bias, precision),
        ablate.Product(*both("gather"), precision),
        _Norm(*both("feedforward_norm")),
        ablate.Product(*both("widen"), precision, "gelu"),
        ablate.Product(*both("narrow"), precision),
    )


def _pairs_together(values: torch.Tensor, heads: int) -> torch.Tensor:
    """Return weights or biases of queries, keys and values, [3 * width, ...], as this module needs them.

    In each head of queries and keys, every number is followed by the one size / 2 after it; queries are scaled.
    """
    query, key, value = values.chunk(3)

    def paired(part: torch.Tensor) -> torch.Tensor:
        return part.reshape(heads, 2, -1, *part.shape[1:]).transpose(1, 2).reshape(part.shape)

    size = len(query) // heads
    return torch.cat([paired(query) * size**-0.5, paired(key), value])
