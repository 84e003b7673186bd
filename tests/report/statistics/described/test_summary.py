"""Statistics, against numbers worked out with NumPy or by hand."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
from support.outputs_material import drawn, put
from support.report_study import STUDY

from ablate.report.data.frames import histogram_frame, run_frame, study_frame
from ablate.report.data.histograms import distinct_histograms, pooled_histograms
from ablate.report.data.study import Study
from ablate.report.statistics.described import summary
from ablate.report.text.tables.runs import training_grid
from ablate.report.text.tables.terminal import summary_table
from ablate.store.store import Store

if TYPE_CHECKING:
    from pathlib import Path

    from support.report_study import Home


def _frame(
    rows: list[tuple[str, int, int, str, str, float]], variants: tuple[str, ...] = ("a", "b"), baseline: str = "a"
) -> pd.DataFrame:
    """A study frame from (variant, replicate, sample, metric, feature, value)."""
    frame = pd.DataFrame(rows, columns=["variant", "replicate", "sample", "metric", "feature", "value"])
    frame["variant"] = pd.Categorical(frame["variant"], list(variants), ordered=True)
    return frame.assign(baseline=frame["variant"] == baseline, unit="1", direction="lower", n=10)


def test_samples_are_nested_and_never_count_towards_n(finished: Home) -> None:
    rows = summary.summarise(study_frame(finished.store, STUDY))
    for row in rows.itertuples():
        values = np.array(
            [
                [finished.numbers[row.variant, replicate, sample, row.metric, row.feature] for sample in range(2)]
                for replicate in range(3)
            ]
        )
        replicates = values.mean(axis=1)
        assert row.mean == pytest.approx(replicates.mean())
        assert row.sd == pytest.approx(replicates.std(ddof=1))
        assert (row.min, row.max) == (pytest.approx(replicates.min()), pytest.approx(replicates.max()))
        assert (row.n, row.samples) == (3, 6)
    assert len(rows) == 2 * 4


def test_a_replicate_counts_once_however_many_samples_it_has() -> None:
    frame = _frame([("a", 0, s, "m", "l1", 1.0) for s in range(9)] + [("a", 1, 0, "m", "l1", 3.0)])
    row = summary.summarise(frame).iloc[0]
    assert (row["mean"], row["n"], row["samples"]) == (2.0, 2, 10)
    assert row["sd"] == pytest.approx(math.sqrt(2))


def test_one_replicate_has_no_standard_deviation() -> None:
    row = summary.summarise(_frame([("a", 0, 0, "m", "l1", 1.0), ("a", 0, 1, "m", "l1", 2.0)])).iloc[0]
    assert row["mean"] == 1.5
    assert math.isnan(row["sd"])
    assert row["n"] == 1


def test_variants_keep_their_order_whatever_that_of_the_rows() -> None:
    frame = _frame([("b", 0, 0, "m", "l1", 1.0), ("a", 0, 0, "m", "l1", 2.0)])
    assert list(summary.summarise(frame)["variant"]) == ["a", "b"]


def test_headline_is_the_average_or_all_there_is() -> None:
    frame = _frame([("a", 0, 0, m, f, 1.0) for m, f in [("d", "l1"), ("d", "average"), ("rate", "value")]])
    kept = summary.headline(frame)
    assert list(zip(kept["metric"], kept["feature"], strict=True)) == [("d", "average"), ("rate", "value")]


def test_comparison_table_for_people() -> None:
    values = {("a", 0): 0.131, ("a", 1): 0.155, ("b", 0): 0.2}
    rows = [(v, r, 0, "d", "average", value) for (v, r), value in values.items()]
    frame = _frame([*rows, ("a", 0, 0, "d", "l1", 0.5), ("a", 0, 0, "rate", "value", 12.0)], ("a", "b", "c"))
    table = summary_table(frame)
    assert table.headers == ("variant", "d", "rate")
    assert table.rows == (
        ("a (baseline)", "0.143 ± 0.017 (n=2)", "12.0 ± – (n=1)"),  # noqa: RUF001
        ("b", "0.200 ± – (n=1)", "–"),  # noqa: RUF001
        ("c", "–", "–"),  # noqa: RUF001
    )


@pytest.mark.parametrize(
    ("means", "sds", "expected"),
    [
        ([0.143], [0.012], 3),
        ([0.0039], [0.00021], 5),
        ([123.4], [25.0], 0),
        ([1e6], [1e5], 0),
        ([1e-12], [1e-13], 6),
        ([0.143], [math.nan], 3),
        ([12.0], [0.0], 1),
        ([0.0], [0.0], 3),
    ],
)
def test_decimals_follow_the_spread(means: list[float], sds: list[float], expected: int) -> None:
    assert summary.decimals(means, sds) == expected


def test_pooled_histograms(finished: Home) -> None:
    pooled = pooled_histograms(histogram_frame(finished.store, STUDY))
    one = pooled[pooled["variant"] == "tau=0.8"].sort_values("left")
    counts = np.array([sum(finished.counts["tau=0.8", r, s] for s in range(2)) for r in range(3)])
    shares = counts / counts.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(one["generated"], counts.sum(axis=0) / counts.sum())
    np.testing.assert_allclose(one["sd"], shares.std(axis=0, ddof=1))
    np.testing.assert_allclose(one["reference"], [0.4, 0.3, 0.2, 0.1, 0.0])
    assert set(one["n"]) == {3}


def test_the_same_histogram_behind_two_metrics_is_one(finished: Home) -> None:
    pooled = pooled_histograms(histogram_frame(finished.store, STUDY))
    again, other = pooled.assign(metric="again"), pooled.assign(metric="other", reference=0.2)
    kept = distinct_histograms(pd.concat([pooled, again, other], ignore_index=True))
    assert set(kept["metric"]) == {"distance.pitch", "other"}
    assert len(kept) == 2 * len(pooled)


def test_trainings_are_counted_once(finished: Home) -> None:
    table = summary.trainings(run_frame(finished.store, STUDY))
    assert len(table) == 3
    assert set(table["shared_by"]) == {"all variants"}
    assert table["done"].all()


def test_trainings_of_their_own_are_named_after_their_variants() -> None:
    runs = pd.DataFrame(
        {
            "variant": ["a", "b", "c", "d"],
            "training": ["x", "x", "y", ""],
            "train_seconds": [1.0, 1.0, math.nan, math.nan],
        }
    )
    table = summary.trainings(runs)
    assert table["shared_by"].to_list() == ["a, b", "c"]
    assert table["done"].to_list() == [True, False]


def test_spread_of_nothing_is_none() -> None:
    assert summary.spread_of([math.nan]) is None
    assert str(summary.spread_of([1.0, 2.0, math.nan])) == "1.50 ± 0.71 (n=2)"


@pytest.mark.parametrize(
    ("sizes", "said"), [([1, 1], []), ([float("nan")], []), ([20, 20], ["20 fused"]), ([1, 7, 6], ["6 to 7 fused"])]
)
def test_trainings_that_were_done_as_one_are_said_to_be(sizes: list[float], said: list[str]) -> None:
    from ablate.report.text.tables.runs import _fused

    assert _fused(pd.DataFrame({"together": sizes})) == said


@pytest.mark.parametrize(
    ("smoothing", "said"),
    [
        ((0.0, 0.0), ""),
        ((0.1, 0.1), " Training losses contain label smoothing (0.1)."),
        ((0.0, 0.1), " Training losses contain label smoothing, which differs (0, 0.1), so they cannot be compared."),
    ],
)
def test_label_smoothing_in_training_losses_is_stated(
    tmp_path: Path, smoothing: tuple[float, float], said: str
) -> None:
    changed = {name: {"training": {"label_smoothing": share}} for name, share in zip("ab", smoothing, strict=True)}
    with Store(f"sqlite:///{tmp_path / 'ablate.db'}") as store:
        put(store, "smooth", drawn(1, {"a": 0.1, "b": 0.2}, size=(2, 1)), configs=changed)
        study = Study.read(store, "smooth")
    assert summary.smoothing_note(study) == said
    assert training_grid(study).foot == said.strip()
