"""Recurrent networks packed for generation on a CPU: one token of every row at a time.

Three things make a step quick. The first layer's input is a row of a table over the vocabulary, worked out once
(embedding times input weights plus biases, exact algebra). An upper layer's input and recurrent weights are one matrix,
so a layer is one product; its weights lie in the order that the product's kernel wants, in bfloat16 or float32. And
what is not a product is NumPy on the same memory, whose calls cost a third of torch's and whose ``tanh`` is several
times as fast: every logistic function is written as ``(tanh(x / 2) + 1) / 2``. Its halves are powers of two, so they
move into weights and states without any rounding; *doubled* names what is kept at twice its value.
"""

from __future__ import annotations

import dataclasses
import functools
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import torch
from torch.nn import functional

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ablate_recurrent.network import Recurrent

    Array = np.ndarray[Any, Any]

_DTYPES = {"bf16": torch.bfloat16, "fp32": torch.float32}


class Product:
    """``x @ weight.T + bias`` with the weights packed once, for any number of rows.

    Where torch has its oneDNN kernels, a row's result does not depend, to the bit, on how many rows there are.

    Args:
        weight: [out, in].
        bias: [out], or None.
        dtype: of weights, bias, ``x`` and the result; sums are float32.
    """

    def __init__(self, weight: torch.Tensor, bias: torch.Tensor | None, dtype: torch.dtype) -> None:
        self._bias = None if bias is None else bias.to(dtype).contiguous()
        self._weight = weight.to(dtype).contiguous()
        self._packed = _packs(dtype)
        if self._packed:
            # what torch.compile uses when it freezes a linear layer; plain calls pack the weights again at each step
            self._weight = torch.ops.mkldnn._reorder_linear_weight(self._weight, None)  # noqa: SLF001

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        """[rows, out] of [rows, in]."""
        if self._packed:
            result: torch.Tensor = torch.ops.mkldnn._linear_pointwise.default(  # noqa: SLF001
                x, self._weight, self._bias, "none", [], ""
            )
            return result
        return functional.linear(x, self._weight, self._bias)


@functools.cache
def _packs(dtype: torch.dtype) -> bool:
    """Whether this build of torch on this processor can multiply packed weights of that type, which is tried."""
    try:
        weight = torch.ops.mkldnn._reorder_linear_weight(torch.zeros(8, 8, dtype=dtype), None)  # noqa: SLF001
        torch.ops.mkldnn._linear_pointwise(torch.zeros(2, 8, dtype=dtype), weight, None, "none", [], "")  # noqa: SLF001
    except (AttributeError, NotImplementedError, RuntimeError):
        return False
    return True


class Sums(NamedTuple):
    """What a layer's product gives, float32, [rows, blocks * hidden] as a whole; the others are views into it.

    Attributes:
        whole: all of it.
        gates: the blocks at the front that go through a logistic function.
        blocks: one by one, [rows, hidden] each.
    """

    whole: Array
    gates: Array
    blocks: tuple[Array, ...]


class State:
    """What the rows of a generation remember, and the buffers of a step; torch and NumPy see the same memory.

    The hidden states of all layers stand side by side, so that an upper layer's product reads the state below and its
    own in one piece. Views are made once, for making them at every step takes as long as small rows' arithmetic.
    """

    def __init__(self, rows: int, layers: int, hidden: int, cell: Cell, dtype: torch.dtype) -> None:
        hidden_rn = torch.zeros(rows, layers * hidden, dtype=dtype)
        self.hidden = [hidden_rn[:, i * hidden : (i + 1) * hidden] for i in range(layers)]
        self.pairs = [hidden_rn[:, i * hidden : (i + 2) * hidden] for i in range(layers - 1)]
        self.kept = list(np.zeros((layers, rows, hidden), np.float32))
        self.sums, self.fresh = torch.zeros(rows, cell.blocks * hidden), torch.zeros(rows, hidden)
        whole: Array = self.sums.numpy()
        blocks = tuple(whole[:, i * hidden : (i + 1) * hidden] for i in range(cell.blocks))
        self.sums_np, self.fresh_np = Sums(whole, whole[:, : cell.gates * hidden], blocks), self.fresh.numpy()
        self.conditions: list[torch.Tensor] = []
        self.added: torch.Tensor | None = None


@dataclasses.dataclass(frozen=True)
class Cell:
    """How a kind of layer computes.

    Attributes:
        blocks: how many vectors of ``hidden`` numbers a layer's product gives.
        gates: how many of them, at the front, go through a logistic function.
        double: the factor of the hidden state that is kept.
        pack: from weights or biases as torch has them, [gates * hidden, ...], of the input and of the state, to those
            of the product: [blocks * hidden, ...] both.
        update: from the sums and what is kept of the step before, [rows, hidden], to the latter and the new hidden
            state, [rows, hidden], both in place; the sums are used up.
    """

    blocks: int
    gates: int
    double: float
    pack: Callable[[torch.Tensor, torch.Tensor], tuple[torch.Tensor, torch.Tensor]]
    update: Callable[[Sums, Array, Array], None]


