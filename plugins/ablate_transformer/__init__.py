"""Model: a small causal transformer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import ablate
from ablate_transformer.options import TransformerOptions
from ablate_transformer.sources import RADFORD_2019, SU_2021, VASWANI_2017

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


def _build(options: TransformerOptions, vocabulary: int, conditioners: Sequence[ablate.Conditioner]) -> Any:
    from ablate_transformer.network import Transformer

    return Transformer(options, vocabulary, conditioners)


@ablate.hookimpl
def ablate_models() -> Iterator[ablate.ModelSpec]:
    """Offer the model."""
    yield ablate.ModelSpec(
        name="transformer",
        version="3",  # attention is written out where products are in bf16
        summary="Causal transformer with rotary positions, each layer attending to a fixed context.",
        options=TransformerOptions,
        build=_build,
        cite=(VASWANI_2017, RADFORD_2019, SU_2021),
    )
