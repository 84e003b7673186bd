"""An LSTM layer over all steps of a training window, in bf16 on a CPU.

torch's own layer (oneDNN) adds to the gradient of the recurrent weights at every time step. From 512 hidden units on,
that matrix no longer fits into a core's own cache, and the backward pass waits for memory: it takes as long in bf16 as
in fp32. Here each step only computes the gradient of its gates; the gradient of the weights is one product over all
steps and rows at the end. As in :mod:`ablate_recurrent.packed` weights are packed once, gates are NumPy, and logistic
functions are hyperbolic tangents of halves.

The equations are those of ``torch.nn.LSTM``; a test compares both, and all gradients.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch.nn import functional

import ablate

if TYPE_CHECKING:
    from ablate.arrays import Array

    Pair = tuple[torch.Tensor, torch.Tensor]


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
        gates_trg = sums_trg.float()
        hidden_trh = torch.empty(time + 1, rows, size, dtype=torch.bfloat16)
        hidden_trh[0] = hidden_rh
        fresh_rh = torch.empty(rows, size)
        gates, fresh = gates_trg.numpy(), fresh_rh.numpy()
        memory, squashed = np.empty((time + 1, rows, size), np.float32), np.empty((time, rows, size), np.float32)
        memory[0] = memory_rh.numpy()
        doubled = np.empty((rows, 2 * size), np.float32)
        input_gate, forget_gate = doubled[:, :size], doubled[:, size:]
        for t in range(time):
            gates_trg[t].add_(product(hidden_trh[t]))
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
        ctx.arrays = gates, memory, squashed
        last_rh = torch.from_numpy(memory[-1].copy())
        ctx.mark_non_differentiable(last_rh)
        return hidden_trh[1:], last_rh

    @staticmethod
    def backward(ctx: Any, grad_trh: torch.Tensor, _last: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        """Compute the gradients of the sums and of the recurrent weights; the initial state gets none."""
        weight_gh, hidden_trh = ctx.saved_tensors
        activations, memory, squashed = ctx.arrays
        time, rows, size = squashed.shape
        # the factors of the gradients of hidden state and memory, of all steps at once
        slope = 1 - activations * activations
        gates, slopes = (each.reshape(time, rows, 4, size) for each in (activations, slope))
        memory_factor = np.empty((time, rows, 3, size), np.float32)
        memory_factor[:, :, 0] = gates[:, :, 2] * slopes[:, :, 0] * 0.5
        memory_factor[:, :, 1] = memory[:-1] * slopes[:, :, 1] * 0.5
        memory_factor[:, :, 2] = (gates[:, :, 0] + 1) * slopes[:, :, 2] * 0.5
        hidden_factor = squashed * slopes[:, :, 3] * 0.5
        through = (gates[:, :, 3] + 1) * (1 - squashed * squashed) * 0.5
        forget_gate = (gates[:, :, 1] + 1) * 0.5

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
        output_grad_trh = grad_trh.float()
        for t in range(time - 1, -1, -1):
            hidden_rh.add_(output_grad_trh[t])
            np.multiply(hidden, through[t], out=more)
            np.add(memory_grad, more, out=memory_grad)
            np.multiply(memory_grad[:, None], memory_factor[t], out=sums_grad[:, :3])
            np.multiply(hidden, hidden_factor[t], out=sums_grad[:, 3])
            np.multiply(memory_grad, forget_gate[t], out=memory_grad)
            grads_trg[t].copy_(sums_grad_rg)
            hidden_rh.copy_(product(grads_trg[t]))
        flat_ng = grads_trg.flatten(0, 1)
        return grads_trg, flat_ng.t() @ hidden_trh[:-1].flatten(0, 1), None, None
