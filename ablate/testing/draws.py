"""Draws to test stacks with, and a watch over the device that they compute on."""

# ruff: noqa: S101 - these are tests, though a plugin's author imports them

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence
    from contextlib import AbstractContextManager

    import torch


class NoDraws:
    """Draws that change nothing: no dropout, and zeros."""

    def __init__(self, device: str = "cpu") -> None:
        self._device = device

    def normal(self, shape: Sequence[int], scales: Sequence[float]) -> torch.Tensor:
        """Zeros, [members, *shape]."""
        import torch

        return torch.zeros(len(scales), *shape, device=self._device)

    def dropout(self, values: torch.Tensor, shares: Sequence[float]) -> torch.Tensor:
        """The values as they are."""
        del shares
        return values


class SeededDraws:
    """Draws from a stream for each member, which begins at its seed.

    Attributes:
        used: whether anything was drawn.
    """

    def __init__(self, seeds: Sequence[int]) -> None:
        import torch

        self._streams = [torch.Generator().manual_seed(seed) for seed in seeds]
        self.used = False

    def normal(self, shape: Sequence[int], scales: Sequence[float]) -> torch.Tensor:
        """Normal numbers, [members, *shape]."""
        import torch

        self.used = self.used or any(scales)
        pairs = zip(self._streams, scales, strict=True)
        return torch.stack([scale * torch.randn(*shape, generator=stream) for stream, scale in pairs])

    def dropout(self, values: torch.Tensor, shares: Sequence[float]) -> torch.Tensor:
        """Values with each member's share dropped."""
        import torch

        self.used = self.used or any(shares)
        kept = []
        for own, stream, share in zip(values, self._streams, shares, strict=True):
            kept.append(own * (torch.rand(own.shape, generator=stream) >= share) / (1 - share))
        return torch.stack(kept)


def only_on_meta() -> AbstractContextManager[Any]:
    """Fail at an operation on a tensor of the host; single numbers are passed to a kernel by value.

    On torch's device ``meta`` there are shapes and no numbers, so whatever asks for a number fails too.
    """
    import torch
    from torch.utils import _pytree as pytree
    from torch.utils._python_dispatch import TorchDispatchMode

    class OnlyOnMeta(TorchDispatchMode):  # type: ignore[no-untyped-call]
        def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            del types
            result = func(*args, **(kwargs or {}))
            for value in pytree.tree_leaves((args, kwargs, result)):
                if isinstance(value, torch.Tensor) and value.dim():
                    assert value.device.type == "meta", f"{func} touches a tensor on the {value.device.type}"
            return result

    return OnlyOnMeta()  # type: ignore[no-untyped-call]
