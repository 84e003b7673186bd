"""The glossary of a report: its words are those of the components, and no name of others is explained."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import numpy as np
from support.effects_material import Stored

from ablate.registry import get_registry
from ablate.report.statistics.analysis.analysis import Analysis
from ablate.report.text.glossary import UNKNOWN, glossary

if TYPE_CHECKING:
    from pathlib import Path

    from ablate.report.data.study import Study

LONGEST = "memorization.longest"


def study(home: Path) -> Study:
    """Two variants in two features of one metric, in a quantity without better direction, and in an unknown metric."""
    levels = {name: {"sampler.tau": level} for level, name in enumerate("ab")}
    values = {name: np.array([0.1, 0.2, 0.3]) for name in levels}
    metrics = {("gone", "value"): values, (LONGEST, "notes"): values, (LONGEST, "share"): values}
    stored = Stored(home, levels, metrics, {LONGEST: "none"})
    return stored.put(objective={"metric": LONGEST, "feature": "share", "direction": "lower"})


def test_each_metric_is_explained_by_its_component(tmp_path: Path) -> None:
    first, second = glossary(Analysis(study(tmp_path), get_registry()))
    assert first.metric == LONGEST, "the primary quantity's metric comes first"
    assert first.summary == get_registry().spec("metric", LONGEST).summary
    assert first.features == "notes: without unit, neither direction is better; share: without unit, lower is better"
    assert dict(first.sentences) == get_registry().spec("metric", LONGEST).features
    assert second.sentences == ()
    assert (second.metric, second.summary, second.features) == ("gone", UNKNOWN, "value: without unit, lower is better")


def test_names_in_tables_of_others_are_not_explained(tmp_path: Path) -> None:
    own = study(tmp_path)
    for kind, expected in (("table", []), ("midi", [LONGEST, "gone"])):
        spec = {**own.spec, "judged": {"kind": kind, "source": "results"}}
        judged = dataclasses.replace(own, record=dataclasses.replace(own.record, spec=spec))
        assert [one.metric for one in glossary(Analysis(judged, get_registry()))] == expected
