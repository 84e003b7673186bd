"""The sources of the noise in a study's comparisons, and the cost of less noise.

Sample k of every variant draws with the same uniform numbers within a replicate, so the components are those of the
differences of sample k. Whether the common numbers make two samples alike or not, this is the noise that counts.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np
import pandas as pd

from ablate.kinds import GENERATE, MEASURE, PREPARE, RESAMPLE, TRAIN, kind_of
from ablate.report.statistics.inference.power import minimum_detectable
from ablate.report.statistics.inference.variance import Components, components, optimal_samples, ratio_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from ablate.arrays import FloatArray
    from ablate.report.statistics.comparisons.weights import Weights
    from ablate.store.records import RunRecord, StageRecord

#: The comparison that stands for all variants against the baseline, in the rows of :func:`variance_frame`.
POOLED = "all variants"
#: The advice compares with at least 2 and at most 8 times the present samples.
_LEAST, _MOST = 2, 8
_BOUNDED = ("sampling", "training", "share", "optimal")
COLUMNS = (
    *("kind", "comparison", "versus", "metric", "feature", "unit", "n", "samples"),
    *(f"{name}{end}" for name in _BOUNDED for end in ("", "_low", "_high")),
    *("training_seconds", "sample_seconds"),
)


class Costs(NamedTuple):
    """Seconds of computing for one variant in one replicate.

    Attributes:
        training: a training with its preparation; a training that several variants share is divided among them.
        sample: generating and measuring one sample.
    """

    training: float
    sample: float


class Advice(NamedTuple):
    """Two ways to make the noise of a comparison smaller, at about the same cost.

    Attributes:
        components: of the differences from the baseline.
        costs: of one variant in one replicate.
        optimal: the best number of samples for a given cost, with the range that follows from the share's interval.
        samples: the proposed number of samples in each replicate, on the trainings that exist.
        samples_seconds: the time that they take.
        samples_gain: the variance is divided by this number.
        replicates: the proposed additional replicates.
        replicates_seconds: the time that they take.
        replicates_gain: the variance is divided by this number.
        detectable: the difference that is found with the wanted power, in the unit of the quantity: by this look at
            this study; and by a study with one look with more samples, and with more replicates.
        one_look: whether this look is the only one at this study, so that it has all of alpha.
        better: the option that finds the smaller difference.
        sure: whether it is the same at both ends of the share's interval.
    """

    components: Components
    costs: Costs
    optimal: tuple[float, float, float]
    samples: int
    samples_seconds: float
    samples_gain: float
    replicates: int
    replicates_seconds: float
    replicates_gain: float
    detectable: tuple[float, float, float]
    one_look: bool
    better: Literal["samples", "replicates"]
    sure: bool


class Samples:
    """The value of every variant in every replicate and sample, by quantity.

    Args:
        frame: from :func:`ablate.report.data.frames.study_frame`.
    """

    def __init__(self, frame: pd.DataFrame) -> None:
        replicates, samples = (sorted(frame[column].unique()) for column in ("replicate", "sample"))
        self._shape = len(replicates), len(samples)
        rows = frame.assign(
            row=np.searchsorted(replicates, frame["replicate"]), column=np.searchsorted(samples, frame["sample"])
        )
        self._values: dict[tuple[str, str, str], FloatArray] = {}
        keys = ["metric", "feature", "variant"]
        for (metric, feature, variant), part in rows.groupby(keys, sort=False, observed=True):
            table = np.full(self._shape, np.nan)
            table[part["row"], part["column"]] = part["value"]
            self._values[str(metric), str(feature), str(variant)] = table

    def differences(self, metric: str, feature: str, weights: Mapping[str, float]) -> FloatArray:
        """Return a comparison in each sample, [replicates, samples]; NaN unless every variant has the sample."""
        nothing = np.full(self._shape, np.nan)
        terms = [self._values.get((metric, feature, name), nothing) * weight for name, weight in weights.items()]
        return np.asarray(np.sum(terms, axis=0))


def costs_of(runs: Sequence[RunRecord], stages: Mapping[str, StageRecord]) -> Costs | None:
    """Return the costs of a study from the recorded seconds of its stages; None before a sample is generated.

    Measurements count as part of a sample, except those of a model itself (without samples). Seconds of a sample are a
    mean: more samples share the steps of a generation, so each further one costs less.
    """
    training: dict[str, float] = {}
    sampling: dict[str, float] = {}
    cells, samples = 0, 0
    for run in runs:
        generation = stages.get(run.stages.get(GENERATE, ""))
        if generation is None or not generation.result.get("samples"):
            continue
        cells += 1
        samples += generation.result["samples"]
        for name, fingerprint in run.stages.items():
            if (stage := stages.get(fingerprint)) is None:
                continue
            kind = kind_of(name)
            if kind in (GENERATE, RESAMPLE) or (kind == MEASURE and "generated" in stage.config.get("inputs", ())):
                sampling[fingerprint] = stage.seconds
            elif kind in (PREPARE, TRAIN, MEASURE):
                training[fingerprint] = stage.seconds
    return Costs(sum(training.values()) / cells, sum(sampling.values()) / samples) if cells else None


def variance_frame(
    samples: Samples, comparisons: Sequence[Weights], quantities: pd.DataFrame, costs: Costs | None
) -> pd.DataFrame:
    """Estimate the variance components of every comparison and quantity.

    Args:
        samples: the values.
        comparisons: what is compared.
        quantities: the columns ``metric``, ``feature`` and ``unit``.
        costs: from :func:`costs_of`.

    Returns:
        One row for each comparison and quantity with enough replicates and samples, and for each quantity one of
        :data:`POOLED` with the comparisons of kind ``variant`` together: ``kind``, ``comparison``, ``versus``,
        ``metric``, ``feature``, ``unit``, ``n`` replicates, ``samples`` of each, the variance ``sampling`` of one
        sample, the variance ``training``, the ``share`` of sampling noise in the variance of a replicate's difference,
        the ``optimal`` number of samples, each with ``_low`` and ``_high``; ``training_seconds`` and
        ``sample_seconds`` as in :class:`Costs`.
    """
    columns = (quantities[name] for name in ("metric", "feature", "unit"))
    rows = (row for quantity in zip(*columns, strict=True) for row in _rows(samples, comparisons, quantity, costs))
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _rows(
    samples: Samples, comparisons: Sequence[Weights], quantity: tuple[str, str, str], costs: Costs | None
) -> Iterator[tuple[Any, ...]]:
    metric, feature, _ = quantity
    variants = [one for one in comparisons if one.kind == "variant"]
    if len(variants) > 1:
        row = pooled(samples, metric, feature, variants)
        if row:
            yield ("pooled", POOLED, variants[0].versus, *quantity, *_numbers(row, costs))
    for one in comparisons:
        found = components(samples.differences(metric, feature, one.weights))
        if found:
            yield (one.kind, one.name, one.versus, *quantity, *_numbers(found, costs))


def pooled(samples: Samples, metric: str, feature: str, comparisons: Sequence[Weights]) -> Components | None:
    """Return the components of several comparisons of one quantity together."""
    return components(np.array([samples.differences(metric, feature, one.weights) for one in comparisons]))


def _numbers(found: Components, costs: Costs | None) -> tuple[float, ...]:
    bounded = [*found.sampling, *found.training, *found.share, *_optimal(found, costs)]
    return (found.replicates, found.samples, *bounded, *(costs or (math.nan, math.nan)))


def _optimal(found: Components, costs: Costs | None) -> tuple[float, float, float]:
    """Return the optimal number of samples for the estimated share and for the ends of its interval."""
    if costs is None:
        return math.nan, math.nan, math.nan
    low, value, high = (
        optimal_samples(ratio_of(share, found.samples), costs.training, costs.sample)
        for share in (found.share.low, found.share.value, found.share.high)
    )
    return value, low, high


def advise(
    found: Components,
    costs: Costs,
    cells: int,
    level: float = 0.05,
    target: float = 0.8,
    *,
    level_now: float | None = None,
    deviation: float | None = None,
) -> Advice:
    """Compare more samples on the trainings that exist with more replicates at about the same cost.

    Samples are generated again from the first on, so all of them are paid for. Their number is the optimal one as a
    power of 2, within 2 and 8 times the present number. The same seconds pay for the replicates, at least 1.

    Args:
        found: the components of the comparisons together.
        costs: of one variant in one replicate.
        cells: the number of variants.
        level: the level of a single comparison in a study with one look.
        target: the wanted power.
        level_now: the level at this look; by default ``level``.
        deviation: the standard deviation of a replicate's difference that the verdicts are based on, of several
            comparisons the root mean square; by default that of the components. They differ for the interquartile
            mean, and where the estimated share of sampling noise would be above 1.
    """
    n, m, comparisons = found.replicates, found.samples, found.comparisons
    optimal = _optimal(found, costs)
    wished = min(optimal[0], _MOST * m)
    samples = round(min(max(2.0 ** round(math.log2(wished)), _LEAST * m), _MOST * m))
    samples_seconds = samples * costs.sample * cells * n
    each = (costs.training + m * costs.sample) * cells
    replicates = max(1, round(samples_seconds / each)) if each else 1
    options = ((n, m), (n, samples), (n + replicates, m))
    now, by_samples, by_replicates = (found.variance(*option) for option in options)
    levels = (level if level_now is None else level_now, level, level)
    spread = math.sqrt(found.variance(1, m) / comparisons) if deviation is None else deviation

    def detectable(share: float) -> tuple[float, float, float]:
        sizes = [
            minimum_detectable(of, at, target) * spread * math.sqrt(1 - share + share * m / of_each)
            for at, (of, of_each) in zip(levels, options, strict=True)
        ]
        return sizes[0], sizes[1], sizes[2]

    differences = detectable(found.share.value)
    # where no number of samples can reach the level, more replicates are needed
    better = differences[1] < differences[2]
    ends = (detectable(found.share.low), detectable(found.share.high))
    return Advice(
        found,
        costs,
        optimal,
        samples,
        samples_seconds,
        now / by_samples if by_samples else math.inf,
        replicates,
        replicates * each,
        now / by_replicates if by_replicates else math.inf,
        differences,
        levels[0] == level,
        "samples" if better else "replicates",
        all((end[1] < end[2]) == better for end in ends),
    )
