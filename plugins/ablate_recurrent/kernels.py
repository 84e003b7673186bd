"""The recurrence of one layer of several networks, over all steps of a window, with its backward pass written out.

Each step is one matrix product over all networks and one pointwise function, which is compiled on a GPU. When the
training step is recorded as a CUDA graph, both are part of the recording. The gradient of the recurrent weights is a
single product at the end. Products are in bfloat16 or float32; pointwise functions and the memory of an LSTM are
float32.

The equations are those of ``torch.nn.LSTM`` (gates: input, forget, candidate, output) and ``torch.nn.GRU`` (reset,
update, candidate); tests compare results and all gradients with torch's.
"""

from __future__ import annotations

import functools
import logging
import warnings
from types import FunctionType
from typing import TYPE_CHECKING, Any

import torch

if TYPE_CHECKING:
    from collections.abc import Callable

_log = logging.getLogger(__name__)


class PointwiseKernel:
    """A pointwise function that writes into its arguments; on a GPU it is compiled, once for each shape."""

    def __init__(self, function: Callable[..., None]) -> None:
        functools.update_wrapper(self, function)
        self._function = function
        self._compiled: dict[Any, Callable[..., None]] = {}
        self._fails = False

    def __call__(self, *tensors: torch.Tensor) -> None:
        """Apply the function."""
        if tensors[0].is_cuda and not self._fails:
            try:
                self.compiled(*tensors)
            except torch.OutOfMemoryError:
                raise
            except (RuntimeError, ImportError, _dynamo_error()) as error:
                self._fails = True
                reason = " ".join(str(error).split())
                _log.warning("torch.compile does not work here, so training is slower: %s", reason)
            else:
                return
        self._function(*tensors)

    def compiled(self, *tensors: torch.Tensor) -> None:
        """Apply the compiled function, on any device."""
        key = tuple((tensor.shape, tensor.dtype) for tensor in tensors)
        if key in self._compiled:
            self._compiled[key](*tensors)
            return
        function: Any = self._function
        # a copy for each shape: torch limits the number of shapes for which it compiles one function
        code, closure = function.__code__.replace(), function.__closure__
        copy = FunctionType(code, function.__globals__, function.__name__, None, closure)
        with warnings.catch_warnings():
            # warnings about torch's own code, and advice to round float32 products
            warnings.simplefilter("ignore")
            self._compiled[key] = torch.compile(copy, dynamic=False)
            self._compiled[key](*tensors)


def _dynamo_error() -> type[Exception]:
    """Return the class that torch raises where it cannot compile; imported only after an error."""
    from torch._dynamo.exc import TorchDynamoException

    return TorchDynamoException


# Every function below takes tensors [models, rows, ...] of one step. ``sums`` is the contribution of the layer's input
# and biases to the gates, ``state_sums`` that of the state before, both with the gates side by side in the last
# dimension. The activations saved for the backward pass are one tensor for each gate, all of equal size, so that a
# single kernel can cover everything that is written.


def _lstm(sums: torch.Tensor, state_sums: torch.Tensor, before: torch.Tensor) -> tuple[torch.Tensor, ...]:
    """Return the memory of an LSTM after ``before`` and its gates' activations, float32 [models, rows, hidden]."""
    input_gate, forget_gate, candidate, output_gate = (sums.float() + state_sums.float()).chunk(4, dim=-1)
    input_gate, forget_gate = input_gate.sigmoid(), forget_gate.sigmoid()
    candidate, output_gate = candidate.tanh(), output_gate.sigmoid()
    return forget_gate * before + input_gate * candidate, input_gate, forget_gate, candidate, output_gate


@PointwiseKernel
def lstm_step(
    sums: torch.Tensor, state_sums: torch.Tensor, before: torch.Tensor, memory: torch.Tensor, hidden: torch.Tensor
) -> None:
    """Write the memory and the hidden state of an LSTM; ``before`` is the memory before the step."""
    now, _, _, _, output_gate = _lstm(sums, state_sums, before)
    memory.copy_(now)
    hidden.copy_(output_gate * now.tanh())


@PointwiseKernel
def lstm_forward(  # noqa: PLR0913, PLR0917 - a kernel takes all that it reads and writes
    sums: torch.Tensor,
    state_sums: torch.Tensor,
    before: torch.Tensor,
    memory: torch.Tensor,
    hidden: torch.Tensor,
    saved_input: torch.Tensor,
    saved_forget: torch.Tensor,
    saved_candidate: torch.Tensor,
    saved_output: torch.Tensor,
) -> None:
    """Do :func:`lstm_step`, and save the activations of the gates."""
    now, input_gate, forget_gate, candidate, output_gate = _lstm(sums, state_sums, before)
    memory.copy_(now)
    hidden.copy_(output_gate * now.tanh())
    saved_input.copy_(input_gate)
    saved_forget.copy_(forget_gate)
    saved_candidate.copy_(candidate)
    saved_output.copy_(output_gate)


