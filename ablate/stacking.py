"""For models that can be trained as a stack: what every member does with weights of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch.func import functional_call

if TYPE_CHECKING:
    from collections.abc import Mapping


def each_member(
    module: torch.nn.Module, weights: Mapping[str, torch.Tensor], prefix: str, values: torch.Tensor
) -> torch.Tensor:
    """A module of every member's network, such as a conditioner's, applied to that member's values.

    Args:
        module: of any one of the members.
        weights: of all members' networks by their full names, [members, ...] each.
        prefix: what the names of the module's own begin with, such as ``"conditioners.0."``.
        values: [members, ...], what the module is given.

    Returns:
        What it gives, [members, ...].
    """
    own = {name.removeprefix(prefix): weight for name, weight in weights.items() if name.startswith(prefix)}

    def one(weights: dict[str, torch.Tensor], values: torch.Tensor) -> torch.Tensor:
        result: torch.Tensor = functional_call(module, weights, (values,))
        return result

    try:
        at_once: torch.Tensor = torch.vmap(one)(own, values)
    except RuntimeError:  # not everything can be done for all of them at once; one after another, anything can
        members = range(len(values))
        return torch.stack([one({name: weight[v] for name, weight in own.items()}, values[v]) for v in members])
    return at_once


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
