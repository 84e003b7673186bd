"""The measurements and runs of a study as tidy pandas frames: a row is an observation, a column a variable."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import pandas as pd

from ablate.kinds import PREPARE, SAMPLES, TRAIN
from ablate.names import replicate_labels, replicate_name
from ablate.store.records import MeasurementRow, RunHistogram

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from ablate.store.records import HistogramRecord, RunRecord, StageRecord, VariantRecord
    from ablate.store.store import Store

#: The column with the name that a replicate has in judged results.
LABEL = "replicate_label"
_Row = TypeVar("_Row", MeasurementRow, RunHistogram)

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
_TRAINING_NUMBERS = (
    *("loss", "validation_loss", "steps", "kept_step", "stopped_early", "tokens_seen", "parameters"),
    *("tokens_per_second", "steps_per_epoch", "together"),
)
_OTHER_NUMBERS = (
    *("notes_kept", "train_seconds", "train_joules", "generate_seconds", "sample_notes", "sample_seconds"),
)


def study_frame(store: Store, name: str) -> pd.DataFrame:
    """Return every measurement of a study.

    Returns:
        One row for each sample, metric and feature, ordered as in the study's file, with the columns
        ``study``, ``variant`` (ordered categorical, in the study's order), one column for each axis (its level;
        a list or table as JSON text), ``baseline``, ``replicate`` and ``sample`` (from 0), ``metric``, ``feature``,
        ``value``, ``unit``, ``direction``, and ``n``: the number of observations (notes) behind the value.

    Raises:
        UnknownName: no such study.
    """
    variants = store.variants(name)
    axes = [axis for axis in _axes(variants) if axis not in {"study", "variant", *_MEASUREMENT}]
    rows = _in_study_order(store, name, store.measurement_rows(name), lambda row: row)
    # column by column, because there may be hundreds of thousands of rows
    values = zip(*rows, strict=True) if rows else [()] * len(MeasurementRow._fields)
    columns: dict[str, Any] = dict(zip(MeasurementRow._fields, values, strict=True))
    levels = pd.DataFrame([{**_levels(v), "baseline": v.baseline} for v in variants], index=[v.name for v in variants])
    row_levels = levels.reindex(columns=[*axes, "baseline"]).loc[list(columns["variant"])]
    columns |= {"study": name, **{str(key): row_levels[key].to_numpy() for key in row_levels}}
    frame = pd.DataFrame(columns).reindex(columns=["study", "variant", *axes, *_MEASUREMENT]).astype(_MEASUREMENT)
    return with_variants(frame, variants)


def histogram_frame(store: Store, name: str) -> pd.DataFrame:
    """Return every histogram of a study, with one row for each bin.

    Returns:
        Columns ``variant`` (ordered categorical), ``replicate``, ``sample``, ``metric``, ``feature``, ``unit``,
        ``left`` and ``right`` (the edges of the bin, in that unit), ``reference`` and ``generated`` (counts).

    Raises:
        UnknownName: no such study.
    """
    runs = _in_study_order(store, name, store.histograms(name), lambda run: run.histogram)
    frame = bin_rows([(run.variant, run.replicate, run.histogram) for run in runs])
    return with_variants(frame.drop(columns="floor"), store.variants(name))


def bin_rows(histograms: Sequence[tuple[str, int, HistogramRecord]]) -> pd.DataFrame:
    """Return one row for each bin, with the columns of :func:`histogram_frame` and ``floor``; built by column."""
    sizes = [len(h.generated) for _, _, h in histograms]

    def repeat(values: Iterable[Any]) -> Any:
        """Repeat the value of each histogram for all its bins."""
        return np.repeat(np.array(list(values), dtype=object), sizes)

    def join(values: Iterable[Sequence[float]]) -> Any:
        return np.concatenate([np.empty(0), *map(np.asarray, values)])

    keys = ("sample", "metric", "feature", "unit", "floor")
    columns = {
        "variant": repeat(variant for variant, _, _ in histograms),
        "replicate": repeat(replicate for _, replicate, _ in histograms),
        **{key: repeat(getattr(h, key) for _, _, h in histograms) for key in keys},
        "left": join(h.edges[:-1] for _, _, h in histograms),
        "right": join(h.edges[1:] for _, _, h in histograms),
        "reference": join(h.reference for _, _, h in histograms),
        "generated": join(h.generated for _, _, h in histograms),
    }
    return pd.DataFrame(columns).astype({**_HISTOGRAM, "floor": "str"})


def _in_study_order(store: Store, name: str, rows: Sequence[_Row], record: Callable[[_Row], Any]) -> list[_Row]:
    """Sort by variant, replicate, sample and metric, each in the order of the study file."""
    setting = store.study(name).spec.get("metric", ())
    metrics = {metric: index for index, metric in enumerate([setting] if isinstance(setting, str) else setting)}
    variants = {variant.name: index for index, variant in enumerate(store.variants(name))}

    def position(row: _Row) -> tuple[int, int, int, int]:
        measurement = record(row)
        metric = metrics.get(measurement.metric, len(metrics))
        return variants[row.variant], row.replicate, measurement.sample, metric

    return sorted(rows, key=position)


def run_frame(store: Store, name: str) -> pd.DataFrame:
    """Return every run of a study with its training and its generation.

    Returns:
        One row for each run, ordered by variant and replicate: ``variant`` (ordered categorical), ``replicate``,
        ``state``, ``error`` (class and message; empty unless it failed), ``training`` (the fingerprint of the
        training, which runs may share; empty without one), ``loss`` (nats per token, mean of the last steps),
        ``validation_loss`` (of the kept weights), ``steps`` (those that ran), ``kept_step`` (after which the kept
        weights were), ``stopped_early`` (1 if patience ended the training, else 0), ``tokens_seen``,
        ``parameters``, ``tokens_per_second``, ``steps_per_epoch`` (optimiser steps until the model has seen each
        token once, on average), ``together`` (the number of models that were trained fused on a GPU, this one
        included: tokens per second are those of all of them, seconds and joules the share of this one),
        ``notes_kept`` (the share of the notes that the tokenizer keeps, of the test pieces if there are any),
        ``train_seconds``, ``train_joules``, ``generate_seconds``, ``sample_notes`` and
        ``sample_seconds`` (of one sample, on average), all NaN where unknown, ``device`` and ``precision`` (empty
        where unknown).

    Raises:
        UnknownName: no such study.
    """
    runs = store.runs(name)
    kinds = (PREPARE, TRAIN, *SAMPLES)
    stages = store.stages(run.stages[kind] for run in runs for kind in kinds if kind in run.stages)
    rows = []
    for run in runs:
        prepared, training, *samples = (stages.get(run.stages.get(kind, "")) for kind in kinds)
        rows.append(_run_row(run, prepared, training, next(filter(None, samples), None)))
    columns = ["variant", "replicate", "state", "error", "training", *_TRAINING_NUMBERS, *_OTHER_NUMBERS]
    frame = pd.DataFrame(rows, columns=[*columns, "device", "precision"])
    frame = frame.astype(dict.fromkeys([*_TRAINING_NUMBERS, *_OTHER_NUMBERS], "float64"))
    return with_variants(frame, store.variants(name))


def _run_row(
    run: RunRecord, prepared: StageRecord | None, training: StageRecord | None, generation: StageRecord | None
) -> dict[str, Any]:
    result = training.result if training else {}
    samples = generation.result if generation else {}
    count = samples.get("samples") or None
    return {
        "variant": run.variant,
        "replicate": run.replicate,
        "state": run.state,
        "error": ": ".join(part for part in (run.error_class, run.error) if part),
        "training": run.stages.get(TRAIN, ""),
        **{key: result.get(key) for key in _TRAINING_NUMBERS},
        "notes_kept": prepared.result.get("notes_kept") if prepared else None,
        "train_seconds": training.seconds if training else None,
        "train_joules": result.get("joules"),
        "generate_seconds": generation.seconds if generation else None,
        "sample_notes": samples["notes"] / count if count else None,
        "sample_seconds": samples["seconds"] / count if count else None,
        "device": training.device if training else "",
        "precision": result.get("precision", ""),
    }


def _axes(variants: Sequence[VariantRecord]) -> list[str]:
    """Return every axis, in the order in which the variants name them."""
    return list(dict.fromkeys(axis for variant in variants for axis in variant.levels))


def _levels(variant: VariantRecord) -> dict[str, Any]:
    # pandas cannot group by lists and tables, so they become text
    return {
        axis: json.dumps(level, sort_keys=True) if isinstance(level, (list, dict)) else level
        for axis, level in variant.levels.items()
    }


def with_labels(frame: pd.DataFrame, spec: Mapping[str, Any]) -> pd.DataFrame:
    """Return a frame of a judged study with the column :data:`LABEL` after ``replicate``: its seed, for example.

    The frame of any other study is returned as it is.
    """
    if not replicate_labels(spec) or LABEL in frame:  # an axis may have this name
        return frame.copy()
    pairs = zip(frame["variant"], frame["replicate"], strict=True)
    names = [replicate_name(spec, variant, replicate) for variant, replicate in pairs]
    labelled = frame.copy()
    labelled.insert(list(frame.columns).index("replicate") + 1, LABEL, names)
    return labelled


def with_variants(frame: pd.DataFrame, variants: Sequence[VariantRecord]) -> pd.DataFrame:
    """Return a frame with its column ``variant`` as an ordered categorical, in the order of the study."""
    names = [variant.name for variant in variants]
    return frame.assign(variant=pd.Categorical(frame["variant"], categories=names, ordered=True))
