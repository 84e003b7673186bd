"""Reasons for care with a quantity, from the values of a study."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import numpy as np
from support.effects_material import NAN, Stored, judged, replicated

from ablate.registry import get_registry
from ablate.report.statistics.analysis.analysis import Analysis
from ablate.report.statistics.comparisons.weights import Weights
from ablate.report.statistics.doubts import Doubts, doubts_of

if TYPE_CHECKING:
    from pathlib import Path

CALM = [1.0, 1.1, 0.9, 1.2, 0.8, 1.05, 0.95, 1.0]


def test_outliers_and_missing_replicates_have_names() -> None:
    values = {"plain": CALM, "wild": [*CALM[:7], 99.0], "short": [*CALM[1:7], NAN, NAN]}
    found = doubts_of(replicated(values), "m", "f")
    assert found.outlying == ("wild",)
    assert found.missing == (("short", 2),)
    assert str(found.about(["plain", "short"])) == ("skewed; " if found.leaning else "") + "2 missing in short"


def test_spared_replicates_are_not_missing() -> None:
    found = Doubts(missing=(("spared", 2), ("failed", 1)))
    assert found.without_missing({"spared"}).missing == (("failed", 1),)


def test_a_study_tells_spared_replicates_from_missing_ones(tmp_path: Path) -> None:
    values = {"a": CALM, "spared": [*CALM[:3], *[NAN] * 5], "failed": [*CALM[:7], NAN]}
    study = Stored(tmp_path, {name: {} for name in values}, {("m", "f"): values}).put()
    runs = [
        dataclasses.replace(run, state="pruned") if run.variant == "spared" and run.replicate > 2 else run
        for run in study.runs
    ]
    found = Analysis(dataclasses.replace(study, runs=tuple(runs)), get_registry()).doubts
    assert found["m", "f"].missing == (("failed", 1),)


def test_skewed_values_concern_every_comparison() -> None:
    rng = np.random.default_rng(1)
    values = {name: rng.exponential(size=8) for name in "abcd"}
    found = doubts_of(replicated(values), "m", "f")
    assert found.leaning
    assert "skewed" in str(found.about(["a"]))


def test_nothing_odd_is_no_doubt() -> None:
    found = doubts_of(replicated({"a": CALM, "b": CALM[::-1]}), "m", "f")
    assert found == Doubts()
    assert not found
    assert str(found) == ""


def test_a_comparison_has_the_doubts_about_its_own_variants() -> None:
    values = {"plain": CALM, "wild": [*CALM[:7], 99.0], "calm": CALM[::-1]}
    comparisons = [Weights("variant", name, "plain", {name: 1.0, "plain": -1.0}) for name in ("wild", "calm")]
    found = judged(replicated(values), comparisons)
    assert "outlier in wild" in found["doubts"].iloc[0]
    assert "outlier" not in found["doubts"].iloc[1]
