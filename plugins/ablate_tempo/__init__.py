"""Tempo: an augmenter that changes it, a conditioner for the network, and a metric that checks generated music.

All three use the label ``tempo``: the playing speed relative to the recorded performance. 1 is as recorded, 1.2 is
faster, with every time divided by 1.2.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import ablate
from ablate_tempo.options import AugmenterOptions, ConditionerOptions, MetricOptions

if TYPE_CHECKING:
    from collections.abc import Iterable


def _augmenter(options: AugmenterOptions) -> ablate.Augmenter:
    from ablate_tempo.augmenter import TempoAugmenter

    return TempoAugmenter(options.factors)


def _conditioner(options: ConditionerOptions) -> ablate.Conditioner:
    from ablate_tempo import conditioner as c

    if options.source == "uniform":
        return c.UniformTempo(options.low, options.high)
    return c.ShuffledTempo() if options.source == "shuffled" else c.TempoConditioner()


def _metric(options: MetricOptions) -> ablate.Metric:
    from ablate_tempo.metric import TempoControl

    return TempoControl(options.together)


@ablate.hookimpl
def ablate_augmenters() -> Iterable[ablate.AugmenterSpec]:
    """Offer the augmenter."""
    yield ablate.AugmenterSpec(
        name="tempo",
        summary="One copy for each playing speed, labelled with it.",
        options=AugmenterOptions,
        build=_augmenter,
    )


@ablate.hookimpl
def ablate_conditioners() -> Iterable[ablate.ConditionerSpec]:
    """Offer the conditioner."""
    yield ablate.ConditionerSpec(
        name="tempo",
        summary="The playing speed as an input of the network, or a random or shuffled one in training.",
        options=ConditionerOptions,
        build=_conditioner,
    )


@ablate.hookimpl
def ablate_metrics() -> Iterable[ablate.MetricSpec]:
    """Offer the metric."""
    yield ablate.MetricSpec(
        name="control.tempo",
        summary="Playing speed relative to the reference, and its difference from the tempo label.",
        options=MetricOptions,
        build=_metric,
        features={
            "notes_per_second": "The notes per second, divided by those of the reference; 1 is the same speed.",
            "inter_onset_interval": "The chords per second, divided by those of the reference; 1 is the same speed.",
            "error": "The distance of notes_per_second from the tempo that the sample was asked for.",
        },
        reference="train",  # the label is relative to the music that the model was trained on
    )
