"""Values to compare without a store, what the rules say of them written down again, and small studies in a store."""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ablate.names import short_names
from ablate.report.data.study import Study
from ablate.report.data.variants import Variants
from ablate.report.statistics.effects import judge
from ablate.report.statistics.replicates import Replicates
from ablate.settings import StatisticsSettings
from ablate.store.records import FinishedStage, MeasurementRecord, RunRecord, StageRecord, StudyRecord, VariantRecord
from support.report_study import ENVIRONMENT, Builder

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from ablate.arrays import Array
    from ablate.report.statistics.comparisons.weights import Weights
    from ablate.report.statistics.margins import Margin
    from ablate.study.design import Variant

    Values = Mapping[str, Sequence[float] | Sequence[Sequence[float]] | Array]

RULES = StatisticsSettings()
NAN = float("nan")


def measured(values: Values, metric: str = "m", feature: str = "f", direction: str = "lower") -> pd.DataFrame:
    """A study's frame: for each variant its replicates, each a number or the numbers of its samples; NaN is nothing."""
    rows = [
        (variant, place == 0, metric, feature, "1", direction, replicate, sample, value)
        for place, (variant, own) in enumerate(values.items())
        for replicate, samples in enumerate(own)
        for sample, value in enumerate(np.atleast_1d(samples))
        if not math.isnan(value)
    ]
    columns = ["variant", "baseline", "metric", "feature", "unit", "direction", "replicate", "sample", "value"]
    frame = pd.DataFrame(rows, columns=columns)
    return frame.assign(variant=pd.Categorical(frame["variant"], categories=list(values), ordered=True))


def replicated(values: Values, direction: str = "lower") -> Replicates:
    """Replicates of one quantity, ``("m", "f")``."""
    return Replicates(measured(values, direction=direction))


def crossed(variants: Iterable[Variant]) -> tuple[Variants, dict[str, str]]:
    """A design's variants for effects, and how their axes are called."""
    made = list(variants)
    paths = dict.fromkeys(path for variant in made for path in variant.levels)
    baseline = next(variant.name for variant in made if variant.baseline)
    return Variants({variant.name: variant.levels for variant in made}, baseline), short_names(list(paths))


def sign_flip_by_hand(differences: Array) -> float:
    """The share of all assignments of signs whose mean is at least as far from 0, ties included, on either side."""
    signs = np.array(list(itertools.product((1.0, -1.0), repeat=len(differences))))
    means, seen = signs @ differences / len(differences), float(np.mean(differences))
    tie = 1e-9 * max(1e-300, float(np.abs(differences).max()))
    return min(1.0, 2.0 * min(float((means >= seen - tie).mean()), float((means <= seen + tie).mean())))


def judged(
    replicates: Replicates,
    comparisons: Iterable[Weights],
    margins: Mapping[tuple[str, str], Margin] | None = None,
    rules: StatisticsSettings = RULES,
    roles: Mapping[tuple[str, str], str] | None = None,
) -> pd.DataFrame:
    """Every comparison of every quantity; all quantities are primary unless ``roles`` says otherwise."""
    keys = zip(replicates.quantities["metric"], replicates.quantities["feature"], strict=True)
    quantities = replicates.quantities.assign(role=[(roles or {}).get(key, "primary") for key in keys])
    return judge(replicates, list(comparisons), margins or {}, rules, quantities)


def max_t_by_hand(rows: Sequence[Array]) -> list[float]:
    """Step-down max-T with every assignment of signs, written down from the book; NaN is a missing replicate."""
    values = np.nan_to_num(np.array(rows, float))
    scale = np.sqrt((values**2).sum(1))
    scale[scale == 0] = 1.0
    signs = np.array(list(itertools.product((1.0, -1.0), repeat=values.shape[1])))
    flipped = np.abs(signs @ values.T) / scale
    seen = np.abs(values.sum(1)) / scale
    adjusted, so_far, left = np.zeros(len(values)), 0.0, list(np.argsort(-seen, kind="stable"))
    while left:
        so_far = max(so_far, float((flipped[:, left].max(1) >= seen[left[0]] - 1e-9).mean()))
        adjusted[left.pop(0)] = so_far
    return [float(p) for p in adjusted]


def holm_by_hand(p: Sequence[float]) -> list[float]:
    """The smallest times as many as there are, the next times one fewer, and never less than the one before."""
    adjusted, so_far = [0.0] * len(p), 0.0
    for rank, place in enumerate(sorted(range(len(p)), key=p.__getitem__)):
        so_far = max(so_far, (len(p) - rank) * p[place])
        adjusted[place] = min(1.0, so_far)
    return adjusted


