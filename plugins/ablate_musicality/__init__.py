"""Metrics: numbers from the literature that describe a generated sample as music.

Each metric gives the number itself and its difference from the reference pieces. A higher or lower number is not better
by itself: a sample should resemble the training music.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

import ablate
from ablate_musicality.sources import DONG_2020, MOGREN_2016, WU_2020, YANG_2020

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ablate.specs import NoOptions

_SUMMARIES = {
    "pitch_range": "Semitones from the lowest to the highest pitch, without drums.",
    "pitch_classes": "Number of the twelve pitch classes that are used, without drums.",
    "pitch_entropy": "Entropy of the histogram of pitch, in bits, without drums.",
    "pitch_class_entropy": "Entropy of the histogram of pitch class, in bits, without drums.",
    "scale_consistency": "Largest share of the notes in one major or natural minor scale, without drums.",
    "polyphony": "Average number of notes that sound at once, while any note sounds, without drums.",
    "notes_per_second": "Notes per second, from the first onset to the last end, with drums.",
    "empty_time": "Share of the time without a sounding note, with drums.",
    "instruments": "Number of different instruments, drums as one of them.",
}
_FEATURES = {
    "value": "The number itself, of the sample alone.",
    "difference": "The distance of this number from its mean over the reference pieces.",
}
_SOURCES = {
    "pitch_range": (DONG_2020, YANG_2020),
    "pitch_classes": (DONG_2020,),
    "pitch_entropy": (DONG_2020,),
    "pitch_class_entropy": (DONG_2020, WU_2020),
    "scale_consistency": (MOGREN_2016, DONG_2020),
    "polyphony": (DONG_2020,),
    "notes_per_second": (YANG_2020,),
    "empty_time": (DONG_2020,),
    "instruments": (),
}


def _build(name: str, options: NoOptions) -> ablate.Metric:
    from ablate_musicality.metric import Musicality  # NumPy only when built
    from ablate_musicality.pieces import NUMBERS

    del options
    return Musicality(NUMBERS[name])


@ablate.hookimpl
def ablate_metrics() -> Iterable[ablate.MetricSpec]:
    """Offer one metric for each number."""
    for name, summary in _SUMMARIES.items():
        yield ablate.MetricSpec(
            name=f"musicality.{name}",
            summary=summary,
            build=functools.partial(_build, name),
            features=_FEATURES,
            cite=_SOURCES[name],
        )
