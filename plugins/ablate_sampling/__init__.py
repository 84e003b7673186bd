"""Samplers: how the next token is drawn from what the model predicts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import ablate

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


@dataclass(frozen=True)
class TemperatureOptions:
    """Options of ``temperature``."""

    tau: float = ablate.option(
        1.0, ge=0, doc="Divides the logits: 1 changes nothing, less is more cautious, 0 is greedy."
    )


def _temperature(rows: Sequence[TemperatureOptions], tokenizer: ablate.Tokenizer) -> ablate.Sampler:
    from ablate_sampling.temperature import Temperature

    del tokenizer
    return Temperature([row.tau for row in rows])


@ablate.hookimpl
def ablate_samplers() -> Iterable[ablate.SamplerSpec]:
    """Offer the sampler."""
    yield ablate.SamplerSpec(
        name="temperature",
        summary="Divides the logits by tau; 0 takes the likeliest token.",
        options=TemperatureOptions,
        build=_temperature,
    )
