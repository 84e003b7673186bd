"""The recurrence of one layer of a stack of networks, over all steps of a window, with its backward pass written out.

At every step there is one product over all members and one pointwise function, which on a GPU is compiled into a
single kernel; so a layer is two kernels a step forward and two backward, all of them recorded by whoever records the
training step. The gradient of the recurrent weights is one product in the end. Products are in bfloat16 or float32,
what is pointwise and what an LSTM remembers is float32.

The equations are those of ``torch.nn.LSTM`` (gates: input, forget, new, output) and ``torch.nn.GRU`` (reset, update,
new); tests compare both, and all gradients.
"""

from __future__ import annotations

import functools
import logging
from typing import TYPE_CHECKING, Any

import torch

if TYPE_CHECKING:
    from collections.abc import Callable

_log = logging.getLogger(__name__)


class Fused:
    """A pointwise function that writes into its arguments, on a GPU as one kernel."""

    def __init__(self, function: Callable[..., None]) -> None:
        functools.update_wrapper(self, function)
        self._function = function
        self._compiled: Callable[..., None] | None = None
        self._fails = False

    def __call__(self, *tensors: torch.Tensor) -> None:
        """Apply it."""
        if tensors[0].is_cuda and not self._fails:
            from torch._dynamo.exc import TorchDynamoException

            self._compiled = self._compiled or torch.compile(self._function)
            try:
                return self._compiled(*tensors)
            except TorchDynamoException as error:
                self._fails = True
                reason = " ".join(str(error).split())
                _log.warning("torch.compile does not work here, so training is slower: %s", reason)
        return self._function(*tensors)


@Fused
def lstm_forward(sums: torch.Tensor, before: torch.Tensor, memory: torch.Tensor, hidden: torch.Tensor) -> None:
    """One step, [members, rows, ...]: sums of the gates become their activations; writes memory and hidden state."""
    take, forget, new, give = sums.float().chunk(4, dim=-1)
    take, forget, new, give = take.sigmoid(), forget.sigmoid(), new.tanh(), give.sigmoid()
    now = forget * before + take * new
    memory.copy_(now)
    hidden.copy_(give * now.tanh())
    sums.copy_(torch.cat([take, forget, new, give], dim=-1))


@Fused
def lstm_backward(  # noqa: PLR0913, PLR0917 - a kernel takes all that it reads
    grad_hidden: torch.Tensor,
    grad_next: torch.Tensor,
    grad_memory: torch.Tensor,
    acts: torch.Tensor,
    memory: torch.Tensor,
    before: torch.Tensor,
    grad_sums: torch.Tensor,
) -> None:
    """One step back: writes the gradient of the sums, and that of the memory before into ``grad_memory``.

    ``grad_hidden`` comes from above, ``grad_next`` from the step after.
    """
    take, forget, new, give = acts.float().chunk(4, dim=-1)
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


@Fused
def gru_forward(
    sums: torch.Tensor, known: torch.Tensor, before: torch.Tensor, memory: torch.Tensor, hidden: torch.Tensor
) -> None:
    """One step: sums of the input become activations; ``known`` are those of the state, the last third is needed later.

    ``memory`` is the hidden state in float32, ``hidden`` the same for products.
    """
    of_reset, of_update, of_new = sums.float().chunk(3, dim=-1)
    known_reset, known_update, known_new = known.float().chunk(3, dim=-1)
    reset, update = (of_reset + known_reset).sigmoid(), (of_update + known_update).sigmoid()
    new = (of_new + reset * known_new).tanh()
    now = new + update * (before - new)
    memory.copy_(now)
    hidden.copy_(now)
    sums.copy_(torch.cat([reset, update, new], dim=-1))


@Fused
def gru_backward(  # noqa: PLR0913, PLR0917 - a kernel takes all that it reads
    grad_hidden: torch.Tensor,
    grad_next: torch.Tensor,
    grad_memory: torch.Tensor,
    acts: torch.Tensor,
    known: torch.Tensor,
    before: torch.Tensor,
    grad_sums: torch.Tensor,
    grad_known: torch.Tensor,
) -> None:
    """One step back: writes the gradients of both sums, and what reaches the state before directly."""
    reset, update, new = acts.float().chunk(3, dim=-1)
    known_new = known.float().chunk(3, dim=-1)[2]
    of_hidden = grad_hidden.float() + grad_next.float() + grad_memory
    of_new = of_hidden * (1 - update) * (1 - new * new)
    of_reset = of_new * known_new * reset * (1 - reset)
    of_update = of_hidden * (before - new) * update * (1 - update)
    grad_sums.copy_(torch.cat([of_reset, of_update, of_new], dim=-1))
    grad_known.copy_(torch.cat([of_reset, of_update, of_new * reset], dim=-1))
    grad_memory.copy_(of_hidden * update)


