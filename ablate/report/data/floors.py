"""The floors of a study as tidy pandas frames."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from ablate.kinds import FLOOR, RESAMPLE, kind_of
from ablate.report.data.frames import bin_rows, with_variants

if TYPE_CHECKING:
    from collections.abc import Collection

    from ablate.store.records import MeasurementRecord, StageRecord
    from ablate.store.store import Store

_FLOOR = {
    "replicate": "int64",
    "floor": "str",
    "pieces": "int64",
    "draw": "int64",
    "metric": "str",
    "feature": "str",
    "value": "float64",
    "unit": "str",
    "direction": "str",
}


def floor_frame(store: Store, name: str) -> pd.DataFrame:
    """Return every floor of a study.

    Returns:
        One row for each number: ``variant`` (ordered categorical), ``replicate`` (the first of those that share the
        value), ``floor``, ``pieces`` (number of pieces that were copied or encoded, with those that the metric refused;
        0 if there was none), ``draw`` (with resampling: the draw of a whole replicate; otherwise: the piece or the
        shuffle; shuffle ``i`` is of piece ``i`` modulo ``pieces``), ``metric``, ``feature``, ``value``, ``unit``,
        ``direction``.

    Raises:
        UnknownName: no such study.
    """
    users: dict[str, list[tuple[str, int]]] = {}
    for run in store.runs(name):
        for stage, fingerprint in run.stages.items():
            kind = kind_of(stage)
            sharing = users.get(fingerprint, ())
            # all replicates with one split share the floors that need no sample
            if kind == RESAMPLE or (kind == FLOOR and run.variant not in {variant for variant, _ in sharing}):
                users.setdefault(fingerprint, []).append((run.variant, run.replicate))
    stages = store.stages(users)
    rows = [
        (variant, replicate, m.floor, pieces, m.sample, m.metric, m.feature, m.value, m.unit, m.direction)
        for fingerprint, records in store.floors(users).items()
        for pieces in (_pieces(records, stages[fingerprint]),)
        for variant, replicate in users[fingerprint]
        for m in records
    ]
    frame = pd.DataFrame(rows, columns=["variant", *_FLOOR]).astype(_FLOOR)
    return with_variants(frame, store.variants(name))


def _pieces(records: Collection[MeasurementRecord], stage: StageRecord) -> int:
    """Return the number of pieces of a stage's copies and round trips: those with values and the refused ones."""
    numbers: list[int] = []
    for floor in ("copy", "round_trip"):
        measured = {record.sample for record in records if record.floor == floor}
        refused: int = stage.result.get("refused", {}).get(floor, {}).get("refused", 0)
        numbers.append(len(measured) + refused)
    return max(numbers)


def floor_histogram_frame(store: Store, name: str) -> pd.DataFrame:
    """Return the histograms of floors as :func:`histogram_frame` does, with a column ``floor``.

    The replicate is the first of those that share the floor.
    """
    users: dict[str, dict[str, int]] = {}
    for run in store.runs(name):
        for stage, fingerprint in run.stages.items():
            if kind_of(stage) == FLOOR:
                users.setdefault(fingerprint, {}).setdefault(run.variant, run.replicate)
    histograms = [
        (variant, replicate, h)
        for fingerprint, records in store.floor_histograms(users).items()
        for variant, replicate in users[fingerprint].items()
        for h in records
    ]
    return with_variants(bin_rows(histograms), store.variants(name))
