"""An LSTM layer over all steps of a training window, in bf16 on a CPU.

torch's own layer (oneDNN) adds to the gradient of the recurrent weights at every time step. From 512 hidden units on,
that matrix no longer fits into a core's own cache, and the backward pass waits for memory: it takes as long in bf16 as
in fp32. Here each step only computes the gradient of its gates; the gradient of the weights is one product over all
steps and rows at the end. As in :mod:`ablate_recurrent.packed` weights are packed once, gates are NumPy, and logistic
functions are hyperbolic tangents of halves.

The equations are those of ``torch.nn.LSTM``; a test compares both, and all gradients.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import torch
from torch.nn import functional

import ablate

if TYPE_CHECKING:
    from ablate.arrays import Array

    Pair = tuple[torch.Tensor, torch.Tensor]

#: Steps of the backward pass whose factors are computed at once: few enough to stay in a core's cache.
AT_ONCE = 4


def unrolled(layers: torch.nn.LSTM, inputs_rte: torch.Tensor, state: Pair | None) -> tuple[torch.Tensor, Pair]:
    """Compute ``layers(inputs_rte, state)`` of a batch-first LSTM of one direction, in bfloat16.

    Args:
        layers: in training.
        inputs_rte: [rows, time, inputs].
        state: (h, c), both [layers, rows, hidden]; None is zeros.

    Returns:
        The hidden states [rows, time, hidden] in bfloat16, and the new (h, c) without gradients.
    """
    rows, size = len(inputs_rte), layers.hidden_size
    if state is None:
        zeros = inputs_rte.new_zeros(layers.num_layers, rows, size, dtype=torch.float32)
        state = zeros, zeros
    # gates in torch's order: input, forget, candidate, output; all but the candidate are logistic
    halves_g1 = torch.tensor([0.5, 0.5, 1.0, 0.5]).repeat_interleave(size)[:, None]
    sequence_tre, states = inputs_rte.transpose(0, 1), []
    for layer in range(layers.num_layers):
        weight_ih, weight_hh, bias_ih, bias_hh = (
            getattr(layers, f"{kind}_l{layer}") for kind in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
        )
        bias_g = (bias_ih + bias_hh) * halves_g1[:, 0]
        sums_trg = functional.linear(sequence_tre, weight_ih * halves_g1, bias_g)
        sequence_tre, memory_rh = _Steps.apply(  # type: ignore[no-untyped-call]
            sums_trg.bfloat16(), (weight_hh * halves_g1).bfloat16(), state[0][layer], state[1][layer]
        )
        states.append((sequence_tre[-1].detach().float(), memory_rh))
        if layer + 1 < layers.num_layers:
            sequence_tre = functional.dropout(sequence_tre, layers.dropout, training=True)
    hidden_lrh, memory_lrh = (torch.stack(parts) for parts in zip(*states, strict=True))
    return sequence_tre.transpose(0, 1), (hidden_lrh, memory_lrh)


class _Saved(NamedTuple):
    """The inputs of the backward pass of a layer, float32; ``gates_trg`` are activations, [time, rows, 4 * hidden]."""

    gates_trg: torch.Tensor
    memory: Array
    squashed: Array


#: Memory of layers whose backward pass is done, all of one shape. New memory of this size would come from the system,
#: page by page, at every step, which takes a tenth of its time.
_free: list[_Saved] = []


def _borrowed(time: int, rows: int, size: int) -> _Saved:
    """Return memory of this shape with any content."""
    while _free:
        saved = _free.pop()
        if saved.squashed.shape == (time, rows, size):
            return saved
    memory, squashed = (np.empty((time + more, rows, size), np.float32) for more in (1, 0))
    return _Saved(torch.empty(time, rows, 4 * size), memory, squashed)


def _give_back(saved: _Saved) -> None:
    """Keep memory for the next step."""
    if _free and _free[0].squashed.shape != saved.squashed.shape:
        _free.clear()
    _free.append(saved)


class _Factors:
    """The factors of the gradients of hidden state and memory, of a few steps at once, in memory that is used again.

    Attributes:
        memory: of the gates' sums: input, forget, candidate, [steps, rows, 3, hidden].
        hidden: of the output gate's sum, [steps, rows, hidden].
        through: from the hidden state to the memory, [steps, rows, hidden].
        forget_gate: from the memory to the one before, [steps, rows, hidden].
    """

    def __init__(self, steps: int, rows: int, size: int) -> None:
        self._slopes = np.empty((steps, rows, 4, size), np.float32)
        self.memory = np.empty((steps, rows, 3, size), np.float32)
        self.hidden, self.through, self.forget_gate = np.empty((3, steps, rows, size), np.float32)

    def compute(self, gates: Array, memory: Array, squashed: Array) -> None:
        """Compute the factors of the steps that these gates, memories before and squashed memories belong to."""
        steps = len(gates)
        slopes, by_gate = self._slopes[:steps], self.memory[:steps]
        np.multiply(gates, gates, out=slopes)
        np.subtract(1, slopes, out=slopes)
        np.multiply(gates[:, :, 2], slopes[:, :, 0], out=by_gate[:, :, 0])
        np.multiply(memory, slopes[:, :, 1], out=by_gate[:, :, 1])
        through, forget_gate, hidden = self.through[:steps], self.forget_gate[:steps], self.hidden[:steps]
        np.add(gates[:, :, 0], 1, out=through)
        np.multiply(through, slopes[:, :, 2], out=by_gate[:, :, 2])
        np.multiply(by_gate, 0.5, out=by_gate)
        np.multiply(squashed, slopes[:, :, 3], out=hidden)
        np.multiply(hidden, 0.5, out=hidden)
        np.multiply(squashed, squashed, out=forget_gate)
        np.subtract(1, forget_gate, out=forget_gate)
        np.add(gates[:, :, 3], 1, out=through)
        np.multiply(through, forget_gate, out=through)
        np.multiply(through, 0.5, out=through)
        np.add(gates[:, :, 1], 1, out=forget_gate)
        np.multiply(forget_gate, 0.5, out=forget_gate)


class _Steps(torch.autograd.Function):
    """The recurrence of one layer."""

    @staticmethod
    def forward(
        ctx: Any, sums_trg: torch.Tensor, weight_gh: torch.Tensor, hidden_rh: torch.Tensor, memory_rh: torch.Tensor
    ) -> Pair:
        """Return hidden states [time, rows, hidden] in bfloat16, and the last memory [rows, hidden] in float32.

        Args:
            ctx: autograd's.
            sums_trg: contribution of input and biases to the gates, logistic ones halved, bfloat16.
            weight_gh: recurrent weights, rows of logistic gates halved, bfloat16.
            hidden_rh: before the first step.
            memory_rh: before the first step.
        """
        time, rows, size = *sums_trg.shape[:2], weight_gh.shape[1]
        product = ablate.Product(weight_gh, None, "bf16")
        saved = _borrowed(time, rows, size)
        saved.gates_trg.copy_(sums_trg)
        hidden_trh = torch.empty(time + 1, rows, size, dtype=torch.bfloat16)
        hidden_trh[0] = hidden_rh
        fresh_rh = torch.empty(rows, size)
        gates, fresh, memory, squashed = saved.gates_trg.numpy(), fresh_rh.numpy(), saved.memory, saved.squashed
        memory[0] = memory_rh.numpy()
        doubled = np.empty((rows, 2 * size), np.float32)
        input_gate, forget_gate = doubled[:, :size], doubled[:, size:]
        for t in range(time):
            saved.gates_trg[t].add_(product(hidden_trh[t]))
            gate, now = gates[t], memory[t + 1]
            np.tanh(gate, out=gate)
            np.add(gate[:, : 2 * size], 1, out=doubled)
            np.multiply(forget_gate, memory[t], out=now)
            np.multiply(input_gate, gate[:, 2 * size : 3 * size], out=input_gate)
            np.add(now, input_gate, out=now)
            np.multiply(now, 0.5, out=now)
            np.tanh(now, out=squashed[t])
            np.add(gate[:, 3 * size :], 1, out=fresh)
            np.multiply(fresh, squashed[t], out=fresh)
            np.multiply(fresh, 0.5, out=fresh)
            hidden_trh[t + 1].copy_(fresh_rh)
        ctx.save_for_backward(weight_gh, hidden_trh)
        ctx.saved = saved
        last_rh = torch.from_numpy(memory[-1].copy())
        ctx.mark_non_differentiable(last_rh)
        return hidden_trh[1:], last_rh

    @staticmethod
    def backward(ctx: Any, grad_trh: torch.Tensor, _last: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        """Compute the gradients of the sums and of the recurrent weights; the initial state gets none."""
        weight_gh, hidden_trh = ctx.saved_tensors
        saved: _Saved | None = ctx.saved
        if saved is None:
            raise RuntimeError("the backward pass of an unrolled LSTM can run once only")
        time, rows, size = saved.squashed.shape
        gates = saved.gates_trg.numpy().reshape(time, rows, 4, size)
        product = ablate.Product(weight_gh.t().contiguous(), None, "bf16")
        grads_trg = torch.empty(time, rows, 4 * size, dtype=torch.bfloat16)
        sums_grad_rg = torch.empty(rows, 4 * size)
        sums_grad: Array = sums_grad_rg.numpy().reshape(rows, 4, size)
        hidden_rh = torch.zeros(rows, size)
        hidden, memory_grad, more = (
            hidden_rh.numpy(),
            np.zeros((rows, size), np.float32),
            np.empty((rows, size), np.float32),
        )
        factors = _Factors(min(AT_ONCE, time), rows, size)
        for end in range(time, 0, -AT_ONCE):
            begin = max(0, end - AT_ONCE)
            factors.compute(gates[begin:end], saved.memory[begin:end], saved.squashed[begin:end])
            for t in range(end - 1, begin - 1, -1):
                hidden_rh.add_(grad_trh[t])
                np.multiply(hidden, factors.through[t - begin], out=more)
                np.add(memory_grad, more, out=memory_grad)
                np.multiply(memory_grad[:, None], factors.memory[t - begin], out=sums_grad[:, :3])
                np.multiply(hidden, factors.hidden[t - begin], out=sums_grad[:, 3])
                np.multiply(memory_grad, factors.forget_gate[t - begin], out=memory_grad)
                grads_trg[t].copy_(sums_grad_rg)
                hidden_rh.copy_(product(grads_trg[t]))
        ctx.saved = None
        _give_back(saved)
        flat_ng = grads_trg.flatten(0, 1)
        return grads_trg, flat_ng.t() @ hidden_trh[:-1].flatten(0, 1), None, None