class LSTMSteps(torch.autograd.Function):
    """An LSTM layer's steps; ``sums`` hold what comes from its input and are used up.

    Shapes: sums [members, time * rows, 4 * hidden], weight [members, 4 * hidden, hidden], states
    [members, rows, hidden]. Gives the hidden states [members, time, rows, hidden], and the sums for nobody's use.
    """

    @staticmethod
    def forward(
        ctx: Any, sums: torch.Tensor, weight: torch.Tensor, hidden_0: torch.Tensor, memory_0: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """See the class."""
        acts = sums.unflatten(1, (-1, hidden_0.shape[1]))
        hidden, memory = _states(acts, hidden_0, memory_0)
        turned = weight.transpose(1, 2)
        for t in range(acts.shape[1]):
            torch.baddbmm(acts[:, t], hidden[:, t], turned, out=acts[:, t])
            lstm_forward(acts[:, t], memory[t], memory[t + 1], hidden[:, t + 1])
        ctx.mark_dirty(sums)
        ctx.set_materialize_grads(False)
        ctx.save_for_backward(weight, sums, hidden, memory)
        return hidden[:, 1:], sums

    @staticmethod
    def backward(
        ctx: Any, grad: torch.Tensor, _sums: None
    ) -> tuple[torch.Tensor, torch.Tensor, None, None]:
        """Gradients of sums and weights; those of the first state are nobody's."""
        weight, sums, hidden, memory = ctx.saved_tensors
        acts = sums.unflatten(1, (-1, hidden.shape[2]))
        grad_sums, grad_memory = torch.empty_like(acts), torch.zeros_like(memory[0])
        grad_next = torch.zeros_like(memory[0], dtype=hidden.dtype)
        for t in range(acts.shape[1] - 1, -1, -1):
            lstm_backward(grad[:, t], grad_next, grad_memory, acts[:, t], memory[t + 1], memory[t], grad_sums[:, t])
            torch.bmm(grad_sums[:, t], weight, out=grad_next)
        return grad_sums.flatten(1, 2), _of_weight(grad_sums, hidden), None, None


class GRUSteps(torch.autograd.Function):
    """A GRU layer's steps; ``sums`` hold what comes from its input and are used up.

    Shapes: sums [members, time * rows, 3 * hidden], weight [members, 3 * hidden, hidden], bias
    [members, 1, 3 * hidden], states [members, rows, hidden]. Gives the hidden states
    [members, time, rows, hidden], and the sums for nobody's use.
    """

    @staticmethod
    def forward(
        ctx: Any, sums: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor, state_0: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """See the class."""
        acts = sums.unflatten(1, (-1, state_0.shape[1]))
        hidden, memory = _states(acts, state_0, state_0)
        known, turned = torch.empty_like(acts), weight.transpose(1, 2)
        for t in range(acts.shape[1]):
            torch.baddbmm(bias, hidden[:, t], turned, out=known[:, t])
            gru_forward(acts[:, t], known[:, t], memory[t], memory[t + 1], hidden[:, t + 1])
        ctx.mark_dirty(sums)
        ctx.set_materialize_grads(False)
        ctx.save_for_backward(weight, sums, known, hidden, memory)
        return hidden[:, 1:], sums

    @staticmethod
    def backward(
        ctx: Any, grad: torch.Tensor, _sums: None
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, None]:
        """Gradients of sums, weights and biases; those of the first state are nobody's."""
        weight, sums, known, hidden, memory = ctx.saved_tensors
        acts = sums.unflatten(1, (-1, hidden.shape[2]))
        grad_sums, grad_known = torch.empty_like(acts), torch.empty_like(acts)
        grad_memory = torch.zeros_like(memory[0])
        grad_next = torch.zeros_like(grad_memory, dtype=hidden.dtype)
        for t in range(acts.shape[1] - 1, -1, -1):
            gru_backward(
                grad[:, t],
                grad_next,
                grad_memory,
                acts[:, t],
                known[:, t],
                memory[t],
                grad_sums[:, t],
                grad_known[:, t],
            )
            torch.bmm(grad_known[:, t], weight, out=grad_next)
        of_bias = grad_known.flatten(1, 2).sum(1, keepdim=True)
        return grad_sums.flatten(1, 2), _of_weight(grad_known, hidden), of_bias, None


def _states(
    acts: torch.Tensor, hidden_0: torch.Tensor, memory_0: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Room for the states before and after every step, the first ones filled in.

    Hidden states are [members, time + 1, rows, hidden], as products want them. What is remembered is float32
    [time + 1, members, rows, hidden]: a compiled function reads one step of it and writes another, and has to see that
    these share no memory.
    """
    members, time, rows = acts.shape[:3]
    hidden = acts.new_empty(members, time + 1, rows, hidden_0.shape[2])
    memory = acts.new_empty(time + 1, members, rows, hidden_0.shape[2], dtype=torch.float32)
    hidden[:, 0].copy_(hidden_0)
    memory[0].copy_(memory_0)
    return hidden, memory


def _of_weight(grad_sums: torch.Tensor, hidden: torch.Tensor) -> torch.Tensor:
    """The gradient of the recurrent weights, of all steps and rows at once."""
    return torch.bmm(grad_sums.flatten(1, 2).transpose(1, 2), hidden[:, :-1].flatten(1, 2))
