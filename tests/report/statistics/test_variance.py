"""The noise of a study's comparisons, its cost, and the advice: more samples, or more replicates."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
from support.effects_material import measured
from support.report_study import STUDY, Builder
from support.store_material import stage

import ablate
from ablate.report.statistics.comparisons.weights import Weights
from ablate.report.statistics.inference.power import minimum_detectable
from ablate.report.statistics.inference.variance import Bounded, Components, components
from ablate.report.statistics.variance import POOLED, Costs, Samples, advise, costs_of, variance_frame
from ablate.store.records import RunRecord

if TYPE_CHECKING:
    from pathlib import Path

    from support.report_study import Home

A, B, C = (
    np.random.default_rng(k).normal(size=(5, 1)) + np.random.default_rng(k + 10).normal(size=(5, 4)) for k in (1, 2, 3)
)
B_AGAINST_A, C_AGAINST_A = (Weights("variant", name, "a", {name: 1.0, "a": -1.0}) for name in "bc")
QUANTITIES = pd.DataFrame([("m", "f", "1")], columns=["metric", "feature", "unit"])


def estimated(sampling: float, training: float, n: int = 8, m: float = 4.0) -> Components:
    share = sampling / m / (training + sampling / m)
    return Components(1, n, m, *(Bounded(value, value, value) for value in (sampling, training, share)))


class TestSamples:
    def test_differences_are_those_of_the_samples_with_the_same_number(self) -> None:
        samples = Samples(measured({"a": A, "b": B}))
        assert samples.differences("m", "f", {"a": -1.0, "b": 1.0}) == pytest.approx(B - A)
        assert samples.differences("m", "f", {"a": 0.5, "b": -0.5}) == pytest.approx((A - B) / 2)

    def test_a_sample_that_one_variant_lacks_is_missing(self) -> None:
        shorter = np.where(np.arange(4) < 2, B, math.nan)
        found = Samples(measured({"a": A, "b": shorter[1:]})).differences("m", "f", {"a": -1.0, "b": 1.0})
        assert np.isnan(found[:, 2:]).all()
        assert np.isnan(found[4]).all(), "the fifth replicate of b does not exist"
        assert found[:4, :2] == pytest.approx(B[1:, :2] - A[:4, :2])

    def test_a_variant_without_results_leaves_no_difference(self) -> None:
        assert np.isnan(Samples(measured({"a": A})).differences("m", "f", {"a": 1.0, "gone": -1.0})).all()


class TestFrame:
    def test_every_comparison_has_a_row_and_those_with_the_baseline_have_one_together(self) -> None:
        both, costs = [B_AGAINST_A, C_AGAINST_A], Costs(10.0, 0.1)
        frame = variance_frame(Samples(measured({"a": A, "b": B, "c": C})), both, QUANTITIES, costs)
        assert frame["comparison"].to_list() == [POOLED, "b", "c"]
        assert set(frame["n"]) == {5}
        assert set(frame["samples"]) == {4.0}
        for row, values in zip(frame.to_dict("records"), ([B - A, C - A], [B - A], [C - A]), strict=True):
            expected = components(np.array(values))
            assert expected
            for name in ("sampling", "training", "share"):
                assert [row[f"{name}{end}"] for end in ("", "_low", "_high")] == pytest.approx(getattr(expected, name))
            ratio = expected.sampling.value / expected.training.value
            assert row["optimal"] == pytest.approx(max(1.0, math.sqrt(ratio * 100)))
            assert row["optimal_low"] <= row["optimal"] <= row["optimal_high"]

    def test_one_sample_of_each_training_leaves_it_empty(self) -> None:
        samples = Samples(measured({"a": A[:, :1], "b": B[:, :1]}))
        assert variance_frame(samples, [B_AGAINST_A], QUANTITIES, None).empty

    def test_without_costs_no_number_of_samples_is_the_best(self) -> None:
        frame = variance_frame(Samples(measured({"a": A, "b": B})), [B_AGAINST_A], QUANTITIES, None)
        assert frame[["optimal", "optimal_low", "training_seconds", "sample_seconds"]].isna().all(axis=None)


def test_a_shared_training_is_divided_among_its_variants() -> None:
    generated = {"config": {"inputs": {"generated": "g"}}}
    of_model = {"config": {"inputs": {"weights": "train 0"}}, "kind": "measure"}
    stages = [
        stage("train 0", seconds=30.0),
        stage("prepare", seconds=2.0),
        stage("nll", seconds=4.0, **of_model),
        stage("load", seconds=99.0),
        *(stage(f"generate {v}", seconds=6.0, result={"samples": 4}) for v in "ab"),
        *(stage(f"measure {v}", seconds=1.0, **generated) for v in "ab"),
        *(stage(f"resample {v}", seconds=3.0, **generated) for v in "ab"),
    ]
    runs = [
        RunRecord(v, 0, {"load": "load", "prepare": "prepare", "train": "train 0", "generate": f"generate {v}",
                         "measure nll": "nll", "measure pitch": f"measure {v}", "resample pitch": f"resample {v}"}, {})
        for v in "ab"
    ]  # fmt: skip
    unfinished = RunRecord("c", 0, {"train": "train 0", "generate": "generate c"}, {})
    by_fingerprint = {each.fingerprint: each for each in stages}
    assert costs_of([*runs, unfinished], by_fingerprint) == Costs((30 + 2 + 4) / 2, 2 * (6 + 1 + 3) / 8)
    assert costs_of([unfinished], by_fingerprint) is None


class TestAdvice:
    def test_noise_of_sampling_asks_for_samples(self) -> None:
        advice = advise(estimated(sampling=7.6, training=0.1), Costs(5.0, 0.1), cells=5)
        assert advice.better == "samples"
        assert advice.sure
        assert advice.samples == 32, "8 times the present number is the limit"
        assert advice.samples_seconds == pytest.approx(32 * 0.1 * 5 * 8)
        assert advice.samples_gain == pytest.approx(2.0 / (0.1 + 7.6 / 32))
        assert advice.replicates == round(128 / 27)
        assert advice.replicates_seconds == pytest.approx(5 * (5.0 + 0.4) * 5)
        assert advice.replicates_gain == pytest.approx(13 / 8)

    def test_noise_of_training_asks_for_replicates(self) -> None:
        advice = advise(estimated(sampling=0.1, training=2.0), Costs(5.0, 0.5), cells=5)
        assert advice.better == "replicates"
        assert advice.samples == 8, "it is compared with twice the present number"
        assert advice.replicates >= 1

    def test_a_dear_training_asks_for_more_samples_than_a_cheap_one(self) -> None:
        found = estimated(sampling=1.0, training=0.25)
        dear, cheap = (advise(found, Costs(cost, 0.1), cells=2) for cost in (90.0, 0.01))
        assert (dear.better, cheap.better) == ("samples", "replicates")
        assert dear.optimal[0] == pytest.approx(math.sqrt(4 * 900))

    def test_a_share_that_might_be_small_is_not_sure(self) -> None:
        share = Bounded(0.9, 0.05, 1.0)
        advice = advise(estimated(3.6, 0.1)._replace(share=share), Costs(5.0, 0.5), cells=5)
        assert (advice.better, advice.sure) == ("samples", False)

    def test_the_better_option_finds_the_smaller_difference(self) -> None:
        rng = np.random.default_rng(0)
        for _ in range(200):
            sampling, training, cost, each = 10 ** rng.uniform(-2, 2, 4)
            found = estimated(sampling, training)
            advice = advise(found, Costs(cost, each), cells=3)
            by_samples, by_replicates = (
                minimum_detectable(n, 0.05, 0.8) * math.sqrt(training + sampling / m)
                for n, m in ((8, advice.samples), (8 + advice.replicates, 4))
            )
            assert advice.detectable[1:] == pytest.approx((by_samples, by_replicates))
            assert (advice.better == "samples") == (by_samples < by_replicates)

    def test_where_the_level_cannot_be_reached_replicates_are_needed(self) -> None:
        advice = advise(estimated(sampling=7.6, training=0.1, n=5), Costs(5.0, 0.1), cells=5)
        assert advice.better == "replicates"
        assert advice.detectable[:2] == (math.inf, math.inf)
        assert math.isfinite(advice.detectable[2])


def test_a_study_has_its_components_costs_and_csv(finished: Home, page: Path) -> None:
    frame = ablate.load_results(STUDY, finished.path).variance()
    assert set(frame["comparison"]) == {"tau=0.8"}
    assert len(frame) == 4
    assert frame["training_seconds"].to_list() == pytest.approx([(20 + 21 + 22) / 6] * 4)
    assert frame["sample_seconds"].to_list() == pytest.approx([(1.0 + 2 * 0.1 + 2 * 0.1) / 2] * 4)
    assert len(pd.read_csv(page.parent / "data" / "variance.csv")) == 4
    assert "Where the noise comes from" in page.read_text(encoding="utf-8")


def test_a_study_with_one_sample_of_each_training_has_no_table(tmp_path: Path) -> None:
    builder = Builder(tmp_path, ("tau=0.6", "tau=0.8"), 3, 1)
    builder.plan()
    with builder.store:
        builder.finish()
    assert ablate.load_results(STUDY, tmp_path).variance().empty
