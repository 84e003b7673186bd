"""Verdicts and their sentences, and the number of replicates that would tell."""

from __future__ import annotations

import dataclasses
import itertools
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.effects_material import NAN, RULES

from ablate.report.statistics import verdicts
from ablate.report.statistics.inference import flips
from ablate.report.statistics.verdicts import decide, out_of_reach, p_text, sentence, what_it_takes

if TYPE_CHECKING:
    from collections.abc import Mapping

MINUS = "\N{MINUS SIGN}"


def decided(difference: float, direction: str, p: float, same: float, alpha: float) -> str:
    row = {"role": "primary", "values": np.array([difference, NAN]), "difference": difference, "direction": direction}
    return decide({**row, "p_adjusted": p, "p_equivalent": same}, alpha)


class TestDecide:
    @pytest.mark.parametrize(
        ("difference", "direction", "verdict"),
        [
            (-0.1, "lower", "better"),
            (+0.1, "lower", "worse"),
            (-0.1, "higher", "worse"),
            (+0.1, "higher", "better"),
            (-0.1, "none", "lower"),
            (+0.1, "none", "higher"),
        ],
    )
    def test_every_combination_of_what_is_known(self, difference: float, direction: str, verdict: str) -> None:
        for p, same in itertools.product((0.0, 0.049, 0.05, 0.2, 1.0, NAN), repeat=2):
            found = decided(difference, direction, p, same, 0.05)
            if same in (0.0, 0.049):
                assert found == "equivalent", "however sure the difference is"
            elif p in (0.0, 0.049):
                assert found == verdict
            else:
                assert found == "inconclusive"

    def test_alpha_is_the_studys(self) -> None:
        assert decided(1.0, "lower", 0.02, NAN, 0.01) == "inconclusive"
        assert decided(1.0, "lower", 0.02, NAN, 0.05) == "worse"
        assert decided(1.0, "lower", 0.5, 0.02, 0.01) == "inconclusive"

    @given(
        st.floats(-9, 9).filter(bool),
        st.sampled_from(["lower", "higher", "none"]),
        st.floats(0, 1) | st.just(NAN),
        st.floats(0, 1) | st.just(NAN),
    )
    def test_the_other_sign_is_the_other_verdict(
        self, difference: float, direction: str, p: float, same: float
    ) -> None:
        other = {"better": "worse", "worse": "better", "higher": "lower", "lower": "higher"}
        found = decided(difference, direction, p, same, 0.05)
        assert decided(-difference, direction, p, same, 0.05) == other.get(found, found)

    def test_a_difference_of_0_in_every_replicate_is_no_doubt(self) -> None:
        row = {"role": "secondary", "values": np.array([0.0, NAN, 0.0]), "difference": 0.0, "direction": "lower"}
        assert decide({**row, "p_adjusted": 1.0, "p_equivalent": NAN}, 0.05) == "alike"
        assert decide({**row, "p_adjusted": 1.0, "p_equivalent": 0.0}, 0.05) == "alike"

    def test_an_exploratory_quantity_is_not_judged(self) -> None:
        row = {"role": "exploratory", "values": np.ones(9), "difference": 1.0, "direction": "lower"}
        assert decide({**row, "p_adjusted": 0.001, "p_equivalent": 0.001}, 0.05) == ""

    def test_every_verdict_has_a_mark_of_its_own(self) -> None:
        assert tuple(verdicts.MARKS) == tuple(verdicts.WORDS) == verdicts.VERDICTS
        assert len(set(verdicts.MARKS.values())) == len(verdicts.VERDICTS)


def row(**given_numbers: Any) -> dict[str, Any]:
    """A comparison of eight replicates."""
    start = {
        "kind": "variant",
        "comparison": "tau=0.8",
        "versus": "tau=1.0",
        "n": 8,
        "difference": -0.12345,
        "low": -0.2,
        "high": -0.05,
        "effect": -1.0,
        "p_adjusted": 0.0078125,
        "family": 1,
        "open": 0,
        "margin": NAN,
        "margin_of": "",
        "p_equivalent": NAN,
        "verdict": "better",
    }
    return {**start, **given_numbers}


def sentence_of(**given_numbers: Any) -> str:
    return sentence(row(**given_numbers), RULES, "distance")


DETAIL = f"distance {MINUS}0.123 (95 % interval {MINUS}0.2 to {MINUS}0.05)"


