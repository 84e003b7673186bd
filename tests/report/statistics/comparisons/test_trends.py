"""Trends along numeric axes, against scipy's own tests."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import stats as sps
from support.effects_material import NAN, judged, replicated

from ablate.report.data.variants import Variants
from ablate.report.statistics.comparisons.trends import POINTS, Trend, trend_weights, trends
from ablate.report.text.trends import trend_sentence

Q = ("m", "f")
MINUS = "\N{MINUS SIGN}"


def along(levels: list[Any], points: np.ndarray) -> list[Trend]:
    """The trends of one axis with these levels, [replicates, levels]; the first level is the baseline's."""
    names = [f"x={level}" for level in levels]
    variants = Variants({name: {"p.x": level} for name, level in zip(names, levels, strict=True)}, names[0])
    return trends(replicated({name: points[:, i] for i, name in enumerate(names)}), variants, [Q])


def trend(levels: list[Any], points: np.ndarray) -> Trend:
    (found,) = along(levels, points)
    return found


def noisy(slope: float, replicates: int = 6, levels: int = 5) -> np.ndarray:
    return slope * np.arange(levels) + np.random.default_rng(7).normal(size=(replicates, levels))


def slopes(levels: list[Any], points: np.ndarray) -> dict[str, Any]:
    """The judged slope of one axis."""
    names = [f"x={level}" for level in levels]
    variants = Variants({name: {"p.x": level} for name, level in zip(names, levels, strict=True)}, names[0])
    values = {name: points[:, i] for i, name in enumerate(names)}
    (row,) = judged(replicated(values), trend_weights(variants, {"p.x": "x"})).to_dict("records")
    return {str(key): value for key, value in row.items()}


class TestAgainstScipy:
    @given(
        hnp.arrays(np.float64, st.tuples(st.integers(2, 6), st.integers(3, 5)), elements=st.integers(-5, 5)), st.data()
    )
    @settings(max_examples=25)
    def test_tau_and_the_slope_with_its_p(self, points: np.ndarray, data: st.DataObject) -> None:
        levels = list(range(1, points.shape[1] + 1))
        found, judged_slope = trend(levels, points), slopes(levels, points)
        taus = [0.0 if np.ptp(row) == 0 else float(sps.kendalltau(levels, row).statistic) for row in points]
        assert found.tau == pytest.approx(np.mean(taus))
        each = np.array([sps.linregress(levels, row).slope for row in points])
        assert judged_slope["difference"] == pytest.approx(each.mean(), abs=1e-9)
        half = sps.t.ppf(0.975, len(each) - 1) * each.std(ddof=1) / math.sqrt(len(each))
        assert (judged_slope["low"], judged_slope["high"]) == pytest.approx(
            (each.mean() - half, each.mean() + half), abs=1e-9
        )
        signs = np.array(list(itertools.product((1.0, -1.0), repeat=len(each))))
        extreme = np.abs(signs @ each) >= abs(each.sum()) - 1e-9
        assert judged_slope["p"] == pytest.approx(extreme.mean())
        order = data.draw(st.permutations(range(len(levels))))
        shuffled = [levels[place] for place in order]
        again = trend(shuffled, points[:, order])
        assert again.levels.tolist() == levels, "in whatever order the study names them"
        assert again.tau == pytest.approx(found.tau)
        assert slopes(shuffled, points[:, order])["p"] == pytest.approx(judged_slope["p"])
        np.testing.assert_array_equal(again.points, points)

    def test_slopes_that_scatter_about_zero_are_no_trend(self) -> None:
        """Every training has a steep order of its own, and as many rise as fall."""
        points = np.array([1, 1, 1, -1, -1, -1])[:, None] * np.arange(5.0)
        assert slopes([1, 2, 3, 4, 5], points)["p"] > 0.5

    def test_what_rises_and_what_falls(self) -> None:
        steep = np.tile(np.arange(5.0), (6, 1))
        assert (trend([1, 2, 3, 4, 5], steep).tau, trend([1, 2, 3, 4, 5], -steep).tau) == pytest.approx((1.0, -1.0))
        rising, falling = slopes([1, 2, 3, 4, 5], steep), slopes([1, 2, 3, 4, 5], -steep)
        assert rising["p"] == pytest.approx(falling["p"])
        assert rising["p"] == pytest.approx(2 / 2**6), "the smallest of six replicates"
        assert (rising["verdict"], falling["verdict"]) == ("higher", "lower")

    def test_what_is_constant_has_none(self) -> None:
        for points in (np.full((4, 3), 0.3), np.tile([[1.0], [2.0], [3.0], [4.0]], (1, 3))):
            assert trend([1, 2, 3], points).tau == 0.0
            assert (slopes([1, 2, 3], points)["p"], slopes([1, 2, 3], points)["verdict"]) == (1.0, "alike")

    def test_a_slope_is_of_the_doublings_where_levels_are_factors(self) -> None:
        points = np.tile([1.0, 4.0, 7.0], (6, 1)) + np.random.default_rng(0).normal(size=(6, 1))
        assert slopes([1, 8, 64], points)["difference"] == pytest.approx(1.0)
        assert slopes([1, 2, 3], points)["difference"] == pytest.approx(3.0)


