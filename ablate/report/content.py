"""What the page says in words and tables: plain records, made from what the store knows of a study."""

from __future__ import annotations

import dataclasses
import json
from typing import TYPE_CHECKING, Any

import pandas as pd

from ablate.report import frame as frames
from ablate.report import stats
from ablate.report.stats import AVERAGE, Spread

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from ablate.store.records import CellRecord, StageRecord, StudyRecord, VariantRecord
    from ablate.store.store import Store

_PINNED = ("ablate", "torch", "numpy")  # the packages that decide numbers, named among the facts


@dataclasses.dataclass(frozen=True)
class Study:
    """A study and everything the store knows of it, read once."""

    record: StudyRecord
    variants: tuple[VariantRecord, ...]
    cells: tuple[CellRecord, ...]
    stages: Mapping[str, StageRecord]
    frame: pd.DataFrame
    histograms: pd.DataFrame
    cell_frame: pd.DataFrame
    reported: pd.DataFrame

    @classmethod
    def read(cls, store: Store, name: str) -> Study:
        """Read the study of that name; raises :class:`ablate.errors.UnknownName`."""
        record, variants, cells = store.study(name), tuple(store.variants(name)), tuple(store.cells(name))
        return cls(
            record,
            variants,
            cells,
            store.stages(fingerprint for cell in cells for fingerprint in cell.stages.values()),
            frames.study_frame(store, name),
            frames.histogram_frame(store, name),
            frames.cell_frame(store, name),
            frames.reported_frame(record.spec, (variant.name for variant in variants)),
        )

    @property
    def names(self) -> list[str]:
        """The variants' names, in order."""
        return [variant.name for variant in self.variants]

    def stage(self, cell: CellRecord, name: str) -> StageRecord | None:
        """A finished stage of a cell, if it is one."""
        return self.stages.get(cell.stages.get(name, ""))

    def first(self, name: str) -> list[tuple[str, StageRecord]]:
        """For each variant the stage of that name in its first replicate that has finished it."""
        found: dict[str, StageRecord] = {}
        for cell in self.cells:
            stage = self.stage(cell, name)
            if stage:
                found.setdefault(cell.variant, stage)
        return list(found.items())


@dataclasses.dataclass(frozen=True)
class Column:
    """A quantity that is a column of a grid."""

    title: str
    note: str


@dataclasses.dataclass(frozen=True)
class Row:
    """A variant that is a row of a grid, with a spread (or None) for each column."""

    name: str
    baseline: bool
    spreads: tuple[Spread | None, ...]


@dataclasses.dataclass(frozen=True)
class Grid:
    """Variants by quantities."""

    columns: tuple[Column, ...]
    rows: tuple[Row, ...]


@dataclasses.dataclass(frozen=True)
class ReportedRow:
    """One quantity, and for each variant our spread and the value reported originally."""

    metric: str
    feature: str
    pairs: tuple[tuple[Spread | None, str], ...]


@dataclasses.dataclass(frozen=True)
class TrainingRow:
    """The trainings that the same variants share; texts are ready to print."""

    shared_by: str
    done: str
    loss: Spread | None
    seconds: Spread | None
    steps: str
    tokens_seen: str
    parameters: str
    hardware: str


@dataclasses.dataclass(frozen=True)
class Environment:
    """What some stages ran in."""

    stages: str
    facts: tuple[tuple[str, str], ...]
    packages: tuple[tuple[str, str], ...]


def grid(study: Study, summary: pd.DataFrame, *, one_metric: bool = False) -> Grid:
    """All variants by the quantities in ``summary`` (of :func:`stats.comparison`).

    With ``one_metric`` the columns are named by their features alone.
    """
    found = stats.spreads(summary)
    quantities = summary.drop_duplicates(["metric", "feature"])
    keys = list(zip(quantities["metric"], quantities["feature"], strict=True))
    columns = []
    for (metric, feature), unit, direction in zip(keys, quantities["unit"], quantities["direction"], strict=True):
        title = feature if one_metric else metric if feature == AVERAGE else f"{metric} {feature}"
        better = f"{direction} is better" if direction in {"lower", "higher"} else ""
        columns.append(Column(title, ", ".join(filter(None, (unit if unit != "1" else "", better)))))
    rows = (Row(v.name, v.baseline, tuple(found.get((v.name, *key)) for key in keys)) for v in study.variants)
    return Grid(tuple(columns), tuple(rows))


def reported_rows(study: Study, summary: pd.DataFrame) -> list[ReportedRow]:
    """Ours beside what was reported, for every quantity that was."""
    found = stats.spreads(summary)
    columns = (study.reported[key] for key in ("variant", "metric", "feature", "value"))
    values = {(variant, metric, feature): value for variant, metric, feature, value in zip(*columns, strict=True)}
    quantities = dict.fromkeys(zip(study.reported["metric"], study.reported["feature"], strict=True))
    return [
        ReportedRow(
            metric,
            feature,
            tuple(
                (found.get((name, metric, feature)), _number(values.get((name, metric, feature))))
                for name in study.names
            ),
        )
        for metric, feature in quantities
    ]


def training_rows(study: Study) -> list[TrainingRow]:
    """The trainings of the study, one row for each group of variants that shares them."""
    table = stats.trainings(study.cell_frame)
    return [
        TrainingRow(
            str(shared_by),
            f"{rows['done'].sum()} of {len(rows)}",
            stats.spread_of(rows["loss"]),
            stats.spread_of(rows["train_seconds"]),
            _range(rows["steps"]),
            _range(rows["tokens_seen"]),
            _range(rows["parameters"]),
            ", ".join(_distinct([*rows["device"], *rows["precision"]])),
        )
        for shared_by, rows in table.groupby("shared_by", sort=False)
    ]


