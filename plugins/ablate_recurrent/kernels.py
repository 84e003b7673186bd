"""The pointwise functions of one step of LSTM and GRU layers of several networks, forward and backward.

They are compiled on a GPU. The equations are those of ``torch.nn.LSTM`` (gates: input, forget, candidate, output) and
``torch.nn.GRU`` (reset, update, candidate), in float32; tests compare results and all gradients with torch's.
"""

from __future__ import annotations

import functools
import logging
import warnings
from types import FunctionType
from typing import TYPE_CHECKING, Any

import torch
from torch.utils.dlpack import from_dlpack

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

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
            except (RuntimeError, ImportError, AssertionError, BufferError, _dynamo_error()) as error:
                self._fails = True
                reason = " ".join(str(error).split())
                _log.warning("torch.compile does not work here, so training is slower: %s", reason)
            else:
                return
        self._function(*tensors)

    def compiled(self, *tensors: torch.Tensor) -> None:
        """Apply the compiled function, on any device.

        The first call of a shape compares it with the function itself. If they differ, it is not used any more.
        """
        key = tuple((tensor.shape, tensor.stride(), tensor.dtype) for tensor in tensors)
        if key in self._compiled:
            self._compiled[key](*tensors)
            return
        with warnings.catch_warnings():
            # warnings about torch's own code, and advice to round float32 products
            warnings.simplefilter("ignore")
            if _compiler_is_off():
                self._function(*tensors)  # a compiled function would do the same now, and be used unchecked later
            else:
                self._compare(key, tensors)

    def _compare(self, key: Any, tensors: Sequence[torch.Tensor]) -> None:
        """Apply the compiled function and keep it, if it computes what the function itself does."""
        compiled, expected = self._compile(), [tensor.clone() for tensor in tensors]
        compiled(*map(_apart, tensors))
        self._function(*expected)
        if all(map(_agree, tensors, expected)):
            self._compiled[key] = compiled
        else:
            self._reject(tensors, expected)

    def _compile(self) -> Callable[..., None]:
        # a copy for each shape: torch limits the number of shapes for which it compiles one function
        function: Any = self._function
        code, closure = function.__code__.replace(), function.__closure__
        copy = FunctionType(code, function.__globals__, function.__name__, None, closure)
        compiled: Callable[..., None] = torch.compile(copy, dynamic=False)
        return compiled

    def _reject(self, tensors: Sequence[torch.Tensor], expected: Sequence[torch.Tensor]) -> None:
        self._fails = True
        name, shape = self._function.__name__, tuple(tensors[0].shape)
        _log.warning("%s computes other numbers when compiled, for shape %s, so it is not: slower", name, shape)
        for tensor, right in zip(tensors, expected, strict=True):
            tensor.copy_(right)


def _apart(tensor: torch.Tensor) -> torch.Tensor:
    """Return the same memory as a tensor that is no view of another one.

    Views of one tensor that are written to count for the compiler as one argument, which it reads and writes by several
    kernels and through buffers. Those here never overlap. Later calls may pass views: the compiled code takes them.
    """
    # all of the memory, because the compiler takes the start of a tensor for aligned; from_dlpack() has no offsets
    whole = torch.empty(0, dtype=tensor.dtype, device=tensor.device).set_(tensor.untyped_storage())
    apart: torch.Tensor = from_dlpack(whole)
    return apart.as_strided(tensor.shape, tensor.stride(), tensor.storage_offset())


def _agree(one: torch.Tensor, other: torch.Tensor) -> bool:
    """Check whether two results of the same type are equal up to rounding, NaN where the other one is."""
    rounding = 2 * torch.finfo(one.dtype).eps if one.dtype == torch.bfloat16 else 1e-4
    largest = float(other.float().abs().nan_to_num(0, 0, 0).max()) if other.numel() else 0.0
    return torch.allclose(one.float(), other.float(), rtol=rounding, atol=rounding * largest, equal_nan=True)


def _compiler_is_off() -> bool:
    """Return whether compiled functions run as they are at the moment, by ``torch.compiler.set_stance``."""
    from torch._dynamo import eval_frame

    return bool(eval_frame._stance.stance == "force_eager")  # noqa: SLF001 - torch offers no other way to ask


def _dynamo_error() -> type[Exception]:
    """Return the class that torch raises where it cannot compile; imported only after an error."""
    from torch._dynamo.exc import TorchDynamoException

    return TorchDynamoException


# Every function below takes tensors [models, rows, ...] of one step. ``sums`` is the contribution of the layer's input
# and biases to the gates, ``state_sums`` that of the state before, both with the gates side by side in the last
# dimension. The activations saved for the backward pass and the gradients of sums are one tensor for each gate, all of
# equal size, so that a single kernel can cover everything that is written.


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
    grad_input: torch.Tensor,
    grad_forget: torch.Tensor,
    grad_candidate: torch.Tensor,
    grad_output: torch.Tensor,
) -> None:
    """Write the gradient of the sums of each gate, and that of the memory before into ``grad_memory``.

    ``grad_hidden`` comes from the layer above, ``grad_next`` from the step after.
    """
    input_gate, forget_gate = saved_input.float(), saved_forget.float()
    candidate, output_gate = saved_candidate.float(), saved_output.float()
    squashed = memory.tanh()
    total_hidden = grad_hidden.float() + grad_next.float()
    total_memory = grad_memory + total_hidden * output_gate * (1 - squashed * squashed)
    grad_input.copy_(total_memory * candidate * input_gate * (1 - input_gate))
    grad_forget.copy_(total_memory * before * forget_gate * (1 - forget_gate))
    grad_candidate.copy_(total_memory * input_gate * (1 - candidate * candidate))
    grad_output.copy_(total_hidden * squashed * output_gate * (1 - output_gate))
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
    grad_reset: torch.Tensor,
    grad_update: torch.Tensor,
    grad_candidate: torch.Tensor,
    grad_state_reset: torch.Tensor,
    grad_state_update: torch.Tensor,
    grad_state_candidate: torch.Tensor,
) -> None:
    """Write the gradients of the sums of each gate, first the input's, then the state's.

    The direct gradient of the state before goes into ``grad_memory``.
    """
    reset, update, candidate = saved_reset.float(), saved_update.float(), saved_candidate.float()
    total_hidden = grad_hidden.float() + grad_next.float() + grad_memory
    of_candidate = total_hidden * (1 - update) * (1 - candidate * candidate)
    of_reset = of_candidate * saved_term.float() * reset * (1 - reset)
    of_update = total_hidden * (before - candidate) * update * (1 - update)
    grad_candidate.copy_(of_candidate)
    grad_state_candidate.copy_(of_candidate * reset)
    for grad in (grad_reset, grad_state_reset):
        grad.copy_(of_reset)
    for grad in (grad_update, grad_state_update):
        grad.copy_(of_update)
    grad_memory.copy_(total_hidden * update)
