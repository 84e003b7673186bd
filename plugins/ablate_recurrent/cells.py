"""The recurrence of one layer of a stack of networks, over all steps of a window, with its backward pass written out.

At every step there is one product over all members and one pointwise function, which on a GPU is compiled; all of it
is recorded by whoever records the training step. The gradient of the recurrent weights is one product in the end.
Products are in bfloat16 or float32, what is pointwise and what an LSTM remembers is float32.

The equations are those of ``torch.nn.LSTM`` (gates: input, forget, new, output) and ``torch.nn.GRU`` (reset, update,
new); tests compare both, and all gradients.
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


class Fused:
    """A pointwise function that writes into its arguments, on a GPU compiled, once for each shape."""

    def __init__(self, function: Callable[..., None]) -> None:
        functools.update_wrapper(self, function)
        self._function = function
        self._compiled: dict[Any, Callable[..., None]] = {}
        self._fails = False

    def __call__(self, *tensors: torch.Tensor) -> None:
        """Apply it."""
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
        """Apply it compiled, on any device."""
        key = tuple((tensor.shape, tensor.dtype) for tensor in tensors)
        if key in self._compiled:
            self._compiled[key](*tensors)
            return
        function: Any = self._function
        # a copy for each shape: torch compiles one function for so many shapes only, and then no more
        code, closure = function.__code__.replace(), function.__closure__
        copy = FunctionType(code, function.__globals__, function.__name__, None, closure)
        with warnings.catch_warnings():
            # of torch about itself, and advice to round float32 products
            warnings.simplefilter("ignore")
            self._compiled[key] = torch.compile(copy, dynamic=False)
            self._compiled[key](*tensors)


def _dynamo_error() -> type[Exception]:
    """What torch raises where it cannot compile; asked for once something was raised."""
    from torch._dynamo.exc import TorchDynamoException

    return TorchDynamoException


# Every function below takes tensors [members, rows, ...] of one step. ``sums`` is what the layer's input and its biases
# add to the gates, ``known`` what the state before does, both with the gates side by side in the last dimension. What
# is kept for the way back is a tensor for each gate, all of equal size: one kernel can go over all that is written.


def _lstm(sums: torch.Tensor, known: torch.Tensor, before: torch.Tensor) -> tuple[torch.Tensor, ...]:
    """What an LSTM remembers after ``before``, and the activations of its gates, float32 [members, rows, hidden]."""
    take, forget, new, give = (sums.float() + known.float()).chunk(4, dim=-1)
    take, forget, new, give = take.sigmoid(), forget.sigmoid(), new.tanh(), give.sigmoid()
    return forget * before + take * new, take, forget, new, give


@Fused
def lstm_step(
    sums: torch.Tensor, known: torch.Tensor, before: torch.Tensor, memory: torch.Tensor, hidden: torch.Tensor
) -> None:
    """Write what an LSTM remembers and its hidden state; ``before`` is what it remembered."""
    now, _, _, _, give = _lstm(sums, known, before)
    memory.copy_(now)
    hidden.copy_(give * now.tanh())


@Fused
def lstm_forward(  # noqa: PLR0913, PLR0917 - a kernel takes all that it reads and writes
    sums: torch.Tensor,
    known: torch.Tensor,
    before: torch.Tensor,
    memory: torch.Tensor,
    hidden: torch.Tensor,
    kept_take: torch.Tensor,
    kept_forget: torch.Tensor,
    kept_new: torch.Tensor,
    kept_give: torch.Tensor,
) -> None:
    """The same, and keep the activations of the gates."""
    now, take, forget, new, give = _lstm(sums, known, before)
    memory.copy_(now)
    hidden.copy_(give * now.tanh())
    kept_take.copy_(take)
    kept_forget.copy_(forget)
    kept_new.copy_(new)
    kept_give.copy_(give)


@Fused
def lstm_backward(  # noqa: PLR0913, PLR0917
    grad_hidden: torch.Tensor,
    grad_next: torch.Tensor,
    grad_memory: torch.Tensor,
    memory: torch.Tensor,
    before: torch.Tensor,
    kept_take: torch.Tensor,
    kept_forget: torch.Tensor,
    kept_new: torch.Tensor,
    kept_give: torch.Tensor,
    grad_sums: torch.Tensor,
) -> None:
    """Write the gradient of the sums, and that of the memory before into ``grad_memory``.

    ``grad_hidden`` comes from above, ``grad_next`` from the step after.
    """
    take, forget, new, give = kept_take.float(), kept_forget.float(), kept_new.float(), kept_give.float()
    squashed = memory.tanh()
    of_hidden = grad_hidden.float() + grad_next.float()
    of_memory = grad_memory + of_hidden * give * (1 - squashed * squashed)
    parts = [
        of_memory * new * take * (1 - take),
        of_memory * before * forget * (1 - forget),
        of_memory * take * (1 - new * new),
        of_hidden * squashed * give * (1 - give),
    ]
    grad_sums.copy_(torch.cat(parts, dim=-1))
    grad_memory.copy_(of_memory * forget)


def _gru(sums: torch.Tensor, known: torch.Tensor, bias: torch.Tensor, before: torch.Tensor) -> tuple[torch.Tensor, ...]:
    """A GRU's hidden state after ``before``, its activations, and what the state adds to the new one, all float32."""
    of_reset, of_update, of_new = sums.float().chunk(3, dim=-1)
    known_reset, known_update, known_new = (known.float() + bias.float()).chunk(3, dim=-1)
    reset, update = (of_reset + known_reset).sigmoid(), (of_update + known_update).sigmoid()
    new = (of_new + reset * known_new).tanh()
    return new + update * (before - new), reset, update, new, known_new