class Stored(Builder):
    """A finished study in a store, with the values and the configurations that a test wants it to have.

    Args:
        home: of the store.
        levels: variant to its levels; the first one is the baseline.
        values: metric and feature to the values of each variant, a number for each replicate; NaN is nothing.
        directions: of metrics; ``lower`` where nothing is said.
        tokens: seen in training, by variant; equally many where nothing is said.
        draws: of metrics, what the resampling floor draws in every run.
        declared: of metrics, what their measurements declare (``{"shares": ["value"]}``).
    """

    def __init__(
        self,
        home: Path,
        levels: Mapping[str, Mapping[str, Any]],
        values: Mapping[tuple[str, str], Values],
        directions: Mapping[str, str] | None = None,
        tokens: Mapping[str, int] | None = None,
        draws: Mapping[str, Sequence[float]] | None = None,
        declared: Mapping[str, Mapping[str, Sequence[str]]] | None = None,
    ) -> None:
        count = max(len(own) for each in values.values() for own in each.values())
        super().__init__(home, tuple(levels), count, 1)
        self.levels, self.values, self.directions = levels, values, directions or {}
        self.tokens, self.draws, self.declared = tokens or {}, draws or {}, declared or {}
        self.metrics = list(dict.fromkeys(metric for metric, _ in values))

    def stages(self, variant: str, replicate: int) -> dict[str, str]:
        """Trainings are shared by all replicates of a variant: nothing here looks at their losses."""
        own = {f"measure {metric}": f"measure {metric} {variant} {replicate}" for metric in self.metrics}
        own |= {f"resample {metric}": f"resample {metric} {variant} {replicate}" for metric in self.draws}
        return {"train": f"train {variant}", **own}

    def put(self, **spec: Any) -> Study:
        """The study with everything it measured, read again; ``spec`` is what its file says."""
        self.store.put_study(
            StudyRecord("example", {"replicates": self.replicates, **spec}, "default", "bach", 7),
            [VariantRecord(v, f"variant {v}", dict(own), v == self.names[0]) for v, own in self.levels.items()],
            [
                RunRecord(v, r, self.stages(v, r), self.resolved(own), "done")
                for v, own in self.levels.items()
                for r in range(self.replicates)
            ],
        )
        finished = []
        for variant in self.names:
            trained = {"steps": 700, "tokens_seen": self.tokens.get(variant, 89600), "parameters": 1234}
            finished.append(self._stage(f"train {variant}", trained))
            for replicate in range(self.replicates):
                finished += self._measured(variant, replicate)
        self.store.put_stages(finished)
        with self.store:
            return Study.read(self.store, "example")

    def resolved(self, levels: Mapping[str, Any]) -> dict[str, Any]:
        """A configuration with every level as a setting of its own; a level that is a table is several."""
        flat: dict[str, Any] = {}
        for path, level in levels.items():
            flat |= level if isinstance(level, dict) else {path: level}
        return {"training": flat}

    def _measured(self, variant: str, replicate: int) -> Iterator[FinishedStage]:
        for metric in self.metrics:
            own = {feature: values for (m, feature), values in self.values.items() if m == metric}
            there = {f: float(np.mean(v[variant][replicate])) for f, v in own.items() if variant in v}
            found = [self._record(0, metric, f, value) for f, value in there.items() if not math.isnan(value)]
            yield self._stage(f"measure {metric} {variant} {replicate}", dict(self.declared.get(metric, {})), found)
            if metric in self.draws:
                drawn = [
                    self._record(draw, metric, feature, value, "resampling")
                    for draw, value in enumerate(self.draws[metric])
                    for feature in own
                ]
                yield self._stage(f"resample {metric} {variant} {replicate}", {"skipped": {}}, drawn)

    def _stage(self, fingerprint: str, result: dict[str, Any], rows: Sequence[MeasurementRecord] = ()) -> FinishedStage:
        kind = fingerprint.partition(" ")[0]
        artifact = "artifacts/train" if kind == "train" else ""
        return FinishedStage(StageRecord(fingerprint, kind, {}, result, artifact, "cpu", 0.1, ENVIRONMENT), tuple(rows))

    def _record(self, sample: int, metric: str, feature: str, value: float, floor: str = "") -> MeasurementRecord:
        direction = self.directions.get(metric, "lower")
        return MeasurementRecord(sample, metric, feature, value, "1", direction, 50, floor)
