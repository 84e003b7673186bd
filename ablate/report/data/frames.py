"""What a study measured, as tidy pandas frames: one row an observation, one column a variable."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import pandas as pd

from ablate.kinds import FLOOR, GENERATE, RESAMPLE, TRAIN, kind_of
from ablate.store.records import MeasurementRow, RunHistogram

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from ablate.store.records import HistogramRecord, RunRecord, StageRecord, VariantRecord
    from ablate.store.store import Store

_C = TypeVar("_C", MeasurementRow, RunHistogram)

_MEASUREMENT = {
    "baseline": "bool",
    "replicate": "int64",
    "sample": "int64",
    "metric": "str",
    "feature": "str",
    "value": "float64",
    "unit": "str",
    "direction": "str",
    "n": "int64",
}
_HISTOGRAM = {
    "replicate": "int64",
    "sample": "int64",
    "metric": "str",
    "feature": "str",
    "unit": "str",
    "left": "float64",
    "right": "float64",
    "reference": "float64",
    "generated": "float64",
}
_TRAINING_NUMBERS = ("loss", "steps", "tokens_seen", "parameters", "tokens_per_second", "steps_per_epoch", "together")
_OTHER_NUMBERS = ("train_seconds", "train_joules", "generate_seconds", "sample_notes", "sample_seconds")
_FLOOR = {
    "replicate": "int64",
    "floor": "str",
    "draw": "int64",
    "metric": "str",
    "feature": "str",
    "value": "float64",
    "unit": "str",
    "direction": "str",
}


def study_frame(store: Store, name: str) -> pd.DataFrame:
    """Every measurement of a study.

    Returns:
        One row for each sample, metric and feature, ordered as in the study's file, with the columns
        ``study``, ``variant`` (ordered categorical, in the study's order), one column for each axis (its level;
        a list or table as JSON text), ``baseline``, ``replicate`` and ``sample`` (from 0), ``metric``, ``feature``,
        ``value``, ``unit``, ``direction``, and ``n``: how many observations (notes) the value rests on.

    Raises:
        UnknownName: no such study.
    """
    variants = store.variants(name)
    axes = [axis for axis in _axes(variants) if axis not in {"study", "variant", *_MEASUREMENT}]
    measured = _in_study_order(store, name, store.measurement_rows(name), lambda row: row)
    # column by column: there may be hundreds of thousands of rows
    values = zip(*measured, strict=True) if measured else [()] * len(MeasurementRow._fields)
    columns: dict[str, Any] = dict(zip(MeasurementRow._fields, values, strict=True))
    about = pd.DataFrame([{**_levels(v), "baseline": v.baseline} for v in variants], index=[v.name for v in variants])
    of_variants = about.reindex(columns=[*axes, "baseline"]).loc[list(columns["variant"])]
    columns |= {"study": name, **{str(key): of_variants[key].to_numpy() for key in of_variants}}
    frame = pd.DataFrame(columns).reindex(columns=["study", "variant", *axes, *_MEASUREMENT]).astype(_MEASUREMENT)
    return _with_variants(frame, variants)


def histogram_frame(store: Store, name: str) -> pd.DataFrame:
    """Every histogram of a study, one row a bin.

    Returns:
        Columns ``variant`` (ordered categorical), ``replicate``, ``sample``, ``metric``, ``feature``, ``unit``,
        ``left`` and ``right`` (the bin's edges, in that unit), ``reference`` and ``generated`` (counts).

    Raises:
        UnknownName: no such study.
    """
    runs = _in_study_order(store, name, store.histograms(name), lambda run: run.histogram)
    frame = _bins([(run.variant, run.replicate, run.histogram) for run in runs])
    return _with_variants(frame.drop(columns="floor"), store.variants(name))


def _bins(histograms: Sequence[tuple[str, int, HistogramRecord]]) -> pd.DataFrame:
    """One row a bin, in the columns of :func:`histogram_frame` and ``floor``; made column by column."""
    sizes = [len(h.generated) for _, _, h in histograms]

    def each(values: Iterable[Any]) -> Any:
        """A value of each histogram, for all of its bins."""
        return np.repeat(np.array(list(values), dtype=object), sizes)

    def bins(values: Iterable[Sequence[float]]) -> Any:
        return np.concatenate([np.empty(0), *map(np.asarray, values)])

    about = ("sample", "metric", "feature", "unit", "floor")
    columns = {
        "variant": each(variant for variant, _, _ in histograms),
        "replicate": each(replicate for _, replicate, _ in histograms),
        **{key: each(getattr(h, key) for _, _, h in histograms) for key in about},
        "left": bins(h.edges[:-1] for _, _, h in histograms),
        "right": bins(h.edges[1:] for _, _, h in histograms),
        "reference": bins(h.reference for _, _, h in histograms),
        "generated": bins(h.generated for _, _, h in histograms),
    }
    return pd.DataFrame(columns).astype({**_HISTOGRAM, "floor": "str"})


def _in_study_order(store: Store, name: str, runs: Sequence[_C], measured: Callable[[_C], Any]) -> list[_C]:
    """Sorted by variant, replicate, sample and metric, each in the order of the study's file."""
    chosen = store.study(name).spec.get("metric", ())
    metrics = {metric: place for place, metric in enumerate([chosen] if isinstance(chosen, str) else chosen)}
    variants = {variant.name: place for place, variant in enumerate(store.variants(name))}

    def place(run: _C) -> tuple[int, int, int, int]:
        about = measured(run)
        return variants[run.variant], run.replicate, about.sample, metrics.get(about.metric, len(metrics))

    return sorted(runs, key=place)


def floor_frame(store: Store, name: str) -> pd.DataFrame:
    """Every floor of a study.

    Returns:
        One row for each number: ``variant`` (ordered categorical), ``replicate`` (0 for what all replicates share),
        ``floor``, ``draw`` (of what is resampled, which draw of a whole replicate; otherwise a piece or a shuffle),
        ``metric``, ``feature``, ``value``, ``unit``, ``direction``.

    Raises:
        UnknownName: no such study.
    """
    places: dict[str, list[tuple[str, int]]] = {}
    for run in store.runs(name):
        for stage, fingerprint in run.stages.items():
            kind = kind_of(stage)
            # all replicates share what needs no sample
            if kind == RESAMPLE or (kind == FLOOR and (run.variant, 0) not in places.get(fingerprint, ())):
                places.setdefault(fingerprint, []).append((run.variant, run.replicate if kind == RESAMPLE else 0))
    rows = [
        (variant, replicate, m.floor, m.sample, m.metric, m.feature, m.value, m.unit, m.direction)
        for fingerprint, records in store.floors(places).items()
        for variant, replicate in places[fingerprint]
        for m in records
    ]
    frame = pd.DataFrame(rows, columns=["variant", *_FLOOR]).astype(_FLOOR)
    return _with_variants(frame, store.variants(name))


def floor_histogram_frame(store: Store, name: str) -> pd.DataFrame:
    """The histograms of floors, in the form of :func:`histogram_frame` with a column ``floor``; replicate is 0."""
    places: dict[str, list[str]] = {}
    for run in store.runs(name):
        for stage, fingerprint in run.stages.items():
            if kind_of(stage) == FLOOR and run.variant not in places.get(fingerprint, ()):
                places.setdefault(fingerprint, []).append(run.variant)
    found = [
        (variant, 0, h)
        for fingerprint, records in store.floor_histograms(places).items()
        for variant in places[fingerprint]
        for h in records
    ]
    return _with_variants(_bins(found), store.variants(name))


def run_frame(store: Store, name: str) -> pd.DataFrame:
    """Every run of a study, the training behind it, and what it generated.

    Returns:
        One row a run, ordered by variant and replicate: ``variant`` (ordered categorical), ``replicate``,
        ``state``, ``error`` (class and message; empty unless it failed), ``training`` (the fingerprint that runs
        which share a training have in common; empty without one), ``loss`` (nats per token, mean of the last
        steps), ``steps``, ``tokens_seen``, ``parameters``, ``tokens_per_second``, ``steps_per_epoch`` (optimiser
        steps until the tokens seen are as many as there are), ``together`` (how many trainings were done as one on a
        GPU, this one included: tokens a second are those of all of them, seconds and joules its part),
        ``train_seconds``, ``train_joules``, ``generate_seconds``, ``sample_notes`` and ``sample_seconds`` (of one
        sample, on average), all NaN where not known, ``device`` and ``precision`` (empty where not known).

    Raises:
        UnknownName: no such study.
    """
    runs = store.runs(name)
    wanted = (TRAIN, GENERATE)
    stages = store.stages(run.stages[kind] for run in runs for kind in wanted if kind in run.stages)
    rows = [_run_row(run, *(stages.get(run.stages.get(kind, "")) for kind in wanted)) for run in runs]
    columns = ["variant", "replicate", "state", "error", "training", *_TRAINING_NUMBERS, *_OTHER_NUMBERS]
    frame = pd.DataFrame(rows, columns=[*columns, "device", "precision"])
    frame = frame.astype(dict.fromkeys([*_TRAINING_NUMBERS, *_OTHER_NUMBERS], "float64"))
    return _with_variants(frame, store.variants(name))


def reported_frame(spec: Mapping[str, Any], variants: Iterable[str]) -> pd.DataFrame:
    """The values that somebody else reported for the same variants.

    Args:
        spec: a study's plain data; its ``reported`` may be missing or empty.
        variants: the names of the study's variants; values of any other are left out.

    Returns:
        Columns ``variant``, ``metric``, ``feature``, ``value``.
    """
    values: Mapping[str, Any] = (spec.get("reported") or {}).get("values") or {}
    rows = [
        (variant, metric, feature, float(value))
        for variant in variants
        for metric, features in values.get(variant, {}).items()
        for feature, value in features.items()
    ]
    return pd.DataFrame(rows, columns=["variant", "metric", "feature", "value"])


def _run_row(run: RunRecord, training: StageRecord | None, generated: StageRecord | None) -> dict[str, Any]:
    result = training.result if training else {}
    samples = generated.result if generated else {}
    count = samples.get("samples") or None
    return {
        "variant": run.variant,
        "replicate": run.replicate,
        "state": run.state,
        "error": ": ".join(part for part in (run.error_class, run.error) if part),
        "training": run.stages.get(TRAIN, ""),
        **{key: result.get(key) for key in _TRAINING_NUMBERS},
        "train_seconds": training.seconds if training else None,
        "train_joules": result.get("joules"),
        "generate_seconds": generated.seconds if generated else None,
        "sample_notes": samples["notes"] / count if count else None,
        "sample_seconds": samples["seconds"] / count if count else None,
        "device": training.device if training else "",
        "precision": result.get("precision", ""),
    }


def _axes(variants: Sequence[VariantRecord]) -> list[str]:
    """Every axis, in the order in which the variants name them."""
    return list(dict.fromkeys(axis for variant in variants for axis in variant.levels))


def _levels(variant: VariantRecord) -> dict[str, Any]:
    # lists and tables cannot be grouped by, so they become text
    return {
        axis: json.dumps(level, sort_keys=True) if isinstance(level, (list, dict)) else level
        for axis, level in variant.levels.items()
    }


def _with_variants(frame: pd.DataFrame, variants: Sequence[VariantRecord]) -> pd.DataFrame:
    names = [variant.name for variant in variants]
    return frame.assign(variant=pd.Categorical(frame["variant"], categories=names, ordered=True))
