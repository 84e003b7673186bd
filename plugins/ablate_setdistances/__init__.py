"""Metrics: how far the samples of a run, as a set, are from a set of reference pieces.

A metric of single samples cannot show that all samples are alike, or that their mean is right and their spread is not.
These compare two sets: by the distances between their pieces in one feature, or by mean and covariance of many.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

import ablate
from ablate_setdistances.options import FrechetOptions, LengthOptions, NoteOptions, SetOptions, TransitionOptions
from ablate_setdistances.sources import CHONG_2020, DOWSON_1982, HEUSEL_2017, YANG_2020

if TYPE_CHECKING:
    from collections.abc import Iterable

#: The features with their options and a few words for their summary.
_FEATURES: dict[str, tuple[type[SetOptions], str]] = {
    "pitch_count": (SetOptions, "number of different pitches, without drums"),
    "pitch_range": (SetOptions, "range of pitch, without drums"),
    "pitch_interval": (SetOptions, "mean interval between successive notes of an instrument"),
    "pitch_classes": (SetOptions, "histogram of pitch class, by seconds, without drums"),
    "pitch_class_transitions": (TransitionOptions, "transition matrix of pitch class, by instrument"),
    "note_count": (SetOptions, "number of notes, with drums"),
    "onset_interval": (SetOptions, "mean time between successive onsets, with drums"),
    "note_lengths": (LengthOptions, "histogram of twelve note lengths, without drums"),
    "note_length_transitions": (LengthOptions, "transition matrix of twelve note lengths, by instrument"),
}
#: The sentence for each feature of these metrics.
_WORDS = {
    "overlap": "The common area of two curves: of the distances within a set, and of those between the sets.",
    "divergence": "The Kullback-Leibler divergence between the same two curves: 0 where they are equal.",
}


def _build(name: str, options: SetOptions) -> ablate.SetMetric:
    from ablate_setdistances import features
    from ablate_setdistances.metric import SetDistance  # SciPy only when built

    feature = getattr(features, name)
    if isinstance(options, TransitionOptions):
        feature = functools.partial(feature, within=options.within)
    if isinstance(options, LengthOptions):
        feature = functools.partial(feature, bar=options.bar)
    return SetDistance(feature, options, pitched=name in features.PITCHED)


def _frechet(options: FrechetOptions) -> ablate.SetMetric:
    from ablate_setdistances.metric import FrechetDistance

    return FrechetDistance(options)


def _fewest(options: NoteOptions) -> int:
    return options.fewest


@ablate.hookimpl
def ablate_metrics() -> Iterable[ablate.SetMetricSpec]:
    """Offer one metric for each feature of Yang and Lerch, and the Fréchet distance."""
    for name, (options, words) in _FEATURES.items():
        yield ablate.SetMetricSpec(
            name=f"setdistance.{name}",
            summary=f"Overlapped area and KL of distances within and between sets: {words}.",
            options=options,
            build=functools.partial(_build, name),
            features=_WORDS,
            fewest=_fewest,
            fewest_pieces=_fewest,
            cite=(YANG_2020,),
        )
    yield ablate.SetMetricSpec(
        name="setdistance.frechet",
        summary="Fréchet distance over twelve symbolic features, and what it is by chance.",
        options=FrechetOptions,
        build=_frechet,
        features={
            "excess": "The distance minus what it is by chance: about 0 for other pieces of the same kind.",
            "distance": "The squared distance of the samples from the reference pieces.",
            "by_chance": "The mean squared distance of two sets of these sizes that are both drawn from the reference.",
        },
        fewest=_fewest,
        fewest_pieces=_fewest,
        cite=(DOWSON_1982, HEUSEL_2017, CHONG_2020),
    )
