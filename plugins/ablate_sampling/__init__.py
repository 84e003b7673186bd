"""Samplers: how the next token is drawn from what the model predicts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import ablate
from ablate_sampling.sources import FAN_2018, HOLTZMAN_2020, KESKAR_2019, MEISTER_2023, NGUYEN_2025

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


@dataclass(frozen=True)
class TemperatureOptions:
    """Options of ``temperature``."""

    tau: float = ablate.option(
        1.0, ge=0, doc="Divides the logits: 1 changes nothing, less is more cautious, 0 is greedy."
    )


@dataclass(frozen=True)
class TopKOptions:
    """Options of ``top_k``."""

    k: int = ablate.option(40, ge=0, doc="How many of the likeliest tokens are kept; 0 keeps all.")


@dataclass(frozen=True)
class TopPOptions:
    """Options of ``top_p``."""

    p: float = ablate.option(
        0.95, ge=0, le=1, doc="Probability that the kept tokens hold together; 1 keeps all, 0 only the likeliest."
    )


@dataclass(frozen=True)
class MinPOptions:
    """Options of ``min_p``."""

    share: float = ablate.option(
        0.1, ge=0, le=1, doc="Smallest probability kept, as a share of the likeliest token's; 0 keeps all."
    )


@dataclass(frozen=True)
class TypicalOptions:
    """Options of ``typical``."""

    p: float = ablate.option(
        0.95, ge=0, le=1, doc="Probability that the kept tokens hold together; 1 keeps all, 0 only the most typical."
    )


@dataclass(frozen=True)
class RepetitionPenaltyOptions:
    """Options of ``repetition_penalty``."""

    # more would be a ban, and could overflow the logits
    penalty: float = ablate.option(
        1.2, ge=1, le=100, doc="Divides positive logits and multiplies negative ones; 1 changes nothing."
    )
    window: int = ablate.option(
        0, ge=0, doc="How many of the latest tokens count, primer and start token among them; 0 counts all."
    )


@dataclass(frozen=True)
class GrammarOptions:
    """Options of ``grammar``."""

    enabled: bool = ablate.option(True, doc="Whether the grammar holds; false changes nothing.")


def _temperature(rows: Sequence[TemperatureOptions], tokenizer: ablate.Tokenizer) -> ablate.Sampler:
    from ablate_sampling.temperature import Temperature

    del tokenizer
    return Temperature([row.tau for row in rows])


def _top_k(rows: Sequence[TopKOptions], tokenizer: ablate.Tokenizer) -> ablate.Sampler:
    from ablate_sampling.truncation import TopK

    del tokenizer
    return TopK([row.k for row in rows])


def _top_p(rows: Sequence[TopPOptions], tokenizer: ablate.Tokenizer) -> ablate.Sampler:
    from ablate_sampling.truncation import TopP

    del tokenizer
    return TopP([row.p for row in rows])


def _min_p(rows: Sequence[MinPOptions], tokenizer: ablate.Tokenizer) -> ablate.Sampler:
    from ablate_sampling.truncation import MinP

    del tokenizer
    return MinP([row.share for row in rows])


def _typical(rows: Sequence[TypicalOptions], tokenizer: ablate.Tokenizer) -> ablate.Sampler:
    from ablate_sampling.truncation import Typical

    del tokenizer
    return Typical([row.p for row in rows])


def _repetition_penalty(rows: Sequence[RepetitionPenaltyOptions], tokenizer: ablate.Tokenizer) -> ablate.Sampler:
    from ablate_sampling.repetition import RepetitionPenalty

    del tokenizer
    return RepetitionPenalty([row.penalty for row in rows], [row.window for row in rows])


def _grammar(rows: Sequence[GrammarOptions], tokenizer: ablate.Tokenizer) -> ablate.Sampler:
    from ablate_sampling.grammar import Grammar

    return Grammar([row.enabled for row in rows], tokenizer)


@ablate.hookimpl
def ablate_samplers() -> Iterable[ablate.SamplerSpec]:
    """Offer the samplers."""
    yield ablate.SamplerSpec(
        name="temperature",
        summary="Divides the logits by tau; 0 takes the likeliest token.",
        options=TemperatureOptions,
        build=_temperature,
    )
    yield ablate.SamplerSpec(
        name="top_k",
        summary="Keeps the k likeliest tokens.",
        options=TopKOptions,
        build=_top_k,
        cite=(FAN_2018,),
    )
    yield ablate.SamplerSpec(
        name="top_p",
        summary="Nucleus sampling: keeps the likeliest tokens that together hold the probability p.",
        options=TopPOptions,
        build=_top_p,
        cite=(HOLTZMAN_2020,),
    )
    yield ablate.SamplerSpec(
        name="min_p",
        summary="Keeps the tokens that are at least a share as likely as the likeliest.",
        options=MinPOptions,
        build=_min_p,
        cite=(NGUYEN_2025,),
    )
    yield ablate.SamplerSpec(
        name="typical",
        summary="Keeps the tokens that tell nearly as much as is expected, up to the probability p.",
        options=TypicalOptions,
        build=_typical,
        cite=(MEISTER_2023,),
    )
    yield ablate.SamplerSpec(
        name="repetition_penalty",
        summary="Makes tokens less likely that were there before.",
        options=RepetitionPenaltyOptions,
        build=_repetition_penalty,
        cite=(KESKAR_2019,),
    )
    yield ablate.SamplerSpec(
        name="grammar",
        summary="Forbids what the tokenizer would never write next; stands before what keeps the best tokens.",
        options=GrammarOptions,
        build=_grammar,
    )
