"""Metrics: what a generated sample is like as music, in single numbers of the literature.

Each says what the number is and how far it is from that of the reference pieces. Neither more nor less of it is better
by itself: a sample should be like the music that the model learned from.
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
    "pitch_range": "Semitones from the lowest to the highest pitch.",
    "pitch_classes": "How many of the twelve pitch classes are used.",
    "pitch_entropy": "Entropy of the histogram of pitch, in bits.",
    "pitch_class_entropy": "Entropy of the histogram of pitch class, in bits.",
    "scale_consistency": "Largest share of the notes that is in one major or natural minor scale.",
    "polyphony": "How many notes sound at once, on average, while any does.",
    "notes_per_second": "Notes a second, from the first onset to the last end.",
    "empty_time": "Share of the time in which no note sounds.",
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
}


def _build(name: str, options: NoOptions) -> ablate.Metric:
    from ablate_musicality.metric import Musicality  # NumPy only when built
    from ablate_musicality.pieces import NUMBERS

    del options
    return Musicality(*NUMBERS[name])


@ablate.hookimpl
def ablate_metrics() -> Iterable[ablate.MetricSpec]:
    """Offer one metric a number."""
    for name, summary in _SUMMARIES.items():
        yield ablate.MetricSpec(
            name=f"musicality.{name}",
            summary=summary,
            build=functools.partial(_build, name),
            cite=_SOURCES[name],
        )
