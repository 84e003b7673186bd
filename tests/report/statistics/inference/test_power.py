"""Power, the effect that can be found, and the replicates that are needed, each against another calculation."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats as sps

from ablate.report.statistics.inference import power
from ablate.report.statistics.inference.effect_sizes import standardised


class TestPower:
    def test_levels_come_in_steps(self) -> None:
        assert power.attainable(0.05, 5) == 0.0
        assert power.attainable(0.05, 6) == pytest.approx(2 / 64)
        assert power.attainable(0.05, 8) == pytest.approx(6 * 2 / 256)

    def test_five_replicates_find_nothing(self) -> None:
        assert power.power(10.0, 5, 0.05) == 0.0

    def test_where_all_signs_must_agree_it_is_their_chance(self) -> None:
        assert power.power(1.0, 6, 0.05) == pytest.approx(sps.norm.cdf(1) ** 6 + sps.norm.cdf(-1) ** 6)
        assert power.power(2.0, 17, 2 / 2**17) == pytest.approx(sps.norm.cdf(2) ** 17)

    def test_it_grows_with_the_effect_and_with_replicates(self) -> None:
        assert power.power(0.5, 10, 0.05) < power.power(1.0, 10, 0.05) < power.power(1.0, 14, 0.05)
        assert power.power(0.4, 400, 0.01) == pytest.approx(1.0)
        assert power.power(-1.0, 10, 0.05) == power.power(1.0, 10, 0.05)


class TestReplicatesNeeded:
    @given(st.floats(0.2, 4.0), st.sampled_from([0.05, 0.05 / 4, 0.05 / 30]))
    def test_they_are_the_fewest_that_do(self, effect: float, alpha: float) -> None:
        n = power.replicates_needed(effect, alpha)
        assert n is not None
        assert power.power(effect, n, alpha) >= 0.8
        assert all(power.power(effect, fewer, alpha) < 0.8 for fewer in range(2, min(n, 40)))

    def test_what_no_number_would_find(self) -> None:
        assert power.replicates_needed(0.001, 0.05) is None
        assert power.replicates_needed(math.inf, 0.05) == 6
        assert power.replicates_needed(0.0, 0.05) is None

    def test_a_large_family_needs_a_number_too(self) -> None:
        assert power.replicates_needed(3, 0.05 / 260) == 14
        assert power.replicates_needed(3, 0.05 / 5000) == 18


class TestMinimumDetectable:
    @given(st.integers(6, 200), st.sampled_from([0.05, 0.0125, 0.002]), st.sampled_from([0.5, 0.8, 0.95]))
    def test_it_has_just_the_power(self, n: int, alpha: float, target: float) -> None:
        effect = power.minimum_detectable(n, alpha, target)
        if math.isinf(effect):
            assert not power.attainable(alpha, n)
        else:
            assert power.power(effect, n, alpha) == pytest.approx(target, abs=2e-3)

    def test_five_replicates_find_no_effect_however_large(self) -> None:
        assert math.isinf(power.minimum_detectable(5, 0.05))


class TestReplicatesRange:
    @given(st.floats(0.0, 3.0), st.integers(3, 60), st.sampled_from(["mean", "iqm"]))
    def test_the_ends_of_the_effect_have_the_observed_one_in_their_tails(self, g: float, n: int, estimate: str) -> None:
        low, high = power.effect_interval(g, n, estimate)
        cut = n // 4 if estimate == "iqm" and n > 3 else 0
        freedom = n - 2 * cut - 1
        if freedom == 1:
            assert power.replicates_range(g, n, 0.05, estimate=estimate) == (6, None)
            return
        t = g / (1 - 3 / (4 * freedom - 1)) * math.sqrt(n)
        assert 0.0 <= low <= high
        assert sps.nct.sf(t, freedom, high * math.sqrt(n)) >= 0.9 - 5e-3
        if low > 0:
            assert sps.nct.sf(t, freedom, low * math.sqrt(n)) == pytest.approx(0.1, abs=5e-3)

    def test_the_range_holds_the_truth_in_four_studies_of_five(self) -> None:
        """At a true effect of 1 and a level of 0.05 / 4 the truth is 14 replicates."""
        truth = power.replicates_needed(1.0, 0.0125)
        values = np.random.default_rng(5).normal(1.0, 1.0, (500, 8))
        ranges = [power.replicates_range(float(g), 8, 0.0125) for g in standardised(values)]
        assert truth is not None
        held = np.mean([(low or 9999) <= truth <= (high or 9999) for low, high in ranges])
        assert 0.74 < held < 0.88

    def test_a_small_effect_may_be_none(self) -> None:
        low, high = power.replicates_range(0.1, 8, 0.05)
        assert low is not None
        assert high is None
        assert power.replicates_range(math.inf, 8, 0.05) == (6, 6)
        assert power.replicates_range(-1.0, 8, 0.05) == power.replicates_range(1.0, 8, 0.05)
        assert power.replicates_range(1e-9, 900, 0.05) == (None, None)
