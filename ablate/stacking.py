"""For models that can be trained as a stack: the networks of strangers inside them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    import torch


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
    import torch
    from torch.func import functional_call

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