@Fused
def gru_step(
    sums: torch.Tensor,
    known: torch.Tensor,
    bias: torch.Tensor,
    before: torch.Tensor,
    memory: torch.Tensor,
    hidden: torch.Tensor,
) -> None:
    """Write a GRU's hidden state, in float32 as ``memory``; ``bias`` is that of ``known``, [members, 1, gates]."""
    now = _gru(sums, known, bias, before)[0]
    memory.copy_(now)
    hidden.copy_(now)


@Fused
def gru_forward(  # noqa: PLR0913, PLR0917
    sums: torch.Tensor,
    known: torch.Tensor,
    bias: torch.Tensor,
    before: torch.Tensor,
    memory: torch.Tensor,
    hidden: torch.Tensor,
    kept_reset: torch.Tensor,
    kept_update: torch.Tensor,
    kept_new: torch.Tensor,
    kept_known: torch.Tensor,
) -> None:
    """The same, and keep the activations of the gates, and what the state adds to the new one."""
    now, reset, update, new, known_new = _gru(sums, known, bias, before)
    memory.copy_(now)
    hidden.copy_(now)
    kept_reset.copy_(reset)
    kept_update.copy_(update)
    kept_new.copy_(new)
    kept_known.copy_(known_new)


@Fused
def gru_backward(  # noqa: PLR0913, PLR0917
    grad_hidden: torch.Tensor,
    grad_next: torch.Tensor,
    grad_memory: torch.Tensor,
    before: torch.Tensor,
    kept_reset: torch.Tensor,
    kept_update: torch.Tensor,
    kept_new: torch.Tensor,
    kept_known: torch.Tensor,
    grad_sums: torch.Tensor,
    grad_known: torch.Tensor,
) -> None:
    """Write the gradients of sums and known, and what reaches the state before directly into ``grad_memory``."""
    reset, update, new = kept_reset.float(), kept_update.float(), kept_new.float()
    of_hidden = grad_hidden.float() + grad_next.float() + grad_memory
    of_new = of_hidden * (1 - update) * (1 - new * new)
    of_reset = of_new * kept_known.float() * reset * (1 - reset)
    of_update = of_hidden * (before - new) * update * (1 - update)
    grad_sums.copy_(torch.cat([of_reset, of_update, of_new], dim=-1))
    grad_known.copy_(torch.cat([of_reset, of_update, of_new * reset], dim=-1))
    grad_memory.copy_(of_hidden * update)


