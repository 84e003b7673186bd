"""Signs that a mean over few replicates says little: seldom without cause, often with one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from ablate.report.statistics.inference import doubts

if TYPE_CHECKING:
    from collections.abc import Callable

    from ablate.arrays import FloatArray

NAN = float("nan")


def share(draw: Callable[[np.random.Generator], FloatArray], found: Callable[[FloatArray], bool]) -> float:
    rng = np.random.default_rng(7)
    return float(np.mean([found(draw(rng)) for _ in range(400)]))


def either(values: FloatArray) -> bool:
    return doubts.leans(values) or bool(doubts.outlying(values).any())


class TestRates:
    @pytest.mark.parametrize(
        "draw",
        [
            lambda rng: rng.normal(size=(5, 8)),
            lambda rng: rng.normal(size=(5, 8)) + 3 * rng.normal(size=(1, 8)),
            lambda rng: rng.normal(size=(5, 8)) * np.geomspace(0.2, 4, 5)[:, None],
            lambda rng: rng.normal(size=(2, 8)),
        ],
        ids=["alike", "shared", "scales", "two"],
    )
    def test_normal_values_seldom_raise_doubts(self, draw: Callable[[np.random.Generator], FloatArray]) -> None:
        assert share(draw, either) < 0.09

    @pytest.mark.parametrize(
        ("draw", "least"),
        [
            (lambda rng: rng.exponential(size=(5, 8)) * np.array([[1], [4], [4], [4], [4]]), 0.75),
            (lambda rng: rng.lognormal(size=(5, 8)) * np.array([[1], [4], [4], [4], [4]]), 0.85),
            (lambda rng: (rng.random((5, 8)) < 0.1) + 0.02 * rng.normal(size=(5, 8)), 0.9),
            (lambda rng: (rng.random((5, 8)) < 0.1) * np.array([[0.0], [1], [1], [1], [1]]), 0.9),
        ],
        ids=["exponential", "lognormal", "failures", "failures of a constant"],
    )
    def test_skewed_values_and_rare_failures_mostly_do(
        self, draw: Callable[[np.random.Generator], FloatArray], least: float
    ) -> None:
        assert share(draw, either) > least


class TestLeans:
    def test_side_order_and_scale_do_not_matter(self) -> None:
        values = np.random.default_rng(1).exponential(size=(4, 8))
        assert doubts.leans(values)
        assert doubts.leans(-values[:, ::-1])
        assert doubts.leans(1e-9 * values[::-1])

    def test_replicates_that_miss_a_variant_are_left_out(self) -> None:
        values = np.random.default_rng(1).exponential(size=(4, 8))
        assert doubts.leans(np.concatenate([values, np.array([[NAN], [1e9], [2.0], [3.0]])], axis=1))
        assert not doubts.leans(np.where(np.arange(8) < 5, NAN, values))

    def test_equal_values_do_not_lean(self) -> None:
        assert not doubts.leans(np.ones((3, 8)))
        assert not doubts.leans(np.array([[0.1 + 0.2, 0.3, 0.3, 0.3, 0.3, 0.3]]))


class TestOutlying:
    def test_the_variant_with_a_far_replicate_is_named(self) -> None:
        values = np.array(
            [
                [1.0, 1.1, 0.9, 1.2, 0.8, 1.05, 0.95, 1.0],
                [1.0, 1.1, 0.9, 1.2, 0.8, 1.05, 0.95, 9.0],
                [1.0, 1.1, 0.9, 1.2, 0.8, 1.05, NAN, -9.0],
                [1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 0.9, 1.0],
                [0.3, 0.1 + 0.2, 0.3, 0.3, 0.3, 0.3, 0.3, 0.3],
                [1.0, 2.0, 99.0, NAN, NAN, NAN, NAN, NAN],
            ]
        )
        assert doubts.outlying(values).tolist() == [False, True, True, True, False, False]