@PointwiseKernel
def lstm_backward(  # noqa: PLR0913, PLR0917
    grad_hidden: torch.Tensor,
    grad_next: torch.Tensor,
    grad_memory: torch.Tensor,
    memory: torch.Tensor,
    before: torch.Tensor,
    saved_input: torch.Tensor,
    saved_forget: torch.Tensor,
    saved_candidate: torch.Tensor,
    saved_output: torch.Tensor,
    grad_sums: torch.Tensor,
) -> None:
    """Write the gradient of the sums, and that of the memory before into ``grad_memory``.

    ``grad_hidden`` comes from the layer above, ``grad_next`` from the step after.
    """
    input_gate, forget_gate = saved_input.float(), saved_forget.float()
    candidate, output_gate = saved_candidate.float(), saved_output.float()
    squashed = memory.tanh()
    total_hidden = grad_hidden.float() + grad_next.float()
    total_memory = grad_memory + total_hidden * output_gate * (1 - squashed * squashed)
    parts = [
        total_memory * candidate * input_gate * (1 - input_gate),
        total_memory * before * forget_gate * (1 - forget_gate),
        total_memory * input_gate * (1 - candidate * candidate),
        total_hidden * squashed * output_gate * (1 - output_gate),
    ]
    grad_sums.copy_(torch.cat(parts, dim=-1))
    grad_memory.copy_(total_memory * forget_gate)


def _gru(
    sums: torch.Tensor, state_sums: torch.Tensor, bias: torch.Tensor, before: torch.Tensor
) -> tuple[torch.Tensor, ...]:
    """Return the hidden state of a GRU after ``before``, its activations, and the state's term of the candidate.

    All are float32.
    """
    input_reset, input_update, input_candidate = sums.float().chunk(3, dim=-1)
    state_reset, state_update, state_candidate = (state_sums.float() + bias.float()).chunk(3, dim=-1)
    reset, update = (input_reset + state_reset).sigmoid(), (input_update + state_update).sigmoid()
    candidate = (input_candidate + reset * state_candidate).tanh()
    return candidate + update * (before - candidate), reset, update, candidate, state_candidate


@PointwiseKernel
def gru_step(
    sums: torch.Tensor,
    state_sums: torch.Tensor,
    bias: torch.Tensor,
    before: torch.Tensor,
    memory: torch.Tensor,
    hidden: torch.Tensor,
) -> None:
    """Write the hidden state of a GRU, in float32 as ``memory``; ``bias`` is added to ``state_sums``.

    ``bias`` has shape [models, 1, gates].
    """
    now = _gru(sums, state_sums, bias, before)[0]
    memory.copy_(now)
    hidden.copy_(now)


@PointwiseKernel
def gru_forward(  # noqa: PLR0913, PLR0917
    sums: torch.Tensor,
    state_sums: torch.Tensor,
    bias: torch.Tensor,
    before: torch.Tensor,
    memory: torch.Tensor,
    hidden: torch.Tensor,
    saved_reset: torch.Tensor,
    saved_update: torch.Tensor,
    saved_candidate: torch.Tensor,
    saved_term: torch.Tensor,
) -> None:
    """Do :func:`gru_step`, and save the activations of the gates and the state's term of the candidate."""
    now, reset, update, candidate, state_candidate = _gru(sums, state_sums, bias, before)
    memory.copy_(now)
    hidden.copy_(now)
    saved_reset.copy_(reset)
    saved_update.copy_(update)
    saved_candidate.copy_(candidate)
    saved_term.copy_(state_candidate)


@PointwiseKernel
def gru_backward(  # noqa: PLR0913, PLR0917
    grad_hidden: torch.Tensor,
    grad_next: torch.Tensor,
    grad_memory: torch.Tensor,
    before: torch.Tensor,
    saved_reset: torch.Tensor,
    saved_update: torch.Tensor,
    saved_candidate: torch.Tensor,
    saved_term: torch.Tensor,
    grad_sums: torch.Tensor,
    grad_state_sums: torch.Tensor,
) -> None:
    """Write the gradients of both sums; the direct gradient of the state before goes into ``grad_memory``."""
    reset, update, candidate = saved_reset.float(), saved_update.float(), saved_candidate.float()
    total_hidden = grad_hidden.float() + grad_next.float() + grad_memory
    grad_candidate = total_hidden * (1 - update) * (1 - candidate * candidate)
    grad_reset = grad_candidate * saved_term.float() * reset * (1 - reset)
    grad_update = total_hidden * (before - candidate) * update * (1 - update)
    grad_sums.copy_(torch.cat([grad_reset, grad_update, grad_candidate], dim=-1))
    grad_state_sums.copy_(torch.cat([grad_reset, grad_update, grad_candidate * reset], dim=-1))
    grad_memory.copy_(total_hidden * update)


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
            lstm_backward(grad[:, t], grad_next, grad_memory, *states, *activations[t], grad_sums[:, t])
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
            results = grad_sums[:, t], grad_state_sums[:, t]
            gru_backward(grad[:, t], grad_next, grad_memory, memory[t], *activations[t], *results)
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
