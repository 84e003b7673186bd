"""Metrics: how much of a generated sample repeats, from bar to bar and over longer times.

A histogram of notes is the same for music in any order. These numbers are not, so they show what histograms cannot: a
sample without rhythm or form.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

import ablate
from ablate_structure.options import GrooveOptions, RepetitionOptions
from ablate_structure.sources import DONG_2020, MUELLER_2011, WU_2020
from ablate_structure.words import GROOVE, REPETITION

if TYPE_CHECKING:
    from collections.abc import Iterable


def _groove(options: GrooveOptions) -> ablate.Metric:
    from ablate_structure import metric  # NumPy only when built

    return metric.StructureNumbers(functools.partial(metric.groove, options=options))


def _repetition(options: RepetitionOptions) -> ablate.Metric:
    from ablate.music.performance import pitched
    from ablate_structure import metric

    return metric.StructureNumbers(functools.partial(metric.repetition, options=options), pitched)


@ablate.hookimpl
def ablate_metrics() -> Iterable[ablate.MetricSpec]:
    """Offer the metric of rhythm and the metric of form."""
    yield ablate.MetricSpec(
        name="structure.groove",
        summary="Agreement of onsets from bar to bar, and the strongest period; of all notes, drums included.",
        options=GrooveOptions,
        build=_groove,
        features=GROOVE,
        cite=(WU_2020, DONG_2020),
    )
    yield ablate.MetricSpec(
        name="structure.repetition",
        summary="Structureness indicators: fitness of the best segment, short, middle and long, without drums.",
        options=RepetitionOptions,
        build=_repetition,
        features=REPETITION,
        cite=(WU_2020, MUELLER_2011),
    )