class TestSentence:
    def test_a_difference(self) -> None:
        assert sentence_of() == f"tau=0.8 is better than tau=1.0: {DETAIL}, p = 0.0078, 8 replicates."
        assert sentence_of(verdict="lower", p_adjusted=0.0001) == (
            f"tau=0.8 is lower than tau=1.0: {DETAIL}, p < 0.001, 8 replicates."
        )
        assert sentence_of(verdict="worse", difference=2.0, low=1.0, high=3.0) == (
            "tau=0.8 is worse than tau=1.0: distance +2 (95 % interval +1 to +3), p = 0.0078, 8 replicates."
        )

    def test_of_several_comparisons_it_says_how_they_were_corrected(self) -> None:
        assert sentence_of(family=5) == (
            f"tau=0.8 is better than tau=1.0: {DETAIL}, p = 0.0078 (Holm's correction over 5 comparisons), "
            "8 replicates."
        )

    def test_a_contrast_is_compared_with_nothing(self) -> None:
        contrast = {"kind": "contrast", "comparison": "warm - cold", "versus": ""}
        assert sentence_of(**contrast) == f"warm - cold: better: {DETAIL}, p = 0.0078, 8 replicates."
        assert sentence_of(**contrast, verdict="inconclusive", p_adjusted=0.06, open=1).startswith(
            f"warm - cold: cannot tell: {DETAIL}, p = 0.06, 8 replicates. "
        )
        equal = {"verdict": "equivalent", "margin": 0.3, "margin_of": "ours", "p_equivalent": 0.01}
        assert sentence_of(**contrast, **equal) == (
            f"warm - cold: no difference that matters: {DETAIL}, within ±0.3 (ours), p = 0.01, 8 replicates."
        )

    def test_a_main_effect_is_an_average(self) -> None:
        main = {"kind": "main effect", "comparison": "conditioner=tempo", "versus": "conditioner=none"}
        assert sentence_of(**main) == (
            f"conditioner=tempo is better than conditioner=none, on average over the other axes: {DETAIL}, "
            "p = 0.0078, 8 replicates."
        )
        interaction = {"kind": "interaction", "comparison": "a=1 x b=1", "versus": ""}
        assert sentence_of(**interaction, verdict="lower") == f"a=1 x b=1: lower: {DETAIL}, p = 0.0078, 8 replicates."

    def test_no_difference_that_matters_says_whose_margin_and_its_own_p(self) -> None:
        numbers = {"margin": 0.25, "margin_of": "the study's margin", "p_equivalent": 0.003, "p_adjusted": 0.5}
        assert sentence_of(verdict="equivalent", **numbers) == (
            f"No difference that matters between tau=0.8 and tau=1.0: {DETAIL}, within ±0.25 (the study's margin), "
            "p = 0.003, 8 replicates."
        )

    def test_what_cannot_be_told_says_what_it_would_take(self) -> None:
        found = sentence_of(verdict="inconclusive", p_adjusted=0.25, open=1, effect=-1.0)
        assert found == (
            f"Cannot tell tau=0.8 from tau=1.0: {DETAIL}, p = 0.25, 8 replicates. "
            "11 replicates would find a difference of this size with 80 % power."
        )

    def test_a_single_replicate_has_neither_interval_nor_p(self) -> None:
        one = {"n": 1, "low": NAN, "high": NAN, "effect": NAN, "p_adjusted": NAN, "family": 0}
        assert sentence_of(verdict="inconclusive", **one) == (
            f"Cannot tell tau=0.8 from tau=1.0: distance {MINUS}0.123, p unknown, 1 replicate. "
            "A single replicate has no spread: run more replicates."
        )

    def test_p_is_printed_as_papers_do(self) -> None:
        assert [p_text(p) for p in (NAN, 0.0, 0.00099, 0.001, 0.0078125, 0.04999, 0.5, 1.0)] == [
            "p unknown",
            "p < 0.001",
            "p < 0.001",
            "p = 0.001",
            "p = 0.0078",
            "p = 0.05",
            "p = 0.5",
            "p = 1",
        ]


def fewest_by_search(effect: float, level: float, power: float) -> int | None:
    """The fewest replicates, by trying one number after the other."""
    return next((n for n in range(2, power.MOST_REPLICATES + 1) if power.power(effect, n, level) >= power), None)


