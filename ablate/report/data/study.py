"""A study with everything that the database contains about it, read once."""

from __future__ import annotations

import dataclasses
import functools
import json
from typing import TYPE_CHECKING, Any

from ablate.kinds import FIT, LOAD, MEASURE, PREPARE, SAMPLES
from ablate.names import AVERAGE, block_paths, short_names
from ablate.report.data import floors, frames
from ablate.report.data.blocks import Blocks
from ablate.report.data.reported import reported_apart, reported_frame
from ablate.report.data.splits import Splits
from ablate.report.data.variants import Variants

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import pandas as pd

    from ablate.report.data.reported import Apart
    from ablate.store.records import LookRecord, RunRecord, StageRecord, StudyRecord, VariantRecord
    from ablate.store.store import Store


@dataclasses.dataclass(frozen=True)
class Study:
    """Records, results and frames of one study.

    Attributes:
        record: the study.
        variants: in order.
        runs: by variant and replicate.
        stages: the finished ones, by fingerprint.
        frame: from :func:`ablate.report.data.frames.study_frame`.
        histograms: from :func:`ablate.report.data.frames.histogram_frame`.
        floors: from :func:`ablate.report.data.floors.floor_frame`.
        floor_histograms: from :func:`ablate.report.data.floors.floor_histogram_frame`.
        run_frame: from :func:`ablate.report.data.frames.run_frame`.
        looks: at its verdicts, in the order in which they were made.
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
    looks: tuple[LookRecord, ...]

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
            floors.floor_frame(store, name),
            floors.floor_histogram_frame(store, name),
            frames.run_frame(store, name),
            tuple(store.looks(name)),
        )

    @functools.cached_property
    def reported(self) -> pd.DataFrame:
        """The published values of the same pieces; see :func:`ablate.report.data.reported.reported_frame`."""
        return reported_frame(self.spec, self._pieces)

    @functools.cached_property
    def reported_apart(self) -> Apart:
        """The published values of other pieces."""
        return reported_apart(self.spec, self._pieces)

    @property
    def _pieces(self) -> dict[str, tuple[str, ...]]:
        """The names of the pieces of each variant's corpus; empty where they are not recorded."""
        loaded = dict(self.first(LOAD))
        names = {name: loaded[name].result.get("pieces") or () if name in loaded else () for name in self.names}
        return {name: tuple(map(str, pieces)) for name, pieces in names.items()}

    @property
    def spec(self) -> Mapping[str, Any]:
        """The study file of the last execution, as plain data."""
        return self.record.spec

    @property
    def judged(self) -> Mapping[str, Any]:
        """The source of results that ablate did not compute, and how it was read; empty for other studies."""
        return self.spec.get("judged") or {}

    @property
    def names(self) -> list[str]:
        """The variants' names, in order."""
        return [variant.name for variant in self.variants]

    @property
    def fingerprints(self) -> list[str]:
        """The variants' fingerprints, in order."""
        return [variant.fingerprint for variant in self.variants]

    @functools.cached_property
    def variant_levels(self) -> Variants:
        """The variants to compare with their levels, without those of blocks: each stands for itself in every block.

        Without a baseline, the first variant is taken for it.
        """
        blocks = set(block_paths(self.spec))
        levels = {
            self.blocks.of[variant.name][1]: {path: v for path, v in variant.levels.items() if path not in blocks}
            for variant in self.variants
        }
        return Variants(levels, self.blocks.of[self.baseline][1])

    def without_blocks(self) -> Study:
        """Return the study as if no axis were a block: the variants of all blocks are variants of their own."""
        blocks = block_paths(self.spec)
        axes = {path: axis for path, axis in (self.spec.get("axes") or {}).items() if path not in blocks}
        return dataclasses.replace(self, record=dataclasses.replace(self.record, spec={**self.spec, "axes": axes}))

    @functools.cached_property
    def blocks(self) -> Blocks:
        """The blocks, and the place of each variant in them."""
        return Blocks.read(self.spec, self.variants)

    @property
    def baseline(self) -> str:
        """The name of the variant that the others are compared with; with blocks, of that in the first block."""
        return next((variant.name for variant in self.variants if variant.baseline), self.names[0])

    @functools.cached_property
    def baselines(self) -> dict[str, str]:
        """For each variant the one that it is compared with: the baseline, or the baseline of its block."""
        of, common = self.blocks.of, self.variant_levels.baseline
        by_block = {of[name][0]: name for name in self.names if of[name][1] == common}
        return {name: by_block.get(of[name][0], self.baseline) for name in self.names}

    @functools.cached_property
    def axis_labels(self) -> dict[str, str]:
        """The short name of each axis, by its path."""
        return short_names(list(dict.fromkeys(path for variant in self.variants for path in variant.levels)))

    def configs(self) -> dict[str, Mapping[str, Any]]:
        """Return the resolved configuration of each variant."""
        configs: dict[str, Mapping[str, Any]] = {}
        for run in self.runs:
            configs.setdefault(run.variant, run.config)
        return configs

    def stage(self, run: RunRecord, name: str) -> StageRecord | None:
        """Return a stage of a run; None if it is not finished."""
        return self.stages.get(run.stages.get(name, ""))

    def first(self, name: str) -> list[tuple[str, StageRecord]]:
        """Return, for each variant, the stage of that name in the first replicate that has finished it."""
        stages: dict[str, StageRecord] = {}
        for run in self.runs:
            stage = self.stage(run, name)
            if stage:
                stages.setdefault(run.variant, stage)
        return list(stages.items())

    def samples(self, run: RunRecord) -> StageRecord | None:
        """Return the stage that has the samples of a run; None if there are none."""
        stages = (self.stage(run, name) for name in SAMPLES)
        return next((stage for stage in stages if stage and stage.result.get("samples")), None)

    def first_samples(self) -> list[tuple[str, StageRecord]]:
        """Return, for each variant, the samples of the first replicate that has any."""
        stages: dict[str, StageRecord] = {}
        for run in self.runs:
            stage = self.samples(run)
            if stage:
                stages.setdefault(run.variant, stage)
        return list(stages.items())

    @functools.cached_property
    def splits(self) -> Splits:
        """The split of every run whose preparation has finished."""
        prepared = ((run, self.stage(run, PREPARE)) for run in self.runs)
        return Splits.read((run, stage) for run, stage in prepared if stage)

    @functools.cached_property
    def details(self) -> frozenset[tuple[str, str]]:
        """The quantities, as (metric, feature), that are details of another one of their metric."""
        return self._declared("details")

    @functools.cached_property
    def within_tokenizer(self) -> frozenset[tuple[str, str]]:
        """The quantities, as (metric, feature), that can be compared between equal tokenizers only."""
        return self._declared("within_tokenizer")

    @property
    def paired(self) -> bool:
        """True if replicate k of one variant belongs to replicate k of another; of some judged results it does not."""
        return bool((self.spec.get("judged") or {}).get("paired", True))

    @functools.cached_property
    def shares(self) -> frozenset[tuple[str, str]]:
        """The quantities, as (metric, feature), that lie between 0 and 1 by their definition."""
        return self._declared("shares")

    def _declared(self, key: str) -> frozenset[tuple[str, str]]:
        """Return the quantities that measurements have declared so."""
        measured = ((name, self.stage(run, name)) for run in self.runs for name in run.stages)
        return frozenset(
            (name.partition(" ")[2], feature)
            for name, stage in measured
            if stage and stage.kind == MEASURE
            for feature in stage.result.get(key, ())
        )

    def equal_tokenizers(self, names: Iterable[str]) -> bool:
        """Return whether variants, named as in the blocks, have one tokenizer in each block and replicate.

        Tokenizers that are fitted are equal if they were fitted on the same pieces.
        """
        found: dict[Any, set[str]] = {}
        for name in names:
            for place, tokenizer in self._tokenizers.get(name, {}).items():
                found.setdefault(place, set()).add(tokenizer)
        return all(len(tokenizers) < 2 for tokenizers in found.values())

    @functools.cached_property
    def _tokenizers(self) -> dict[str, dict[tuple[int, int], str]]:
        """The tokenizer of each variant by block and replicate, with all that decides it."""
        found: dict[str, dict[tuple[int, int], str]] = {}
        for run in self.runs:
            block, name = self.blocks.of[run.variant]
            settings = json.dumps(run.config.get("tokenizer"), sort_keys=True)
            found.setdefault(name, {})[block, run.replicate] = f"{settings} {run.stages.get(FIT, '')}"
        return found

    def quantity_label(self, metric: str, feature: str) -> str:
        """Return the name of a quantity: its metric, and the feature unless it is the average or the only one."""
        features = self.frame.loc[self.frame["metric"] == metric, "feature"].unique()
        return metric if feature == AVERAGE or len(features) == 1 else f"{metric} {feature}"