class TestWhichAxes:
    def test_three_numbers_or_more(self) -> None:
        points = noisy(1.0)
        assert len(along([1, 2.5, 4], points[:, :3])) == 1
        assert along([1, 2], points[:, :2]) == []

    @pytest.mark.parametrize("levels", [["a", "b", "c"], [1, 2, "c"], [False, True, 3], [[], [1], [2]], [1, 2, None]])
    def test_anything_but_numbers_has_no_order(self, levels: list[Any]) -> None:
        assert along(levels, noisy(1.0, levels=3)) == []

    @pytest.mark.parametrize(
        ("levels", "log"),
        [
            ([1, 5, 20], True),
            ([1, 5, 19.9], False),
            ([0, 5, 500], False),
            ([-20, -5, -1], False),
            ([1e-4, 1e-3, 1e-2], True),
        ],
    )
    def test_levels_twenty_times_apart_are_factors(self, levels: list[float], *, log: bool) -> None:
        assert trend(levels, noisy(1.0, levels=3)).log is log

    def test_other_axes_are_averaged_in_each_replicate(self) -> None:
        rng = np.random.default_rng(3)
        runs = {(x, y): rng.normal(size=5) for x in (0.6, 0.8, 1.0) for y in ("none", "tempo")}
        names = {key: f"x={key[0]}, y={key[1]}" for key in runs}
        variants = Variants({names[x, y]: {"p.x": x, "q.y": y} for x, y in runs}, names[0.8, "none"])
        (found,) = trends(replicated({names[key]: values for key, values in runs.items()}), variants, [Q])
        expected = [[(runs[x, "none"][r] + runs[x, "tempo"][r]) / 2 for x in (0.6, 0.8, 1.0)] for r in range(5)]
        assert found.axis == "p.x"
        np.testing.assert_allclose(found.points, expected)
        assert found.combinations == 2
        (row,) = judged(
            replicated({names[key]: values for key, values in runs.items()}), trend_weights(variants, {"p.x": "x"})
        ).to_dict("records")
        assert row["values"] == pytest.approx(np.array(expected) @ [-2.5, 0, 2.5])
        assert " on average over the other axes: " in trend_sentence(row, found, "distance")  # type: ignore[arg-type]

    def test_a_combination_without_every_level_is_left_out(self) -> None:
        rng = np.random.default_rng(3)
        runs = {(x, y): rng.normal(size=5) for x in (1, 2, 3) for y in ("none", "tempo") if (x, y) != (2, "tempo")}
        variants = Variants({f"{x}{y}": {"p.x": x, "q.y": y} for x, y in runs}, "1none")
        (found,) = trends(replicated({f"{x}{y}": values for (x, y), values in runs.items()}), variants, [Q])
        np.testing.assert_allclose(found.points, np.stack([runs[x, "none"] for x in (1, 2, 3)], 1))

    def test_named_variants_beside_an_axis_have_no_trend_of_their_own(self) -> None:
        """What an axis does not exist for is no level of it."""
        names = {"a": {"p.x": 1}, "b": {"p.x": 2}, "c": {"p.x": 3}, "d": {}}
        values = dict(zip(names, noisy(1.0, levels=4).T, strict=True))
        (found,) = trends(replicated(values), Variants(names, "d"), [Q])
        assert found.levels.tolist() == [1.0, 2.0, 3.0]

    def test_only_replicates_with_every_level_count(self) -> None:
        points = noisy(1.0, levels=3)
        points[1, 0] = points[4, 2] = NAN
        found = trend([1, 2, 3], points)
        np.testing.assert_array_equal(found.points, points[[0, 2, 3, 5]])
        points[:5, 1] = NAN
        assert along([1, 2, 3], points) == [], "a single replicate has no spread"

    def test_a_level_that_was_never_measured_leaves_none(self) -> None:
        points = noisy(1.0, levels=3)
        points[:, 2] = NAN
        assert along([1, 2, 3], points) == []