class LSTMSteps(torch.autograd.Function):
    """An LSTM layer's steps, from what its input adds to its gates to its hidden states.

    Shapes: sums [members, time * rows, 4 * hidden], weight [members, 4 * hidden, hidden], states
    [members, rows, hidden]; the result is [members, time, rows, hidden].
    """

    @staticmethod
    def forward(
        ctx: Any, sums: torch.Tensor, weight: torch.Tensor, hidden_0: torch.Tensor, memory_0: torch.Tensor
    ) -> torch.Tensor:
        """See the class."""
        sums, turned = _by_time(sums, hidden_0.shape[1]), weight.detach().transpose(1, 2)
        hidden, memory, kept = _room(sums, hidden_0, memory_0)
        known = torch.empty_like(sums[:, 0])
        for t in range(sums.shape[1]):
            torch.bmm(hidden[:, t], turned, out=known)
            lstm_forward(sums[:, t], known, memory[t], memory[t + 1], hidden[:, t + 1], *kept[t])
        ctx.save_for_backward(weight, hidden, memory, kept)
        return hidden[:, 1:]

    @staticmethod
    def backward(ctx: Any, grad: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, None, None]:
        """Gradients of sums and weights; those of the first state are nobody's."""
        weight, hidden, memory, kept = ctx.saved_tensors
        grad_sums = hidden.new_empty(*grad.shape[:3], weight.shape[1])
        grad_memory = torch.zeros_like(memory[0])
        grad_next = torch.zeros_like(grad_memory, dtype=hidden.dtype)
        for t in range(grad.shape[1] - 1, -1, -1):
            lstm_backward(grad[:, t], grad_next, grad_memory, memory[t + 1], memory[t], *kept[t], grad_sums[:, t])
            torch.bmm(grad_sums[:, t], weight, out=grad_next)
        return grad_sums.flatten(1, 2), _of_weight(grad_sums, hidden), None, None


class GRUSteps(torch.autograd.Function):
    """A GRU layer's steps, from what its input adds to its gates to its hidden states.

    Shapes: sums [members, time * rows, 3 * hidden], weight [members, 3 * hidden, hidden], bias
    [members, 1, 3 * hidden], state [members, rows, hidden]; the result is [members, time, rows, hidden].
    """

    @staticmethod
    def forward(
        ctx: Any, sums: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor, state_0: torch.Tensor
    ) -> torch.Tensor:
        """See the class."""
        sums, turned = _by_time(sums, state_0.shape[1]), weight.detach().transpose(1, 2)
        hidden, memory, kept = _room(sums, state_0, state_0)
        known, bias = torch.empty_like(sums[:, 0]), bias.detach()
        for t in range(sums.shape[1]):
            torch.bmm(hidden[:, t], turned, out=known)
            gru_forward(sums[:, t], known, bias, memory[t], memory[t + 1], hidden[:, t + 1], *kept[t])
        ctx.save_for_backward(weight, hidden, memory, kept)
        return hidden[:, 1:]

    @staticmethod
    def backward(ctx: Any, grad: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, None]:
        """Gradients of sums, weights and biases; those of the first state are nobody's."""
        weight, hidden, memory, kept = ctx.saved_tensors
        grad_sums = hidden.new_empty(*grad.shape[:3], weight.shape[1])
        grad_known, grad_memory = torch.empty_like(grad_sums), torch.zeros_like(memory[0])
        grad_next = torch.zeros_like(grad_memory, dtype=hidden.dtype)
        for t in range(grad.shape[1] - 1, -1, -1):
            gru_backward(*(grad[:, t], grad_next, grad_memory, memory[t], *kept[t], grad_sums[:, t], grad_known[:, t]))
            torch.bmm(grad_known[:, t], weight, out=grad_next)
        of_bias = grad_known.flatten(1, 2).sum(1, keepdim=True)
        return grad_sums.flatten(1, 2), _of_weight(grad_known, hidden), of_bias, None


def _by_time(sums: torch.Tensor, rows: int) -> torch.Tensor:
    """[members, time, rows, gates] of [members, time * rows, gates], without gradients."""
    return sums.detach().view(len(sums), -1, rows, sums.shape[2])


def _room(
    sums: torch.Tensor, hidden_0: torch.Tensor, memory_0: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Room for hidden states, what is remembered, and what is kept of every step; the first states are filled in.

    Hidden states are [members, time + 1, rows, hidden], as products want them. The others have the time in front,
    [time + 1, members, rows, hidden] in float32 and [time, 4, members, rows, hidden]: a compiled function reads and
    writes pieces of them, and has to see that these share no memory.
    """
    members, time, rows = sums.shape[:3]
    size = hidden_0.shape[2]
    hidden = sums.new_empty(members, time + 1, rows, size)
    memory = sums.new_empty(time + 1, members, rows, size, dtype=torch.float32)
    hidden[:, 0].copy_(hidden_0)
    memory[0].copy_(memory_0)
    return hidden, memory, sums.new_empty(time, 4, members, rows, size)


def _of_weight(grad_sums: torch.Tensor, hidden: torch.Tensor) -> torch.Tensor:
    """The gradient of the recurrent weights, of all steps and rows at once."""
    return torch.bmm(grad_sums.flatten(1, 2).transpose(1, 2), hidden[:, :-1].flatten(1, 2))