def _pack_lstm(of_input: torch.Tensor, of_state: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """From input, forget, new, output to input, forget, output (halved), new."""

    def ordered(weight: torch.Tensor) -> torch.Tensor:
        take, forget, new, give = weight.chunk(4)
        return torch.cat([take / 2, forget / 2, give / 2, new])

    return ordered(of_input), ordered(of_state)


def _update_lstm(sums: Sums, memory: Array, fresh: Array) -> None:
    np.tanh(sums.whole, out=sums.whole)
    np.add(sums.gates, 1, out=sums.gates)
    take, forget, give, new = sums.blocks
    np.multiply(memory, forget, out=memory)
    np.multiply(take, new, out=take)
    np.add(memory, take, out=memory)
    np.multiply(memory, 0.5, out=memory)
    np.tanh(memory, out=fresh)
    np.multiply(fresh, give, out=fresh)


def _pack_gru(of_input: torch.Tensor, of_state: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """From reset, update, new to reset, update (halved), new of the input, new of the state (halved)."""

    def split(weight: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        reset, update, new = weight.chunk(3)
        return reset / 2, update / 2, new

    of_x, of_h = split(of_input), split(of_state)
    nothing_x, nothing_h = torch.zeros_like(of_x[2]), torch.zeros_like(of_h[2])
    return torch.cat([*of_x, nothing_x]), torch.cat([*of_h[:2], nothing_h, of_h[2] / 2])


def _update_gru(sums: Sums, hidden: Array, fresh: Array) -> None:
    np.tanh(sums.gates, out=sums.gates)
    np.add(sums.gates, 1, out=sums.gates)
    reset, update, new, known = sums.blocks
    np.multiply(known, reset, out=known)
    np.add(new, known, out=new)
    np.tanh(new, out=new)
    np.subtract(hidden, new, out=hidden)
    np.multiply(hidden, update, out=hidden)
    np.multiply(hidden, 0.5, out=hidden)
    np.add(hidden, new, out=hidden)
    np.copyto(fresh, hidden)


_CELLS = {"lstm": Cell(4, 3, 2.0, _pack_lstm, _update_lstm), "gru": Cell(4, 2, 1.0, _pack_gru, _update_gru)}


class Packed:
    """A trained network's next-token logits, one token of every row at a time.

    Args:
        network: in evaluation mode, on the CPU.
        precision: ``"bf16"`` or ``"fp32"``, of the products; everything else is float32.
    """

    def __init__(self, network: Recurrent, precision: str) -> None:
        options, layers = network.options, network.get_submodule(network.cell)
        self._cell, self._dtype = _CELLS[network.cell], _DTYPES[precision]
        self._layers, self._hidden = options.layers, options.hidden
        self._conditioners = network.conditioners
        with torch.no_grad():
            packed = [self._packed(layers, layer) for layer in range(options.layers)]
            of_input, of_state, bias = packed[0]
            self._table = (network.embedding.weight @ of_input.T + bias).numpy()
            self._first = Product(of_state, None, self._dtype)
            self._of_conditions = Product(of_input, None, self._dtype) if len(self._conditioners) else None
            self._upper = [Product(torch.cat([x / self._cell.double, h], 1), b, self._dtype) for x, h, b in packed[1:]]
            projection = network.projection
            self._last = Product(projection.weight / self._cell.double, projection.bias, self._dtype)

    def _packed(self, layers: torch.nn.Module, layer: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """A layer's weights of its input and of its (doubled) state, and its biases."""
        weights = (getattr(layers, f"{kind}_l{layer}") for kind in ("weight_ih", "weight_hh", "bias_ih", "bias_hh"))
        weight_ih, weight_hh, bias_ih, bias_hh = weights
        of_input, of_state = self._cell.pack(weight_ih, weight_hh)
        return of_input, of_state / self._cell.double, sum(self._cell.pack(bias_ih, bias_hh))  # type: ignore[return-value]

    def __call__(
        self, tokens: torch.Tensor, conditions: Sequence[torch.Tensor], state: State | None = None
    ) -> tuple[torch.Tensor, State]:
        """Logits after one more token of each row; see :class:`ablate.Stepper`. The state is changed in place."""
        if state is None:
            state = State(len(tokens), self._layers, self._hidden, self._cell, self._dtype)
        # without a copy; tokens are within the table, and only this mode writes straight to ``out``
        np.take(self._table, tokens.numpy(), axis=0, out=state.sums_np.whole, mode="clip")
        state.sums.add_(self._first(state.hidden[0]))
        self._add_conditions(conditions, state)
        for layer in range(self._layers):
            if layer:
                state.sums.copy_(self._upper[layer - 1](state.pairs[layer - 1]))
            self._cell.update(state.sums_np, state.kept[layer], state.fresh_np)
            state.hidden[layer].copy_(state.fresh)
        return self._last(state.hidden[-1]).float(), state

    def _add_conditions(self, conditions: Sequence[torch.Tensor], state: State) -> None:
        """Add what the conditioners say, which is worked out again only where it is news: few say much."""
        if self._of_conditions is None:
            return
        if state.added is None or any(
            not now.equal(before) for now, before in zip(conditions, state.conditions, strict=True)
        ):
            embedded = [
                module(condition[:, None]) for module, condition in zip(self._conditioners, conditions, strict=True)
            ]
            state.conditions = [condition.clone() for condition in conditions]
            state.added = self._of_conditions(torch.stack(embedded).sum(0)[:, 0].to(self._dtype))
        state.sums.add_(state.added)
