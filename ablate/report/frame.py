"""What a study measured, as tidy pandas frames: one row an observation, one column a variable."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, TypeVar

import pandas as pd

from ablate.store.records import CellHistogram, CellMeasurement

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from ablate.store.records import CellRecord, StageRecord, VariantRecord
    from ablate.store.store import Store

_C = TypeVar("_C", CellMeasurement, CellHistogram)

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
_TRAINING_NUMBERS = ("loss", "steps", "tokens_seen", "parameters", "tokens_per_second")


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
    known = {variant.name: variant for variant in variants}
    axes = [axis for axis in _axes(variants) if axis not in {"study", "variant", *_MEASUREMENT}]
    rows = [
        {
            **_levels(known[cell.variant]),
            "study": name,
            "variant": cell.variant,
            "baseline": known[cell.variant].baseline,
            "replicate": cell.replicate,
            **vars(cell.measurement),
        }
        for cell in _in_study_order(store, name, store.measurements(name), lambda cell: cell.measurement)
    ]
    frame = pd.DataFrame(rows, columns=["study", "variant", *axes, *_MEASUREMENT]).astype(_MEASUREMENT)
    return _with_variants(frame, variants)


def histogram_frame(store: Store, name: str) -> pd.DataFrame:
    """Every histogram of a study, one row a bin.

    Returns:
        Columns ``variant`` (ordered categorical), ``replicate``, ``sample``, ``metric``, ``feature``, ``unit``,
        ``left`` and ``right`` (the bin's edges, in that unit), ``reference`` and ``generated`` (counts).

    Raises:
        UnknownName: no such study.
    """
    parts = [
        pd.DataFrame(
            {
                "variant": cell.variant,
                "replicate": cell.replicate,
                "sample": cell.histogram.sample,
                "metric": cell.histogram.metric,
                "feature": cell.histogram.feature,
                "unit": cell.histogram.unit,
                "left": cell.histogram.edges[:-1],
                "right": cell.histogram.edges[1:],
                "reference": cell.histogram.reference,
                "generated": cell.histogram.generated,
            }
        )
        for cell in _in_study_order(store, name, store.histograms(name), lambda cell: cell.histogram)
    ]
    frame = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=["variant", *_HISTOGRAM])
    return _with_variants(frame.astype(_HISTOGRAM), store.variants(name))


def _in_study_order(store: Store, name: str, cells: Sequence[_C], measured: Callable[[_C], Any]) -> list[_C]:
    """Sorted by variant, replicate, sample and metric, each in the order of the study's file."""
    chosen = store.study(name).spec.get("metric", ())
    metrics = {metric: place for place, metric in enumerate([chosen] if isinstance(chosen, str) else chosen)}
    variants = {variant.name: place for place, variant in enumerate(store.variants(name))}

    def place(cell: _C) -> tuple[int, int, int, int]:
        about = measured(cell)
        return variants[cell.variant], cell.replicate, about.sample, metrics.get(about.metric, len(metrics))

    return sorted(cells, key=place)


def cell_frame(store: Store, name: str) -> pd.DataFrame:
    """Every cell of a study and the training behind it.

    Returns:
        One row a cell, ordered by variant and replicate: ``variant`` (ordered categorical), ``replicate``,
        ``state``, ``error`` (class and message; empty unless it failed), ``training`` (the fingerprint that cells
        which share a training have in common; empty without one), ``loss`` (nats per token, mean of the last
        steps), ``steps``, ``tokens_seen``, ``parameters``, ``tokens_per_second``, ``train_seconds`` (NaN where not
        known), ``device`` and ``precision`` (empty where not known).

    Raises:
        UnknownName: no such study.
    """
    cells = store.cells(name)
    stages = store.stages(cell.stages["train"] for cell in cells if "train" in cell.stages)
    rows = [_cell_row(cell, stages.get(cell.stages.get("train", ""))) for cell in cells]
    columns = ["variant", "replicate", "state", "error", "training", *_TRAINING_NUMBERS, "train_seconds"]
    frame = pd.DataFrame(rows, columns=[*columns, "device", "precision"])
    numbers = dict.fromkeys([*_TRAINING_NUMBERS, "train_seconds"], "float64")
    return _with_variants(frame.astype(numbers), store.variants(name))


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


def _cell_row(cell: CellRecord, training: StageRecord | None) -> dict[str, Any]:
    result = training.result if training else {}
    return {
        "variant": cell.variant,
        "replicate": cell.replicate,
        "state": cell.state,
        "error": ": ".join(part for part in (cell.error_class, cell.error) if part),
        "training": cell.stages.get("train", ""),
        **{key: result.get(key) for key in _TRAINING_NUMBERS},
        "train_seconds": training.seconds if training else None,
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