def unfinished(study: Study) -> list[tuple[CellRecord, str]]:
    """The cells without a full result, each with the reason."""
    reasons = {"pending": "has not run yet", "interrupted": "was interrupted; the same command goes on with it"}
    errors = (": ".join(filter(None, (cell.error_class, cell.error))) for cell in study.cells)
    return [
        (cell, error or reasons.get(cell.state, "no reason recorded"))
        for cell, error in zip(study.cells, errors, strict=True)
        if cell.state != "done"
    ]


def axes(study: Study) -> list[tuple[str, list[str], str]]:
    """Each axis with its levels and the baseline's level, as text."""
    spec = study.record.spec
    baseline = spec.get("baseline") or {}
    return [
        (axis, [_plain(level) for level in levels], _plain(baseline[axis]) if axis in baseline else stats.NOTHING)
        for axis, levels in (spec.get("axes") or {}).items()
    ]


def named(study: Study) -> list[tuple[str, str]]:
    """Each named variant, and what it changes of the base configuration, as text."""
    variants = study.record.spec.get("variants") or {}
    return [
        (name, "; ".join(f"{path} = {_plain(level)}" for path, level in changes.items()))
        for name, changes in variants.items()
    ]


def facts(study: Study) -> list[tuple[str, str]]:
    """What to know before reading numbers: label and text."""
    record, spec = study.record, study.record.spec
    generation, objective = spec.get("generation") or {}, spec.get("objective") or {}
    done = sum(cell.state == "done" for cell in study.cells)
    environments = [dict(stage.environment) for stage in study.stages.values()]
    packages = [environment.get("packages") or {} for environment in environments]
    found = [
        ("Study file", _plain(spec.get("source", ""))),
        ("Profile", record.profile),
        ("Corpus", record.corpus),
        ("Reference", "; ".join(_distinct(_loaded(stage) for _, stage in study.first("load")))),
        ("Study seed", str(record.seed)),
        ("Cells", f"{done} of {len(study.cells)} done ({len(study.variants)} variants)"),
        ("Replicates", _plain(spec.get("replicates", ""))),
        ("Samples in a replicate", _plain(generation.get("samples", ""))),
        ("Tokens in a sample", _plain(generation.get("tokens", ""))),
        ("Measured", _scored(study)),
        ("Objective", " ".join(_plain(objective[key]) for key in ("metric", "feature") if key in objective)),
        ("Device", ", ".join(_distinct(stage.device for stage in study.stages.values()))),
        ("Precision", ", ".join(_distinct(study.cell_frame["precision"]))),
        ("First run", _moment(record.created)),
        ("Last run", _moment(record.updated)),
        ("Versions", ", ".join(_versions(packages))),
        ("Source", ", ".join(_distinct(_git(environment.get("git") or {}) for environment in environments))),
    ]
    return [(label, text) for label, text in found if text]


def environments(study: Study) -> list[Environment]:
    """Every distinct environment that stages of this study ran in."""
    groups: dict[str, list[StageRecord]] = {}
    for stage in study.stages.values():
        groups.setdefault(json.dumps(stage.environment, sort_keys=True), []).append(stage)
    return [
        Environment(
            f"{len(stages)} stages: {', '.join(sorted({stage.kind for stage in stages}))}",
            tuple(
                (key, _git(value) or "not a git checkout" if key == "git" else _plain(value))
                for key, value in stages[0].environment.items()
                if key != "packages"
            ),
            tuple(sorted((stages[0].environment.get("packages") or {}).items())),
        )
        for stages in groups.values()
    ]


def baseline_config(study: Study) -> str:
    """The resolved configuration of the baseline's first replicate, as JSON; empty without a baseline."""
    names = {variant.name for variant in study.variants if variant.baseline}
    for cell in study.cells:
        if cell.variant in names:
            return json.dumps(cell.config, indent=2, ensure_ascii=False, default=str)
    return ""


def _loaded(load: StageRecord) -> str:
    """What a corpus turned out to hold."""
    facts = load.result
    counts = {key: facts[key] for key in ("performances", "notes", "seconds") if key in facts}
    counts |= {"files skipped": len(facts["skipped"])} if facts.get("skipped") else {}
    return ", ".join(f"{key}: {count:,.0f}" for key, count in counts.items())


def _scored(study: Study) -> str:
    """Whether samples that continue a primer are measured with it; nothing where none does."""
    primed = [cell.config for cell in study.cells if "prime" in cell.stages]
    if not primed:
        return ""
    whole = {bool(config.get("measure", {}).get("primer")) for config in primed}
    return " and ".join("with the primer" if each else "without the primer" for each in sorted(whole))


def _plain(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


def _number(value: float | None) -> str:
    return stats.NOTHING if value is None else f"{value:g}"


def _range(values: pd.Series) -> str:
    """The one value of all, or the smallest and the largest."""
    known = values.dropna()
    return " to ".join(f"{value:,.0f}" for value in dict.fromkeys((known.min(), known.max()))) if len(known) else ""


def _distinct(values: Iterable[Any]) -> list[str]:
    """Those that are neither missing nor empty, each once, in order of appearance."""
    return list(dict.fromkeys(str(value) for value in values if not pd.isna(value) and value != ""))


def _moment(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC" if moment else ""


def _git(state: Mapping[str, Any]) -> str:
    commit = str(state.get("commit") or "")[:12]
    return f"{commit} with uncommitted changes" if commit and state.get("dirty") else commit


def _versions(packages: Iterable[Mapping[str, Any]]) -> list[str]:
    return _distinct(f"{name} {found[name]}" for found in packages for name in _PINNED if name in found)
