"""The recurrence of one layer of several networks, over all steps of a window, with its backward pass written out.

Each step is one matrix product over all networks and one pointwise function. When the training step is recorded as a
CUDA graph, both are part of the recording. The gradient of the recurrent weights is a single product at the end.
Products are in bfloat16 or float32; pointwise functions and the memory of an LSTM are float32.
"""

from __future__ import annotations

from typing import Any

import torch

from ablate_recurrent.kernels import gru_backward, gru_forward, lstm_backward, lstm_forward


class LSTMSteps(torch.autograd.Function):
    """The steps of an LSTM layer, from the input's contribution to the gates to the hidden states.

    Shapes: sums [models, time * rows, 4 * hidden], weight [models, 4 * hidden, hidden], states
    [models, rows, hidden]; the result is [models, time, rows, hidden].
    """

    @staticmethod
    def forward(
        ctx: Any, sums: torch.Tensor, weight: torch.Tensor, hidden_0: torch.Tensor, memory_0: torch.Tensor
    ) -> torch.Tensor:
        """Compute the hidden states; see the class."""
        sums, transposed = _by_time(sums, hidden_0.shape[1]), weight.detach().transpose(1, 2)
        hidden, memory, activations = _buffers(sums, hidden_0, memory_0)
        state_sums = torch.empty_like(sums[:, 0])
        for t in range(sums.shape[1]):
            torch.bmm(hidden[:, t], transposed, out=state_sums)
            lstm_forward(sums[:, t], state_sums, memory[t], memory[t + 1], hidden[:, t + 1], *activations[t])
        ctx.save_for_backward(weight, hidden, memory, activations)
        return hidden[:, 1:]

    @staticmethod
    def backward(ctx: Any, grad: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, None, None]:
        """Compute the gradients of sums and weights; the initial state gets none."""
        weight, hidden, memory, activations = ctx.saved_tensors
        grad_sums = hidden.new_empty(*grad.shape[:3], weight.shape[1])
        grad_memory = torch.zeros_like(memory[0])
        grad_next = torch.zeros_like(grad_memory, dtype=hidden.dtype)
        for t in range(grad.shape[1] - 1, -1, -1):
            states = memory[t + 1], memory[t]
            gates = grad_sums[:, t].chunk(4, dim=-1)
            lstm_backward(grad[:, t], grad_next, grad_memory, *states, *activations[t], *gates)
            torch.bmm(grad_sums[:, t], weight, out=grad_next)
        return grad_sums.flatten(1, 2), _weight_gradient(grad_sums, hidden), None, None


class GRUSteps(torch.autograd.Function):
    """The steps of a GRU layer, from the input's contribution to the gates to the hidden states.

    Shapes: sums [models, time * rows, 3 * hidden], weight [models, 3 * hidden, hidden], bias
    [models, 1, 3 * hidden], state [models, rows, hidden]; the result is [models, time, rows, hidden].
    """

    @staticmethod
    def forward(
        ctx: Any, sums: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor, state_0: torch.Tensor
    ) -> torch.Tensor:
        """Compute the hidden states; see the class."""
        sums, transposed = _by_time(sums, state_0.shape[1]), weight.detach().transpose(1, 2)
        hidden, memory, activations = _buffers(sums, state_0, state_0)
        state_sums, bias = torch.empty_like(sums[:, 0]), bias.detach()
        for t in range(sums.shape[1]):
            torch.bmm(hidden[:, t], transposed, out=state_sums)
            gru_forward(sums[:, t], state_sums, bias, memory[t], memory[t + 1], hidden[:, t + 1], *activations[t])
        ctx.save_for_backward(weight, hidden, memory, activations)
        return hidden[:, 1:]

    @staticmethod
    def backward(ctx: Any, grad: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, None]:
        """Compute the gradients of sums, weights and biases; the initial state gets none."""
        weight, hidden, memory, activations = ctx.saved_tensors
        grad_sums = hidden.new_empty(*grad.shape[:3], weight.shape[1])
        grad_state_sums, grad_memory = torch.empty_like(grad_sums), torch.zeros_like(memory[0])
        grad_next = torch.zeros_like(grad_memory, dtype=hidden.dtype)
        for t in range(grad.shape[1] - 1, -1, -1):
            gates = *grad_sums[:, t].chunk(3, dim=-1), *grad_state_sums[:, t].chunk(3, dim=-1)
            gru_backward(grad[:, t], grad_next, grad_memory, memory[t], *activations[t], *gates)
            torch.bmm(grad_state_sums[:, t], weight, out=grad_next)
        grad_bias = grad_state_sums.flatten(1, 2).sum(1, keepdim=True)
        return grad_sums.flatten(1, 2), _weight_gradient(grad_state_sums, hidden), grad_bias, None


def _by_time(sums: torch.Tensor, rows: int) -> torch.Tensor:
    """Return [models, time * rows, gates] as [models, time, rows, gates], without gradients."""
    return sums.detach().view(len(sums), -1, rows, sums.shape[2])


def _buffers(
    sums: torch.Tensor, hidden_0: torch.Tensor, memory_0: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Return buffers for hidden states, memories and activations of every step; initial states are filled in.

    Hidden states are [models, time + 1, rows, hidden], as the products need them. The others have the time in front,
    [time + 1, models, rows, hidden] in float32 and [time, 4, models, rows, hidden]: a compiled function reads and
    writes slices of them, and must be able to see that these share no memory.
    """
    models, time, rows = sums.shape[:3]
    size = hidden_0.shape[2]
    hidden = sums.new_empty(models, time + 1, rows, size)
    memory = sums.new_empty(time + 1, models, rows, size, dtype=torch.float32)
    hidden[:, 0].copy_(hidden_0)
    memory[0].copy_(memory_0)
    return hidden, memory, sums.new_empty(time, 4, models, rows, size)


def _weight_gradient(grad_sums: torch.Tensor, hidden: torch.Tensor) -> torch.Tensor:
    """Return the gradient of the recurrent weights, over all steps and rows at once."""
    return torch.bmm(grad_sums.flatten(1, 2).transpose(1, 2), hidden[:, :-1].flatten(1, 2))
