"""Measure samples and models, and check what the metrics return."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, get_args

import numpy as np

from ablate.errors import StageError
from ablate.interfaces import Direction, Measurements, SetMetric
from ablate.music.storage import read_performances
from ablate.study.work.components import build
from ablate.study.work.load import pieces
from ablate.study.work.messages import MetricRecord, StageResult
from ablate.study.work.scoring import Scorer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ablate.interfaces import Histogram, Metric
    from ablate.music.performance import Performance
    from ablate.study.stage import Stage
    from ablate.study.work.messages import Context


def measure(stages: tuple[Stage, ...], context: Context) -> list[StageResult]:
    """Measure every sample of a generation, or a trained model."""
    (stage,) = stages
    choice = stage.config["metric"]
    metric = build("metric", choice, context.registry)
    split = pieces(context.home / stage.inputs["reference"].artifact, stage.config.get("split", {}))
    if "weights" in stage.inputs:
        score = Scorer(stage.inputs["weights"], context, [split.train, split.test])
        results = [metric.measure(score, split.train, split.test)]
    else:
        results = measured_music(metric, samples_to_measure(stage, context), split.train)
    name = choice["name"]
    measured = [checked(each, name) for each in results]
    values = [MetricRecord(i, name, value) for i, one in enumerate(measured) for value in one.values]
    histograms = [MetricRecord(i, name, histogram) for i, one in enumerate(measured) for histogram in one.histograms]
    return [StageResult(stage, {"samples": len(measured)}, 0.0, tuple(values), tuple(histograms))]


def measured_music(
    metric: Metric | SetMetric, generated: Sequence[Performance], reference: Sequence[Performance]
) -> list[Measurements]:
    """Measure performances: each by itself, or with a metric of sets all of them together, as one result."""
    if isinstance(metric, SetMetric):
        return [metric.measure(generated, reference)]
    return [metric.measure(sample, reference) for sample in generated]


def samples_to_measure(stage: Stage, context: Context) -> list[Performance]:
    """Return the samples to measure, with or without their primer, as set in the study file."""
    samples = read_performances(context.home / stage.inputs["generated"].artifact / "performances.npz")
    return [sample.whole() if stage.config.get("primer") else sample.continuation() for sample in samples]


def checked(measured: Any, name: str) -> Measurements:
    """Return the measurements of a metric as plain numbers.

    Raises:
        StageError: they are not valid measurements.
    """
    if not isinstance(measured, Measurements):
        raise StageError(f"metric '{name}' returned {type(measured).__name__}, not ablate.Measurements")
    features = [value.feature for value in measured.values]
    if not features or len(set(features)) < len(features):
        raise StageError(f"metric '{name}' must give each feature once, and at least one; it gave {features}")
    for value in measured.values:
        if not np.isfinite(value.value):
            raise StageError(f"metric '{name}' gave {value.value} for '{value.feature}'")
        if value.direction not in get_args(Direction):
            listing = ", ".join(get_args(Direction))
            raise StageError(f"metric '{name}': direction '{value.direction}' is none of {listing}")
    # NumPy's numbers are welcome from a metric, but not in the database
    values = [dataclasses.replace(v, value=float(v.value), n=int(v.n)) for v in measured.values]
    return Measurements(tuple(values), tuple(_plain_histogram(histogram) for histogram in measured.histograms))


def _plain_histogram(histogram: Histogram) -> Histogram:
    lists: dict[str, Any] = {
        key: tuple(map(float, getattr(histogram, key))) for key in ("edges", "reference", "generated")
    }
    return dataclasses.replace(histogram, **lists)
