"""What needs no model: bands, margins made of them, and when they stand above what a study is about."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.effects_material import NAN

from ablate.report.statistics.described import floors
from ablate.report.statistics.described.floors import Band, bands, summarise_floors

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Q = ("m", "average")
LABELS = {Q: "the metric"}


def floor_frame(rows: Mapping[tuple[str, str, str, str], Sequence[float]]) -> pd.DataFrame:
    """(variant, metric, feature, floor) to its numbers."""
    return pd.DataFrame(
        [(v, m, f, floor, draw, x) for (v, m, f, floor), values in rows.items() for draw, x in enumerate(values)],
        columns=["variant", "metric", "feature", "floor", "draw", "value"],
    ).astype({"value": "float64"})


def of_variants(resampling: Sequence[float] = (), **others: Sequence[float]) -> pd.DataFrame:
    """The floors of variants a (the baseline), b and c, which are the same."""
    return summarise_floors(
        floor_frame(
            {(v, *Q, floor): values for v in "abc" for floor, values in {"resampling": resampling, **others}.items()}
        )
    )


class TestSummarise:
    @given(st.lists(st.floats(-9, 9), min_size=1, max_size=30))
    @settings(max_examples=25)
    def test_mean_and_the_central_95_percent(self, values: list[float]) -> None:
        (found,) = summarise_floors(floor_frame({("a", *Q, "resampling"): values})).to_dict("records")
        assert (found["variant"], found["metric"], found["feature"], found["floor"]) == ("a", *Q, "resampling")
        assert found["mean"] == pytest.approx(np.mean(values), abs=1e-12)
        assert (found["low"], found["high"]) == pytest.approx(tuple(np.quantile(values, [0.025, 0.975])), abs=1e-12)
        assert found["n"] == len(values)

    def test_each_variant_quantity_and_floor_by_itself(self) -> None:
        rows = {
            ("a", "m", "f", "resampling"): [1.0, 3.0],
            ("a", "m", "f", "copy"): [0.0],
            ("a", "m", "g", "resampling"): [7.0],
            ("b", "m", "f", "resampling"): [5.0, 6.0],
        }
        found = summarise_floors(floor_frame(rows)).set_index(["variant", "metric", "feature", "floor"])
        assert found["mean"].to_dict() == {key: np.mean(values) for key, values in rows.items()}
        assert found["n"].to_dict() == {key: len(values) for key, values in rows.items()}

    def test_of_nothing_there_is_nothing(self) -> None:
        assert summarise_floors(floor_frame({})).empty
        assert bands(summarise_floors(floor_frame({}))) == {}

    def test_a_band_is_that_of_resampling(self) -> None:
        rows = {("a", *Q, "resampling"): [1.0, 2.0, 3.0], ("a", *Q, "shuffled"): [8.0, 9.0], ("b", *Q, "copy"): [0.0]}
        found = bands(summarise_floors(floor_frame(rows)))
        assert list(found) == [("a", *Q)]
        assert tuple(found["a", *Q]) == pytest.approx((1.05, 2.95, 2.0))
        assert found["a", *Q].width == pytest.approx(1.9)


def differences(direction: str = "lower", **means: float) -> pd.DataFrame:
    """Variants with these means; the first one is the baseline."""
    base = next(iter(means.values()))
    return (
        pd.DataFrame([(v, *Q, mean - base, mean, direction) for v, mean in means.items()])
        .set_axis(["variant", "metric", "feature", "difference", "mean", "direction"], axis=1)
        .assign(mean_low=NAN)
    )


INSIDE = (
    "the metric: every variant is as close to the reference as notes resampled from the reference are by chance. "
    "Longer samples may show differences."
)


class TestWarnings:
    def test_an_error_that_all_tokenizers_share_cancels(self) -> None:
        """It was a warning once, although it is part of every value and of no difference."""
        summary = of_variants(round_trip=[0.6], copy=[0.1])
        assert floors.warnings(summary, differences(a=2.0, b=2.2, c=1.6), LABELS) == []

    def test_errors_that_differ_are_part_of_the_differences(self) -> None:
        rows = {(v, *Q, "copy"): [0.1] for v in "abc"}
        rows |= {("a", *Q, "round_trip"): [0.6], ("b", *Q, "round_trip"): [0.6], ("c", *Q, "round_trip"): [0.3]}
        (found,) = floors.warnings(summarise_floors(floor_frame(rows)), differences(a=2.0, b=2.2, c=1.6), LABELS)
        assert found == (
            "the metric: the errors of the tokenizers alone (encoding and decoding, no model) differ: a 0.5, c 0.2. "
            "They are part of the differences between these variants."
        )

    def test_errors_that_differ_by_little_are_not_worth_a_warning(self) -> None:
        rows = {(v, *Q, "copy"): [0.0] for v in "ab"}
        rows |= {("a", *Q, "round_trip"): [0.50], ("b", *Q, "round_trip"): [0.51]}
        summary = summarise_floors(floor_frame(rows))
        assert floors.warnings(summary, differences(a=2.0, b=2.2), LABELS) == []
        assert len(floors.warnings(summary, differences(a=2.0, b=2.05), LABELS)) == 1

    def test_an_error_is_beside_a_copy(self) -> None:
        """A metric that says 0.5 of the reference itself does so whatever the tokenizer."""
        rows = {("a", *Q, "copy"): [0.5], ("a", *Q, "round_trip"): [0.5]}
        rows |= {("b", *Q, "copy"): [0.1], ("b", *Q, "round_trip"): [0.1]}
        assert floors.warnings(summarise_floors(floor_frame(rows)), differences(a=2.0, b=2.1), LABELS) == []
        assert floors.warnings(of_variants(round_trip=[0.5]), differences(a=2.0, b=2.1), LABELS) == []

    def test_every_variant_inside_its_band(self) -> None:
        summary = of_variants([1.0, 2.0, 3.0])
        assert floors.warnings(summary, differences(a=1.05, b=2.0, c=2.95), LABELS) == [INSIDE]
        for outside in (0.9, 3.1):
            assert floors.warnings(summary, differences(a=1.1, b=2.0, c=outside), LABELS) == []
            assert floors.warnings(summary, differences(a=outside, b=2.0, c=2.0), LABELS) == [], (
                "the baseline is one too"
            )

    def test_a_band_is_each_variants_own(self) -> None:
        """Fewer samples make a wider one."""
        rows = {("a", *Q, "resampling"): [1.0, 2.0, 3.0], ("b", *Q, "resampling"): [4.0, 5.0, 6.0]}
        summary = summarise_floors(floor_frame(rows))
        assert floors.warnings(summary, differences(a=2.0, b=5.0), LABELS) == [INSIDE]
        assert floors.warnings(summary, differences(a=5.0, b=2.0), LABELS) == []

    def test_no_variant_better_than_shuffled_tokens(self) -> None:
        summary, values = of_variants(shuffled=[0.5, 0.6], copy=[0.0]), differences(a=0.68, b=0.7)
        (found,) = floors.warnings(summary, values.assign(mean_low=[0.62, 0.65]), LABELS)
        assert found.startswith("the metric: no variant is better than shuffled tokens.")
        for unknown in ([0.55, 0.55], [NAN, 0.55]):
            assert floors.warnings(summary, values.assign(mean_low=unknown), LABELS) == []
        assert floors.warnings(of_variants(), values.assign(mean_low=[0.62, 0.65]), LABELS) == []
        blind = floors.warnings(summary, values.assign(mean_low=[0.62, 0.65]), LABELS, {Q})
        assert blind == [], "shuffled tokens are as good as a copy in a metric that does not see the order of notes"

    def test_each_variant_that_is_worse_than_shuffled_tokens_is_named(self) -> None:
        summary, values = of_variants(shuffled=[0.5, 0.6], copy=[0.0]), differences(a=0.68, b=0.7, c=0.4)
        expected = (
            "the metric: b is worse than shuffled tokens. With its 95 % interval, it is farther from the reference "
            "than the reference's own tokens in random order; train it longer, or look for a fault, before you use its "
            "music."
        )
        for others in (0.55, NAN):
            lows = [others, 0.65, others]
            assert floors.warnings(summary, values.assign(mean_low=lows), LABELS) == [expected]
            assert floors.warnings(summary, values.assign(mean_low=lows), LABELS, {Q}) == []
        (found,) = floors.warnings(summary, values.assign(mean_low=[0.62, 0.65, 0.3]), LABELS)
        assert found.startswith("the metric: a, b are worse than shuffled tokens. Each of them, with its 95 %")

    def test_shuffled_tokens_say_nothing_where_a_copy_is_no_better(self) -> None:
        """In a metric of copying, shuffled tokens have the best score, and a copy has the worst one."""
        for copy in (1.0, 0.0):
            summary = of_variants(shuffled=[0.0, 0.0], copy=[copy])
            assert floors.warnings(summary, differences(a=0.68, b=0.7).assign(mean_low=0.6), LABELS) == []

    def test_a_value_equal_to_that_of_all_shuffles_is_not_worse(self) -> None:
        value = 0.1 + 0.2
        summary, values = of_variants(shuffled=[0.3, 0.3], copy=[0.0]), differences(a=value, b=value)
        assert value > 0.3
        assert floors.warnings(summary, values.assign(mean_low=value), LABELS) == []

    def test_of_many_that_are_worse_than_shuffled_tokens_the_first_are_named(self) -> None:
        means = {f"x={n}, y=1": 0.7 for n in range(9)}
        rows = {(name, *Q, "shuffled"): [0.5, 0.6] for name in means} | {(name, *Q, "copy"): [0.0] for name in means}
        lows = [0.65] * 8 + [0.1]
        (found,) = floors.warnings(
            summarise_floors(floor_frame(rows)), differences("lower", **means).assign(mean_low=lows), LABELS
        )
        assert "x=4, y=1; x=5, y=1 and 2 more are worse than shuffled tokens" in found

    def test_only_where_lower_is_better(self) -> None:
        summary = of_variants([1.0, 2.0, 3.0], round_trip=[9.0], copy=[0.0])
        assert len(floors.warnings(summary, differences(a=2.0, b=2.1), LABELS)) == 1
        for direction in ("higher", "none"):
            assert floors.warnings(summary, differences(direction, a=2.0, b=2.1), LABELS) == []

    def test_only_of_what_is_looked_at_and_compared(self) -> None:
        summary = of_variants([1.0, 2.0, 3.0], round_trip=[9.0], copy=[0.0])
        assert floors.warnings(summary, differences(a=2.0, b=2.1), {}) == []
        assert floors.warnings(summary, differences(a=2.0, b=2.1), {("m", "l1"): "another"}) == []
        assert floors.warnings(summary, differences(a=2.0).iloc[:0], LABELS) == []

    def test_without_floors_there_is_nothing_to_warn_of(self) -> None:
        assert floors.warnings(summarise_floors(floor_frame({})), differences(a=2.0, b=2.0), LABELS) == []


def test_a_band_holds_as_much_as_it_says() -> None:
    """Of many draws, 95 % lie inside."""
    draws = np.random.default_rng(0).normal(size=2000)
    low, high, mean = bands(of_variants(draws.tolist()))["a", *Q]
    assert ((draws >= low) & (draws <= high)).mean() == pytest.approx(0.95, abs=0.001)
    assert mean == pytest.approx(draws.mean())
    assert Band(low, high, NAN).width == high - low