class TestCurve:
    @pytest.mark.parametrize("levels", [[0.6, 0.8, 1.0, 1.2], [1.0, 3.0, 10.0, 40.0, 100.0]])
    def test_a_parabola_is_found_where_there_is_one(self, levels: list[float]) -> None:
        """In the logarithm of the levels where these are factors."""
        log = levels[-1] >= 20 * levels[0]
        places = np.log(levels) if log else np.array(levels)
        curves = [(1.0, -2.0, 0.5), (0.5, 1.0, 0.0), (2.0, 0.0, -1.0)]
        x, middle, band = trend(levels, np.array([np.polyval(each, places) for each in curves])).curve()
        assert len(x) == POINTS
        assert (x[0], x[-1]) == pytest.approx((levels[0], levels[-1]))
        exact = np.array([np.polyval(each, np.log(x) if log else x) for each in curves])
        np.testing.assert_allclose(middle, exact.mean(0), atol=1e-8)
        half = sps.t.ppf(0.975, 2) * exact.std(0, ddof=1) / math.sqrt(3)
        np.testing.assert_allclose(band.low, exact.mean(0) - half, atol=1e-7)
        np.testing.assert_allclose(band.high, exact.mean(0) + half, atol=1e-7)

    def test_three_levels_have_a_line_by_least_squares(self) -> None:
        points = np.array([[0.0, 1.0, 0.0], [1.0, 0.0, 2.0]])
        x, middle, _ = trend([1.0, 2.0, 4.0], points).curve()
        slope, offset = sps.linregress([1.0, 2.0, 4.0], points.mean(0))[:2]
        np.testing.assert_allclose(middle, offset + slope * x, atol=1e-9)

    def test_points_are_even_where_the_axis_is(self) -> None:
        x = trend([1, 2, 4], noisy(1.0, levels=3)).curve()[0]
        np.testing.assert_allclose(np.diff(x), (4 - 1) / (POINTS - 1))
        x = trend([1, 2, 40], noisy(1.0, levels=3)).curve()[0]
        np.testing.assert_allclose(np.diff(np.log(x)), math.log(40) / (POINTS - 1))


class TestSentence:
    def test_it_says_which_way(self) -> None:
        for sign, word, shown in ((1, "rises", "+1"), (-1, "falls", f"{MINUS}1")):
            points = sign * np.tile(np.arange(3.0), (8, 1))
            assert trend_sentence(slopes([1, 2, 3], points), trend([1, 2, 3], points), "distance") == (
                f"With x, distance {word}: {shown} for each 1 of x (95 % interval {shown} to {shown}), "
                f"rank correlation {shown}, p = 0.0078, 8 replicates."
            )

    def test_or_that_it_cannot_be_told(self) -> None:
        points = noisy(0.0, levels=3)
        found = trend_sentence(slopes([1, 2, 3], points), trend([1, 2, 3], points), "distance")
        assert found.startswith("Cannot tell whether distance rises or falls with x: ")
        assert found.endswith("6 replicates.")

    def test_of_factors_it_is_for_each_doubling(self) -> None:
        points = np.tile(np.arange(3.0), (8, 1))
        assert "+0.5 for each doubling of x" in trend_sentence(
            slopes([1, 4, 16 * 4], np.tile([0.0, 1.0, 3.0], (8, 1))), trend([1, 4, 64], points), "distance"
        )
