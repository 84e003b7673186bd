"""Recurrent networks packed for generation on a CPU: one token of every row at a time.

Three things make a step fast. The first layer's input is a row of a table over the vocabulary, computed once
(embedding times input weights plus biases, exact algebra). An upper layer's input and recurrent weights are one matrix,
so a layer is one product; its weights lie in the order that the product's kernel needs, in bfloat16 or float32. And
everything that is not a product is NumPy on the same memory, whose calls cost a third of torch's and whose ``tanh`` is
several times as fast: every logistic function is written as ``(tanh(x / 2) + 1) / 2``. The halves are powers of two, so
they move into weights and states without any rounding; *doubled* marks a quantity that is stored at twice its value.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch

import ablate
from ablate.product import DTYPES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from ablate.arrays import Array
    from ablate_recurrent.options import RecurrentOptions


class Sums(NamedTuple):
    """The result of a layer's product, float32, [rows, blocks * hidden] as a whole; the others are views into it.

    Attributes:
        whole: the whole result.
        gates: the blocks at the front that go through a logistic function.
        blocks: one by one, [rows, hidden] each.
    """

    whole: Array
    gates: Array
    blocks: tuple[Array, ...]


class State:
    """The state of the rows of a generation, and the buffers of a step; torch and NumPy share the memory.

    The hidden states of all layers stand side by side, so that an upper layer's product reads the state below and its
    own in one piece. Views are created once, because creating them at every step takes as long as the arithmetic of a
    few rows.
    """

    def __init__(self, rows: int, layers: int, hidden: int, cell: Cell, dtype: torch.dtype) -> None:
        hidden_rn = torch.zeros(rows, layers * hidden, dtype=dtype)
        self.hidden = [hidden_rn[:, i * hidden : (i + 1) * hidden] for i in range(layers)]
        self.pairs = [hidden_rn[:, i * hidden : (i + 2) * hidden] for i in range(layers - 1)]
        self.memories = list(np.zeros((layers, rows, hidden), np.float32))
        self.sums, self.fresh = torch.zeros(rows, cell.blocks * hidden), torch.zeros(rows, hidden)
        whole: Array = self.sums.numpy()
        blocks = tuple(whole[:, i * hidden : (i + 1) * hidden] for i in range(cell.blocks))
        self.sums_np, self.fresh_np = Sums(whole, whole[:, : cell.gates * hidden], blocks), self.fresh.numpy()
        self.conditions: list[torch.Tensor] = []
        self.condition_sums: torch.Tensor | None = None


@dataclasses.dataclass(frozen=True)
class Cell:
    """The computation of one kind of layer.

    Attributes:
        blocks: number of vectors of ``hidden`` numbers in the result of a layer's product.
        gates: number of blocks, at the front, that go through a logistic function.
        double: the factor by which the hidden state is stored.
        pack: from weights or biases as torch has them, [gates * hidden, ...], of the input and of the state, to those
            of the product: [blocks * hidden, ...] both.
        update: from the sums and the memory of the step before, [rows, hidden], to the new memory and the new hidden
            state, [rows, hidden], both in place; the sums are overwritten.
    """

    blocks: int
    gates: int
    double: float
    pack: Callable[[torch.Tensor, torch.Tensor], tuple[torch.Tensor, torch.Tensor]]
    update: Callable[[Sums, Array, Array], None]


def _pack_lstm(input_weight: torch.Tensor, state_weight: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Reorder input, forget, candidate, output to input, forget, output (halved), candidate."""

    def ordered(weight: torch.Tensor) -> torch.Tensor:
        input_gate, forget_gate, candidate, output_gate = weight.chunk(4)
        return torch.cat([input_gate / 2, forget_gate / 2, output_gate / 2, candidate])

    return ordered(input_weight), ordered(state_weight)


def _update_lstm(sums: Sums, memory: Array, fresh: Array) -> None:
    np.tanh(sums.whole, out=sums.whole)
    np.add(sums.gates, 1, out=sums.gates)
    input_gate, forget_gate, output_gate, candidate = sums.blocks
    np.multiply(memory, forget_gate, out=memory)
    np.multiply(input_gate, candidate, out=input_gate)
    np.add(memory, input_gate, out=memory)
    np.multiply(memory, 0.5, out=memory)
    np.tanh(memory, out=fresh)
    np.multiply(fresh, output_gate, out=fresh)


