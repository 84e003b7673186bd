"""Random numbers in the training of a stack: every member's from a stream of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from collections.abc import Sequence


class FusedStreams:
    """See :class:`~ablate.interfaces.RandomStreams`; what a member draws does not depend on who else is in its stack.

    On the CPU a member draws the very numbers that ``torch.randn`` and ``torch.nn.Dropout`` would draw for it alone.

    Attributes:
        generators: the members' streams, for a recording of the step to know of.
        used: whether anything was drawn so far.
    """

    def __init__(self, members: int, device: torch.device) -> None:
        self._device = device
        self.generators = [torch.Generator(device) for _ in range(members)]
        self.used = False
        self._scales: dict[tuple[tuple[float, ...], torch.dtype], torch.Tensor] = {}

    def seed(self, seeds: Sequence[int]) -> None:
        """Let each member's stream begin at its seed, as before every step."""
        for generator, seed in zip(self.generators, seeds, strict=True):
            generator.manual_seed(seed)

    def normal(self, shape: Sequence[int], scales: Sequence[float]) -> torch.Tensor:
        """Normal numbers of each member's scale, float32 [members, *shape]."""
        drawn = torch.zeros(len(self.generators), *shape, device=self._device)
        for own, generator, scale in zip(drawn, self.generators, scales, strict=True):
            if scale:  # who wants none draws none
                self.used = True
                own.normal_(std=scale, generator=generator)
        return drawn

    def dropout(self, values: torch.Tensor, shares: Sequence[float]) -> torch.Tensor:
        """``values`` [members, ...] with each member's share of them dropped, the others scaled up in return."""
        if not any(shares):
            return values
        self.used = True
        kept = torch.ones(values.shape, dtype=torch.uint8, device=self._device)
        for own, generator, share in zip(kept, self.generators, shares, strict=True):
            if share:
                own.bernoulli_(1 - share, generator=generator)
        return values * (kept * self._scale(tuple(shares), values.dtype).view(-1, *[1] * (values.dim() - 1)))

    def _scale(self, shares: tuple[float, ...], dtype: torch.dtype) -> torch.Tensor:
        # made once: while a step is recorded nothing may be copied from the host
        if (shares, dtype) not in self._scales:
            scales = torch.tensor([1 / (1 - share) for share in shares])
            self._scales[shares, dtype] = scales.to(self._device, dtype)
        return self._scales[shares, dtype]
