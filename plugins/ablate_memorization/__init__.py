"""Metrics: how much of a generated sample is copied from the reference, note for note.

Histograms cannot show copying: the sample of a model that has memorised a piece is best by any distance between
histograms if it is a copy.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import ablate
from ablate_memorization.options import CoveredOptions, LongestOptions, NgramsOptions
from ablate_memorization.sources import MCCOY_2023, YIN_2022

if TYPE_CHECKING:
    from collections.abc import Iterable


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
    """Offer three metrics of the same search."""
    yield ablate.MetricSpec(
        name="memorization.ngrams",
        summary="Share of the sample's n-grams of notes that occur in a reference piece.",
        options=NgramsOptions,
        build=_ngrams,
        features={"share": "The share of the runs of n successive notes that occur in a piece of the reference too."},
        cite=(MCCOY_2023,),
        copied_share="share",
        reference="train",
    )
    yield ablate.MetricSpec(
        name="memorization.longest",
        summary="The longest passage of successive notes copied from one reference piece.",
        options=LongestOptions,
        build=_longest,
        features={
            "notes": "The number of notes in the longest copied passage.",
            "share": "The same number as a share of all notes of the sample.",
        },
        cite=(YIN_2022,),
        reference="train",
    )
    yield ablate.MetricSpec(
        name="memorization.covered",
        summary="Share of the sample's notes in long copied passages.",
        options=CoveredOptions,
        build=_covered,
        features={
            "share": "The share of the notes that lie in a copied passage of at least the length that its option sets."
        },
        cite=(YIN_2022,),
        copied_share="share",
        reference="train",
    )
