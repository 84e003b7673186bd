"""A study and everything the store knows of it, read once."""

from __future__ import annotations

import dataclasses
import functools
from typing import TYPE_CHECKING, Any

from ablate.kinds import PREPARE
from ablate.names import short_names
from ablate.report.data import frames
from ablate.report.statistics.effects import Variants
from ablate.report.statistics.summary import AVERAGE

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from ablate.store.records import RunRecord, StageRecord, StudyRecord, VariantRecord
    from ablate.store.store import Store


@dataclasses.dataclass(frozen=True)
class Study:
    """Records, results and frames of one study.

    Attributes:
        record: the study.
        variants: in order.
        runs: by variant and replicate.
        stages: those that are finished, by fingerprint.
        frame: of :func:`ablate.report.data.frames.study_frame`.
        histograms: of :func:`ablate.report.data.frames.histogram_frame`.
        floors: of :func:`ablate.report.data.frames.floor_frame`.
        floor_histograms: of :func:`ablate.report.data.frames.floor_histogram_frame`.
        run_frame: of :func:`ablate.report.data.frames.run_frame`.
        reported: of :func:`ablate.report.data.frames.reported_frame`.
    """

    record: StudyRecord
    variants: tuple[VariantRecord, ...]
    runs: tuple[RunRecord, ...]
    stages: Mapping[str, StageRecord]
    frame: pd.DataFrame
    histograms: pd.DataFrame
    floors: pd.DataFrame
    floor_histograms: pd.DataFrame
    run_frame: pd.DataFrame
    reported: pd.DataFrame

    @classmethod
    def read(cls, store: Store, name: str) -> Study:
        """Read the study of that name; raises :class:`ablate.errors.UnknownName`."""
        record, variants, runs = store.study(name), tuple(store.variants(name)), tuple(store.runs(name))
        return cls(
            record,
            variants,
            runs,
            store.stages(fingerprint for run in runs for fingerprint in run.stages.values()),
            frames.study_frame(store, name),
            frames.histogram_frame(store, name),
            frames.floor_frame(store, name),
            frames.floor_histogram_frame(store, name),
            frames.run_frame(store, name),
            frames.reported_frame(record.spec, (variant.name for variant in variants)),
        )

    @property
    def spec(self) -> Mapping[str, Any]:
        """The study's file as it was run, as plain data."""
        return self.record.spec

    @property
    def names(self) -> list[str]:
        """The variants' names, in order."""
        return [variant.name for variant in self.variants]

    @functools.cached_property
    def crossed(self) -> Variants:
        """The variants with their levels, for effects; the first one stands for a baseline that is not there."""
        baseline = next((variant.name for variant in self.variants if variant.baseline), self.names[0])
        return Variants({variant.name: variant.levels for variant in self.variants}, baseline)

    @property
    def baseline(self) -> str:
        """The name of the variant that the others are compared with."""
        return self.crossed.baseline

    @functools.cached_property
    def axis_labels(self) -> dict[str, str]:
        """How each axis is called, by its path."""
        return short_names(list(dict.fromkeys(path for variant in self.variants for path in variant.levels)))

    def configs(self) -> dict[str, Mapping[str, Any]]:
        """The resolved configuration of each variant."""
        found: dict[str, Mapping[str, Any]] = {}
        for run in self.runs:
            found.setdefault(run.variant, run.config)
        return found

    def stage(self, run: RunRecord, name: str) -> StageRecord | None:
        """A finished stage of a run, if it is one."""
        return self.stages.get(run.stages.get(name, ""))

    def first(self, name: str) -> list[tuple[str, StageRecord]]:
        """For each variant the stage of that name in its first replicate that has finished it."""
        found: dict[str, StageRecord] = {}
        for run in self.runs:
            stage = self.stage(run, name)
            if stage:
                found.setdefault(run.variant, stage)
        return list(found.items())

    def held_out(self, variant: str) -> list[str]:
        """The names of the pieces that a variant's model did not see."""
        found = dict(self.first(PREPARE)).get(variant)
        names = found.result.get("held_out") if found else None
        return list(names) if isinstance(names, list) else []

    def quantity_label(self, metric: str, feature: str) -> str:
        """How a quantity is called: its metric, and the feature where that is not the average of a metric."""
        own = self.frame.loc[self.frame["metric"] == metric, "feature"].unique()
        return metric if feature == AVERAGE or len(own) == 1 else f"{metric} {feature}"
