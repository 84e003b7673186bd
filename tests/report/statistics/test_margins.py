"""Margins: stated in the study file or absent, and a share of a mean that varies itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats as sps
from support.effects_material import NAN, RULES, Stored, replicated

from ablate.registry import get_registry
from ablate.report.statistics import effects
from ablate.report.statistics.analysis.analysis import Analysis
from ablate.report.statistics.comparisons.weights import Weights
from ablate.report.statistics.margins import Margin, margins, unmeasured

if TYPE_CHECKING:
    from pathlib import Path

FEATURES = pd.DataFrame(
    [("m", "l1"), ("m", "l2"), ("m", "average"), ("rate", "notes"), ("rate", "chords")], columns=["metric", "feature"]
)
Q = ("m", "f")


def judged(values: dict[str, Any], margin: Margin | None) -> dict[str, Any]:
    """Variant b against a, with this margin."""
    replicates = replicated(values)
    quantities = replicates.quantities.assign(role="primary")
    weights = [Weights("variant", "b", "a", {"b": 1.0, "a": -1.0})]
    frame = effects.judge(replicates, weights, {Q: margin} if margin else {}, RULES, quantities)
    (row,) = frame.to_dict("records")
    return dict(row)


class TestWhichMargins:
    def test_without_a_stated_margin_there_is_none(self) -> None:
        assert margins({}, "a", FEATURES) == {}

    def test_a_number_is_for_the_average(self) -> None:
        assert margins({"m": 0.5}, "a", FEATURES) == {("m", "average"): Margin(0.5)}

    def test_or_for_every_feature_of_a_metric_without_an_average(self) -> None:
        assert margins({"rate": 3}, "a", FEATURES) == {("rate", f): Margin(3.0) for f in ("notes", "chords")}
        assert margins({"rate": 3}, "a", FEATURES, [("rate", "chords")]) == {("rate", "notes"): Margin(3.0)}

    def test_a_table_is_for_its_features_only(self) -> None:
        found = margins({"m": {"l1": 0.25, "l2": "10 %"}}, "a", FEATURES)
        assert found == {("m", "l1"): Margin(0.25), ("m", "l2"): Margin(0.1, "a")}
        assert [one.source for one in found.values()] == ["the study's margin", "10 % of the baseline's mean"]

    def test_a_margin_of_something_unmeasured_is_named(self) -> None:
        written = {"m": {"l1": 1, "L1": 2}, "gone": {"x": "5%"}}
        assert list(margins(written, "a", FEATURES)) == [("m", "l1")]
        assert unmeasured(written, FEATURES) == ["m L1", "gone x"]


class TestShareOfTheBaseline:
    BASE = (2.0, 2.4, 1.8, 2.2, 2.1, 1.9)

    def test_it_is_the_share_of_the_mean(self) -> None:
        row = judged({"a": self.BASE, "b": [x + 0.01 for x in self.BASE]}, Margin(0.1, "a"))
        assert row["margin"] == pytest.approx(0.1 * np.mean(self.BASE))
        assert row["margin_of"] == "10 % of the baseline's mean"

    def test_the_uncertainty_of_the_baseline_is_part_of_the_test(self) -> None:
        """Both sides by hand: differences minus and plus a tenth of the baseline, replicate by replicate."""
        base = np.array(self.BASE)
        other = base + np.array([0.03, -0.02, 0.05, 0.01, -0.04, 0.02])
        row = judged({"a": base, "b": other}, Margin(0.1, "a"))
        sides = [sps.ttest_1samp(other - base + 0.1 * base, 0, alternative="greater").pvalue]
        sides.append(sps.ttest_1samp(other - base - 0.1 * base, 0, alternative="less").pvalue)
        assert row["p_equivalent"] >= max(sides) * (1 - 1e-9)
        assert row["verdict"] == "equivalent"
        # the same numbers with a fixed margin of the same size need no such care
        fixed = judged({"a": base, "b": other}, Margin(0.1 * base.mean()))
        assert row["p_equivalent"] >= fixed["p_equivalent"]

    def test_a_baseline_below_0_has_a_margin_above_0(self) -> None:
        base = [-x for x in self.BASE]
        other = [x + more for x, more in zip(base, (0.01, -0.02, 0.015, -0.01, 0.005, 0.0), strict=True)]
        row = judged({"a": base, "b": other}, Margin(0.1, "a"))
        assert row["margin"] == pytest.approx(0.1 * np.mean(self.BASE))
        assert row["verdict"] == "equivalent"

    def test_a_share_of_0_is_no_margin(self) -> None:
        row = judged({"a": [0.0] * 6, "b": [0.1, -0.1, 0.2, -0.2, 0.1, 0.1]}, Margin(0.1, "a"))
        assert np.isnan(row["margin"])
        assert (row["margin_of"], row["verdict"]) == ("", "inconclusive")

    def test_only_the_replicates_of_the_comparison_count(self) -> None:
        row = judged({"a": [1.0, 2.0, 3.0, 90.0], "b": [1.0, 2.1, 3.0, NAN]}, Margin(0.5, "a"))
        assert row["margin"] == pytest.approx(1.0)


def test_few_samples_make_no_equivalence(tmp_path: Path) -> None:
    """The width of the resampling band was a margin once: a study of few samples called any difference equivalent."""
    rng = np.random.default_rng(1)
    base = rng.normal(1.0, 0.01, 8)
    values = {("m", "average"): {"a": base, "b": base + rng.normal(0.0, 0.001, 8)}}
    levels = {"a": {"x": 1}, "b": {"x": 2}}
    draws = {"m": [0.0, 1.0, 2.0, 3.0, 4.0]}
    found = {}
    for name, written in (("without", {}), ("stated", {"m": "5 %"})):
        study = Stored(tmp_path / name, levels, values, draws=draws).put(margins=written)
        frame = Analysis(study, get_registry()).against_baseline
        found[name] = frame["verdict"].tolist()
    assert found["without"] in (["inconclusive"], ["better"], ["worse"])
    assert found["stated"] == ["equivalent"]
