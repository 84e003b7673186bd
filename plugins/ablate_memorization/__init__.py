"""Metrics: how much of a generated sample is copied from the reference, note for note.

What histograms cannot tell: of a model that has learned one piece by heart, the copy of that piece is the best sample
by any distance between histograms.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import ablate
from ablate_memorization.sources import MCCOY_2023, YIN_2022

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass(frozen=True)
class LongestOptions:
    """Options of ``memorization.longest``, and of the other two as well: what counts as the same notes."""

    together: float = ablate.option(
        0.05,
        gt=0,
        le=1,
        doc="How far an interval between onsets may be off, in seconds; a chord's notes may change places.",
    )
    stretch: float = ablate.option(
        1.4, ge=1, le=4, doc="How many times as long or as short an interval between onsets may be, besides `together`."
    )
    transposed: bool = ablate.option(
        False,
        doc="Also count notes that are all transposed alike; scales, trills and repeated notes then match at once.",
    )


@dataclass(frozen=True)
class NgramsOptions(LongestOptions):
    """Options of ``memorization.ngrams``."""

    n: int = ablate.option(8, ge=2, doc="How many successive notes make an n-gram.")


@dataclass(frozen=True)
class CoveredOptions(LongestOptions):
    """Options of ``memorization.covered``."""

    length: int = ablate.option(20, ge=2, doc="How many notes a copied run must have to be counted.")


def _ngrams(options: NgramsOptions) -> ablate.Metric:
    from ablate_memorization import metrics

    return metrics.Memorization(options, lambda lengths: metrics.ngrams(lengths, options.n))


def _longest(options: LongestOptions) -> ablate.Metric:
    from ablate_memorization import metrics

    return metrics.Memorization(options, metrics.longest)


def _covered(options: CoveredOptions) -> ablate.Metric:
    from ablate_memorization import metrics

    return metrics.Memorization(options, lambda lengths: metrics.covered(lengths, options.length))


@ablate.hookimpl
def ablate_metrics() -> Iterable[ablate.MetricSpec]:
    """Offer three readings of the same search."""
    yield ablate.MetricSpec(
        name="memorization.ngrams",
        summary="Share of the sample's n-grams of notes that stand in a reference piece.",
        options=NgramsOptions,
        build=_ngrams,
        cite=(MCCOY_2023,),
        copying=True,
    )
    yield ablate.MetricSpec(
        name="memorization.longest",
        summary="The longest run of successive notes copied from one reference piece.",
        options=LongestOptions,
        build=_longest,
        cite=(YIN_2022,),
    )
    yield ablate.MetricSpec(
        name="memorization.covered",
        summary="Share of the sample's notes in long copied runs.",
        options=CoveredOptions,
        build=_covered,
        cite=(YIN_2022,),
        copying=True,
    )
