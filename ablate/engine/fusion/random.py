"""The random numbers of fused models in training: a separate stream for each model."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from collections.abc import Sequence


class FusedStreams:
    """The engine's :class:`~ablate.interfaces.RandomStreams`: a model's numbers do not depend on the other models.

    On a CPU a model gets the same numbers as from ``torch.randn`` and ``torch.nn.Dropout`` when it is trained alone.

    Args:
        models: the number of models.
        device: of the numbers.

    Attributes:
        generators: one for each model; a recorded step has to register them.
        used: whether any number was drawn so far.
    """

    def __init__(self, models: int, device: torch.device) -> None:
        self._device = device
        self.generators = [torch.Generator(device) for _ in range(models)]
        self.used = False
        self._scales: dict[tuple[tuple[float, ...], torch.dtype], torch.Tensor] = {}

    def seed(self, seeds: Sequence[int]) -> None:
        """Seed the stream of each model, as before every step."""
        for generator, seed in zip(self.generators, seeds, strict=True):
            generator.manual_seed(seed)

    def normal(self, shape: Sequence[int], scales: Sequence[float]) -> torch.Tensor:
        """Return normal numbers around 0, float32 [models, *shape]; a model of scale 0 draws none and gets zeros."""
        values = torch.zeros(len(self.generators), *shape, device=self._device)
        for part, generator, scale in zip(values, self.generators, scales, strict=True):
            if scale:
                self.used = True
                part.normal_(std=scale, generator=generator)
        return values

    def dropout(self, values: torch.Tensor, shares: Sequence[float]) -> torch.Tensor:
        """Return ``values`` [models, ...] after dropout, with one rate for each model, at least 0 and less than 1."""
        if not any(shares):
            return values
        self.used = True
        mask = torch.ones(values.shape, dtype=torch.uint8, device=self._device)
        for part, generator, share in zip(mask, self.generators, shares, strict=True):
            if share:
                part.bernoulli_(1 - share, generator=generator)
        return values * (mask * self._scale(tuple(shares), values.dtype).view(-1, *[1] * (values.dim() - 1)))

    def _scale(self, shares: tuple[float, ...], dtype: torch.dtype) -> torch.Tensor:
        # kept, because nothing may be copied from the host while a step is recorded
        if (shares, dtype) not in self._scales:
            scales_m = torch.tensor([1 / (1 - share) for share in shares])
            self._scales[shares, dtype] = scales_m.to(self._device, dtype)
        return self._scales[shares, dtype]
