"""For networks as a stack: their weights as one, and what every member does with its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch.func import functional_call

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def each_member(
    modules: Sequence[torch.nn.Module], weights: Mapping[str, torch.Tensor], prefix: str, values: torch.Tensor
) -> torch.Tensor:
    """A module of every member's network, such as a conditioner's, applied to that member's values.

    Where they are alike but for their weights, it is done for all members at once.

    Args:
        modules: every member's own.
        weights: of all members' networks by their full names, [members, ...] each.
        prefix: what the names of the module's own begin with, such as ``"conditioners.0."``.
        values: [members, ...], what the modules are given.

    Returns:
        What they give, [members, ...].
    """
    own = {name.removeprefix(prefix): weight for name, weight in weights.items() if name.startswith(prefix)}
    if alike(modules):

        def one(own: dict[str, torch.Tensor], values: torch.Tensor) -> torch.Tensor:
            result: torch.Tensor = functional_call(modules[0], own, (values,))
            return result

        try:
            at_once: torch.Tensor = torch.vmap(one)(own, values)
        except torch.OutOfMemoryError:
            raise
        except RuntimeError:  # not everything can be done for all of them at once; one after another, anything can
            pass
        else:
            return at_once
    one_by_one = [
        functional_call(module, {name: weight[v] for name, weight in own.items()}, (values[v],))
        for v, module in enumerate(modules)
    ]
    return torch.stack(one_by_one)


def alike(modules: Sequence[torch.nn.Module]) -> bool:
    """Whether modules are of the same classes throughout and set up equally, as far as can be seen."""
    first, *others = ([(name, type(part), _settings(part)) for name, part in m.named_modules()] for m in modules)
    try:
        return all(bool(first == other) for other in others)
    except (RuntimeError, ValueError):  # what cannot be compared, such as tensors
        return False


def _settings(module: torch.nn.Module) -> dict[str, Any]:
    usual = vars(torch.nn.Module())
    return {name: value for name, value in vars(module).items() if name not in usual}


def each_embedding(tables: torch.Tensor, tokens: torch.Tensor) -> torch.Tensor:
    """The rows of every member's table that its tokens name; gradients reach the tables.

    Backward is a product with ones and zeros, which adds up in the same order every time. torch's own adds with atomic
    operations on some devices, in whatever order they come.

    Args:
        tables: [members, words, width].
        tokens: int64 [members, ...].

    Returns:
        [members, ..., width].
    """
    rows: torch.Tensor = _Embedding.apply(tables, tokens.flatten(1))  # type: ignore[no-untyped-call]
    return rows.view(*tokens.shape, -1)


def stacked_weights(models: Sequence[torch.nn.Module], device: torch.device | str) -> dict[str, torch.Tensor]:
    """The weights of networks with equal shapes by name, float32 [members, ...], ready to be trained."""
    own = [dict(model.named_parameters()) for model in models]
    with torch.no_grad():
        return {name: torch.stack([each[name] for each in own]).to(device).requires_grad_() for name in own[0]}


class NoDraws:
    """See :class:`~ablate.interfaces.Draws`: draws that change nothing, no dropout, and zeros."""

    def __init__(self, device: torch.device | str = "cpu") -> None:
        self._device = device

    def normal(self, shape: Sequence[int], scales: Sequence[float]) -> torch.Tensor:
        """Zeros, [members, *shape]."""
        return torch.zeros(len(scales), *shape, device=self._device)

    def dropout(self, values: torch.Tensor, shares: Sequence[float]) -> torch.Tensor:
        """The values as they are."""
        del shares
        return values


class _Embedding(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, tables_vwe: torch.Tensor, tokens_vn: torch.Tensor) -> torch.Tensor:
        ctx.save_for_backward(tokens_vn)
        ctx.words = tables_vwe.shape[1]
        return tables_vwe[torch.arange(len(tables_vwe), device=tables_vwe.device)[:, None], tokens_vn]

    @staticmethod
    def backward(ctx: Any, grad_vne: torch.Tensor) -> tuple[torch.Tensor, None]:
        (tokens_vn,) = ctx.saved_tensors
        ones_vnw = grad_vne.new_zeros(*tokens_vn.shape, ctx.words).scatter_(2, tokens_vn[..., None], 1)
        return torch.bmm(ones_vnw.transpose(1, 2), grad_vne), None
