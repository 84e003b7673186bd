"""One sample to generate."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ablate.arrays import IntArray
    from ablate.specs import SamplerSpec


@dataclasses.dataclass(frozen=True)
class Row:
    """One sample to generate.

    Attributes:
        model: the index of its model.
        chain: the samplers in order, each with this row's options.
        tokens: how many new tokens to generate.
        seed: of the row's own stream of uniform numbers.
        primer: tokens to continue, int64 [time]; an empty one is replaced by the tokenizer's start token.
        labels: for the conditioners; missing labels take the conditioner's default.
    """

    model: int
    chain: tuple[tuple[SamplerSpec, Any], ...]
    tokens: int
    seed: int
    primer: IntArray = dataclasses.field(default_factory=lambda: np.empty(0, np.int64))
    labels: Mapping[str, float] = dataclasses.field(default_factory=dict)

    @property
    def start(self) -> int:
        """The position of the first new token: after the primer, or after the start token."""
        return max(len(self.primer), 1)

    @property
    def samplers(self) -> tuple[str, ...]:
        """The names of the samplers in its chain; rows with the same names share a call of each."""
        return tuple(spec.name for spec, _ in self.chain)
