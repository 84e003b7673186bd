"""Studies made of numbers alone: of pairs of replicates or of independent runs, without a store."""

from __future__ import annotations

import dataclasses
import functools
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from ablate.registry import get_registry
from ablate.report.data.frames import with_variants
from ablate.report.data.study import Study
from ablate.report.statistics.analysis.analysis import Analysis
from ablate.store.records import StudyRecord, VariantRecord
from support import store_material

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ablate.report.statistics.comparisons.weights import Weights

#: The frames of a study that have no rows here.
FRAMES = ("histograms", "floors", "floor_histograms", "run_frame")
#: What ``ablate judge`` says of results whose replicates do not belong together.
JUDGED = {"source": "results.csv", "kind": "table", "paired": False, "command": ["ablate", "judge", "results.csv"]}


def analysed(
    values: Mapping[str, Mapping[str, Sequence[float]]],
    *,
    paired: bool = False,
    levels: Mapping[str, Mapping[str, Any]] | None = None,
    directions: Mapping[str, str] | None = None,
    asked: Sequence[Weights] = (),
    **spec: Any,
) -> Analysis:
    """Return the analysis of a study with these values.

    Args:
        values: metric to variant to its replicates, as many as each has; the first variant is the baseline.
        paired: whether replicate k of all variants belongs together.
        levels: of the variants; by default one axis ``method`` with their names.
        directions: of metrics; ``lower`` where nothing is said.
        asked: further comparisons.
        spec: of the study file; the first metric is the objective where it names none.
    """
    names = list(dict.fromkeys(name for own in values.values() for name in own))
    columns = [*("study", "variant", "baseline", "replicate", "sample"), *("metric", "feature", "unit", "direction")]
    rows = [
        (
            "judged",
            name,
            name == names[0],
            replicate,
            0,
            metric,
            "value",
            "1",
            (directions or {}).get(metric, "lower"),
            v,
        )
        for metric, own in values.items()
        for name, replicates in own.items()
        for replicate, v in enumerate(replicates)
    ]
    frame = pd.DataFrame(rows, columns=[*columns, "value"]).assign(n=1)
    frame["variant"] = pd.Categorical(frame["variant"], categories=names, ordered=True)
    own_levels = levels or {name: {"method": name} for name in names}
    plain = {"objective": {"metric": next(iter(values))}, **({} if paired else {"judged": JUDGED}), **spec}
    variants = tuple(VariantRecord(name, name, dict(own_levels[name]), name == names[0]) for name in names)
    record = StudyRecord("judged", plain, "default", "bach", 0)
    empty = _without_results()
    others = {key: with_variants(getattr(empty, key).astype({"variant": "object"}), variants) for key in FRAMES}
    study = dataclasses.replace(empty, record=record, variants=variants, frame=frame, **others)
    return Analysis(study, get_registry(), asked)


@functools.cache
def _without_results() -> Study:
    """Return a study whose frames have their columns and no rows."""
    with tempfile.TemporaryDirectory() as folder, store_material.new_store(Path(folder)) as store:
        store.put_study(store_material.study(), store_material.variants("a"), [])
        return Study.read(store, "one")