def _pack_gru(input_weight: torch.Tensor, state_weight: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Reorder reset, update, candidate to reset, update (halved), candidate of the input and of the state (halved)."""

    def split(weight: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        reset, update, candidate = weight.chunk(3)
        return reset / 2, update / 2, candidate

    input_parts, state_parts = split(input_weight), split(state_weight)
    input_zeros, state_zeros = torch.zeros_like(input_parts[2]), torch.zeros_like(state_parts[2])
    return torch.cat([*input_parts, input_zeros]), torch.cat([*state_parts[:2], state_zeros, state_parts[2] / 2])


def _update_gru(sums: Sums, hidden: Array, fresh: Array) -> None:
    np.tanh(sums.gates, out=sums.gates)
    np.add(sums.gates, 1, out=sums.gates)
    reset, update, candidate, state_term = sums.blocks
    np.multiply(state_term, reset, out=state_term)
    np.add(candidate, state_term, out=candidate)
    np.tanh(candidate, out=candidate)
    np.subtract(hidden, candidate, out=hidden)
    np.multiply(hidden, update, out=hidden)
    np.multiply(hidden, 0.5, out=hidden)
    np.add(hidden, candidate, out=hidden)
    np.copyto(fresh, hidden)


_CELLS = {"lstm": Cell(4, 3, 2.0, _pack_lstm, _update_lstm), "gru": Cell(4, 2, 1.0, _pack_gru, _update_gru)}


class Packed:
    """The next-token logits of a trained network, one token of every row at a time.

    Args:
        cell: of the layers, ``"lstm"`` or ``"gru"``.
        options: of the network.
        weights: of the network by name, on the CPU.
        modules: of the conditioners, in evaluation mode.
        precision: ``"bf16"`` or ``"fp32"``, of the products; everything else is float32.
    """

    def __init__(
        self,
        cell: str,
        options: RecurrentOptions,
        weights: Mapping[str, torch.Tensor],
        modules: Iterable[torch.nn.Module],
        precision: str,
    ) -> None:
        self._cell, self._dtype = _CELLS[cell], DTYPES[precision]
        self._layers, self._hidden = options.layers, options.hidden
        self._modules = list(modules)
        with torch.no_grad():
            layers = [self._pack_layer(weights, cell, layer) for layer in range(options.layers)]
            input_weight, state_weight, bias = layers[0]
            self._table = (weights["embedding.weight"] @ input_weight.T + bias).numpy()
            self._first = ablate.Product(state_weight, None, precision)
            self._conditions = ablate.Product(input_weight, None, precision) if self._modules else None
            self._upper = [
                ablate.Product(torch.cat([x / self._cell.double, h], 1), b, precision) for x, h, b in layers[1:]
            ]
            projection = weights["projection.weight"] / self._cell.double
            self._last = ablate.Product(projection, weights["projection.bias"], precision)

    def _pack_layer(
        self, weights: Mapping[str, torch.Tensor], cell: str, layer: int
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Return the weights of a layer's input and of its (doubled) state, and its biases."""
        weight_ih, weight_hh = (weights[f"{cell}.weight_{kind}_l{layer}"] for kind in ("ih", "hh"))
        bias_ih, bias_hh = (weights[f"{cell}.bias_{kind}_l{layer}"] for kind in ("ih", "hh"))
        input_weight, state_weight = self._cell.pack(weight_ih, weight_hh)
        bias: torch.Tensor = sum(self._cell.pack(bias_ih, bias_hh))  # type: ignore[assignment]
        return input_weight, state_weight / self._cell.double, bias

    def __call__(
        self, tokens: torch.Tensor, conditions: Sequence[torch.Tensor], state: State | None = None
    ) -> tuple[torch.Tensor, State]:
        """Return the logits after one more token of each row, and the state, which is changed in place.

        See :class:`ablate.Stepper`.
        """
        if state is None:
            state = State(len(tokens), self._layers, self._hidden, self._cell, self._dtype)
        # without a copy; tokens are within the table, and only this mode writes straight to ``out``
        np.take(self._table, tokens.numpy(), axis=0, out=state.sums_np.whole, mode="clip")
        state.sums.add_(self._first(state.hidden[0]))
        self._add_conditions(conditions, state)
        for layer in range(self._layers):
            if layer:
                state.sums.copy_(self._upper[layer - 1](state.pairs[layer - 1]))
            self._cell.update(state.sums_np, state.memories[layer], state.fresh_np)
            state.hidden[layer].copy_(state.fresh)
        return self._last(state.hidden[-1]).float(), state

    def _add_conditions(self, conditions: Sequence[torch.Tensor], state: State) -> None:
        """Add the term of the conditioners, which is computed again only when a condition has changed."""
        if self._conditions is None:
            return
        if state.condition_sums is None or any(
            not now.equal(before) for now, before in zip(conditions, state.conditions, strict=True)
        ):
            embeddings = [
                module(condition[:, None]) for module, condition in zip(self._modules, conditions, strict=True)
            ]
            state.conditions = [condition.clone() for condition in conditions]
            state.condition_sums = self._conditions(torch.stack(embeddings).sum(0)[:, 0].to(self._dtype))
        state.sums.add_(state.condition_sums)
