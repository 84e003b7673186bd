"""Helpers for fused models: several models of equal shape that run as one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch.func import functional_call

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def apply_each(
    modules: Sequence[torch.nn.Module], weights: Mapping[str, torch.Tensor], prefix: str, values: torch.Tensor
) -> torch.Tensor:
    """Apply one module of each model, such as a conditioner's, to the values of this model.

    Where the modules differ only in their weights, all are computed at once.

    Args:
        modules: one of each model.
        weights: all models' weights by their full names, [models, ...] each.
        prefix: the beginning of the names of the modules' weights, such as ``"conditioners.0."``.
        values: inputs of the modules, [models, ...].

    Returns:
        The outputs, [models, ...].
    """
    parameters = {name.removeprefix(prefix): weight for name, weight in weights.items() if name.startswith(prefix)}
    if alike(modules):

        def apply(parameters: dict[str, torch.Tensor], values: torch.Tensor) -> torch.Tensor:
            output: torch.Tensor = functional_call(modules[0], parameters, (values,))
            return output

        try:
            result: torch.Tensor = torch.vmap(apply)(parameters, values)
        except torch.OutOfMemoryError:
            raise
        except RuntimeError:  # vmap does not support every operation
            pass
        else:
            return result
    one_by_one = [
        functional_call(module, {name: weight[m] for name, weight in parameters.items()}, (values[m],))
        for m, module in enumerate(modules)
    ]
    return torch.stack(one_by_one)


def alike(modules: Sequence[torch.nn.Module]) -> bool:
    """Check whether modules have the same classes and settings throughout, as far as can be compared."""
    first, *others = ([(name, type(part), _settings(part)) for name, part in m.named_modules()] for m in modules)
    try:
        return all(bool(first == other) for other in others)
    except (RuntimeError, ValueError):  # settings that cannot be compared, such as tensors
        return False


def _settings(module: torch.nn.Module) -> dict[str, Any]:
    standard = vars(torch.nn.Module())
    return {name: value for name, value in vars(module).items() if name not in standard}


def embed_each(tables: torch.Tensor, tokens: torch.Tensor) -> torch.Tensor:
    """Look up the rows of each model's table for its tokens; gradients reach the tables.

    The backward pass is a product with ones and zeros, which adds in the same order every time. torch's own adds with
    atomic operations on some devices, in any order.

    Args:
        tables: one table for each model, [models, vocabulary, embedding].
        tokens: int64 [models, ...].

    Returns:
        [models, ..., embedding].
    """
    rows: torch.Tensor = _Embedding.apply(tables, tokens.flatten(1))  # type: ignore[no-untyped-call]
    return rows.view(*tokens.shape, -1)


def fused_weights(models: Sequence[torch.nn.Module], device: torch.device | str) -> dict[str, torch.Tensor]:
    """Return the weights of models with equal shapes by name, float32 [models, ...], ready to be trained."""
    parameters = [dict(model.named_parameters()) for model in models]
    with torch.no_grad():
        return {
            name: torch.stack([weights[name] for weights in parameters]).to(device).requires_grad_()
            for name in parameters[0]
        }


class NoRandomness:
    """Random streams that change nothing, see :class:`~ablate.interfaces.RandomStreams`: no dropout, and zeros."""

    def __init__(self, device: torch.device | str = "cpu") -> None:
        self._device = device

    def normal(self, shape: Sequence[int], scales: Sequence[float]) -> torch.Tensor:
        """Return zeros, [models, *shape]."""
        return torch.zeros(len(scales), *shape, device=self._device)

    def dropout(self, values: torch.Tensor, shares: Sequence[float]) -> torch.Tensor:
        """Return the values unchanged."""
        del shares
        return values


class _Embedding(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, tables_mve: torch.Tensor, tokens_mn: torch.Tensor) -> torch.Tensor:
        ctx.save_for_backward(tokens_mn)
        ctx.vocabulary = tables_mve.shape[1]
        return tables_mve[torch.arange(len(tables_mve), device=tables_mve.device)[:, None], tokens_mn]

    @staticmethod
    def backward(ctx: Any, grad_mne: torch.Tensor) -> tuple[torch.Tensor, None]:
        (tokens_mn,) = ctx.saved_tensors
        ones_mnv = grad_mne.new_zeros(*tokens_mn.shape, ctx.vocabulary).scatter_(2, tokens_mn[..., None], 1)
        return torch.bmm(ones_mnv.transpose(1, 2), grad_mne), None