def advice(n: int, effect: float, still_open: int = 1, **rules: float) -> str:
    row: Mapping[str, Any] = {"n": n, "effect": effect, "open": still_open}
    return what_it_takes(row, dataclasses.replace(RULES, **rules))  # type: ignore[arg-type]


class TestWhatItTakes:
    @pytest.mark.parametrize("still_open", [1, 3])
    @pytest.mark.parametrize("effect", [-0.5, 0.9, 2.5])
    @pytest.mark.parametrize("n", [3, 6, 12, 40])
    def test_its_number_is_the_first_that_has_the_power(self, n: int, effect: float, still_open: int) -> None:
        needed, found = fewest_by_search(effect, 0.05 / still_open, 0.8), advice(n, effect, still_open)
        fewest = {1: 6, 3: 7}[still_open]  # 2/2**6 < 0.05, 2/2**7 < 0.05/3
        assert needed is not None
        if n < fewest:
            many = "one comparison" if still_open == 1 else "3 comparisons"
            assert found == (
                f"{n} replicates are too few: no result can reach p < 0.05 with {many}; at least {fewest} are needed, "
                f"{max(needed, fewest)} for 80 % power if the observed difference is the true one."
            )
        elif needed <= n:
            assert found == "This many replicates find a difference of this size with 80 % power; here they did not."
        else:
            assert found == f"{needed} replicates would find a difference of this size with 80 % power."

    def test_power_and_alpha_are_the_studys(self) -> None:
        assert advice(7, 1.0, power=0.9) == (
            f"{fewest_by_search(1.0, 0.05, 0.9)} replicates would find a difference of this size with 90 % power."
        )
        assert f"{fewest_by_search(1.0, 0.01, 0.8)} replicates" in advice(8, 1.0, alpha=0.01)
        assert advice(7, 1.0, alpha=0.01).startswith(
            "7 replicates are too few: no result can reach p < 0.01 with one comparison; at least 8 are needed"
        )

    def test_what_is_smaller_than_any_number_would_find(self) -> None:
        for effect in (0.0, 0.001, -0.001):
            assert fewest_by_search(effect, 0.05, 0.8) is None
            assert advice(8, effect) == "More than 1,000 replicates would be needed to find a difference this small."

    def test_two_replicates_do_not_make_an_effect_small(self) -> None:
        """Hedges' correction leaves nothing of it, whatever it is."""
        start = "2 replicates are too few: no result can reach p < 0.05 with"
        assert advice(2, 0.0) == f"{start} one comparison; at least 6 are needed."
        assert advice(2, NAN, 4) == f"{start} 4 comparisons; at least 8 are needed."

    def test_replicates_that_agree_to_the_last_bit_need_only_be_enough_to_say_so(self) -> None:
        assert advice(5, np.inf).endswith(
            "at least 6 are needed, 6 for 80 % power if the observed difference is the true one."
        )

    def test_nothing_open_counts_as_one(self) -> None:
        assert advice(5, 2.0, 0) == advice(5, 2.0, 1)

    def test_of_too_many_comparisons_no_number_is_enough(self) -> None:
        for n in (10, 20, 500):
            assert advice(n, 5.0, 500) == (
                f"No result of {n} replicates can reach p < 0.05 with 500 comparisons: compare fewer variants."
            )

    @pytest.mark.parametrize(("many", "fewest"), [(1, 6), (2, 7), (3, 7), (4, 8), (6, 8), (7, 9)])
    def test_how_many_comparisons_so_many_replicates_can_tell(self, many: int, fewest: int) -> None:
        """Such replicates all of one sign, and the sign-flip test itself."""
        for n in range(2, 12):
            p = float(flips.sign_flip(np.arange(1.0, n + 1)))
            assert (out_of_reach(n, many, RULES) == "") == (p * many < 0.05)
            assert (n >= fewest) == (p * many < 0.05)

    @given(st.integers(2, 60), st.integers(1, 2000))
    @settings(max_examples=50)
    def test_fewest_is_more_than_there_are(self, n: int, many: int) -> None:
        found = out_of_reach(n, many, RULES)
        if "at least" in found:
            fewest = int(found.partition("at least ")[2].split()[0])
            assert fewest > n
            assert out_of_reach(fewest, many, RULES) == ""
            assert out_of_reach(fewest - 1, many, RULES) != ""
        elif found:
            assert found.endswith("compare fewer variants")
