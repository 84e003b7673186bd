"""Samplers: changes to the distribution from which the next token is drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING

import ablate
from ablate_sampling.options import (
    GrammarOptions,
    MinPOptions,
    RepetitionPenaltyOptions,
    TemperatureOptions,
    TopKOptions,
    TopPOptions,
    TypicalOptions,
)
from ablate_sampling.sources import FAN_2018, HOLTZMAN_2020, KESKAR_2019, MEISTER_2023, NGUYEN_2025

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


def _temperature(rows: Sequence[TemperatureOptions]) -> ablate.Sampler:
    from ablate_sampling.temperature import Temperature

    return Temperature([row.tau for row in rows])


def _top_k(rows: Sequence[TopKOptions]) -> ablate.Sampler:
    from ablate_sampling.truncation import TopK

    return TopK([row.k for row in rows])


def _top_p(rows: Sequence[TopPOptions]) -> ablate.Sampler:
    from ablate_sampling.truncation import TopP

    return TopP([row.p for row in rows])


def _min_p(rows: Sequence[MinPOptions]) -> ablate.Sampler:
    from ablate_sampling.truncation import MinP

    return MinP([row.share for row in rows])


def _typical(rows: Sequence[TypicalOptions]) -> ablate.Sampler:
    from ablate_sampling.truncation import Typical

    return Typical([row.p for row in rows])


def _repetition_penalty(rows: Sequence[RepetitionPenaltyOptions]) -> ablate.Sampler:
    from ablate_sampling.repetition import RepetitionPenalty

    return RepetitionPenalty([row.penalty for row in rows], [row.window for row in rows])


def _grammar(rows: Sequence[GrammarOptions]) -> ablate.Sampler:
    from ablate_sampling.grammar import Grammar

    return Grammar([row.enabled for row in rows])


@ablate.hookimpl
def ablate_samplers() -> Iterable[ablate.SamplerSpec]:
    """Offer the samplers."""
    yield ablate.SamplerSpec(
        name="temperature",
        summary="Divides the logits by tau; 0 takes the likeliest token.",
        options=TemperatureOptions,
        build_rows=_temperature,
    )
    yield ablate.SamplerSpec(
        name="top_k",
        summary="Keeps the k likeliest tokens.",
        options=TopKOptions,
        build_rows=_top_k,
        cite=(FAN_2018,),
    )
    yield ablate.SamplerSpec(
        name="top_p",
        summary="Nucleus sampling: keeps the likeliest tokens that together have probability p.",
        options=TopPOptions,
        build_rows=_top_p,
        cite=(HOLTZMAN_2020,),
    )
    yield ablate.SamplerSpec(
        name="min_p",
        summary="Keeps the tokens with at least a given share of the likeliest token's probability.",
        options=MinPOptions,
        build_rows=_min_p,
        cite=(NGUYEN_2025,),
    )
    yield ablate.SamplerSpec(
        name="typical",
        summary="Locally typical sampling: keeps the tokens with information near the entropy, up to probability p.",
        options=TypicalOptions,
        build_rows=_typical,
        cite=(MEISTER_2023,),
    )
    yield ablate.SamplerSpec(
        name="repetition_penalty",
        summary="Makes tokens less likely that are already in the history.",
        options=RepetitionPenaltyOptions,
        build_rows=_repetition_penalty,
        cite=(KESKAR_2019,),
    )
    yield ablate.SamplerSpec(
        name="grammar",
        summary="Forbids tokens that the tokenizer would never write next; place it before samplers like top_k.",
        options=GrammarOptions,
        build_rows=_grammar,
    )
