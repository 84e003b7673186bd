"""Verdicts and their sentences, and the number of replicates that would tell."""

from __future__ import annotations

import dataclasses
import itertools
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.effects_material import NAN, RULES

from ablate.report.statistics import verdicts
from ablate.report.statistics.inference import flips, intervals, power
from ablate.report.statistics.inference.equivalence import replicates_for_equivalence
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


#: Differences of eight replicates with mean -0.12345.
VALUES = np.array([-0.3, -0.25, -0.2, -0.15, -0.1, -0.05, 0.0, 0.0624])


def row(**given_numbers: Any) -> dict[str, Any]:
    """A comparison of eight replicates."""
    start = {
        "kind": "variant",
        "comparison": "tau=0.8",
        "versus": "tau=1.0",
        "direction": "lower",
        "n": 8,
        "values": VALUES,
        "difference": -0.12345,
        "low": -0.2,
        "high": -0.05,
        "effect": -1.0,
        "p_better": 6.5 / 8,
        "p_adjusted": 0.0078125,
        "family": 1,
        "level": 0.05,
        "level_now": given_numbers.get("level", 0.05),
        "margin": NAN,
        "margin_of": "",
        "p_equivalent": NAN,
        "withheld": "",
        "verdict": "better",
    }
    return {**start, **given_numbers}


def sentence_of(**given_numbers: Any) -> str:
    return sentence(row(**given_numbers), RULES, "distance")


DETAIL = f"distance {MINUS}0.123 (95 % interval {MINUS}0.2 to {MINUS}0.05), better in 6.5 of 8 replicates"


class TestSentence:
    def test_a_difference(self) -> None:
        assert sentence_of() == f"tau=0.8 is better than tau=1.0: {DETAIL}, p = 0.0078."
        assert sentence_of(verdict="lower", direction="none", p_better=1.0, p_adjusted=0.0001) == (
            f"tau=0.8 is lower than tau=1.0: {DETAIL.partition(', better')[0]}, higher in 8 of 8 replicates, p < 0.001."
        )

    def test_differences_of_0_are_neither_better_nor_worse(self) -> None:
        none = sentence_of(verdict="inconclusive", values=np.zeros(6), n=6, p_better=0.5)
        assert ", equal in all 6 replicates, p = " in none

    def test_a_contrast_is_compared_with_nothing(self) -> None:
        contrast = {"kind": "contrast", "comparison": "warm - cold", "versus": ""}
        assert sentence_of(**contrast) == f"warm - cold: better: {DETAIL}, p = 0.0078."
        assert sentence_of(**contrast, verdict="inconclusive", low=-0.3, p_adjusted=0.06).startswith(
            "warm - cold: cannot tell: distance"
        )
        equal = {"verdict": "equivalent", "margin": 0.3, "margin_of": "ours", "p_equivalent": 0.01}
        assert sentence_of(**contrast, **equal) == (
            f"warm - cold: no difference that matters: {DETAIL}, within ±0.3 (ours), p = 0.01."
        )

    def test_a_main_effect_is_an_average(self) -> None:
        main = {"kind": "main effect", "comparison": "conditioner=tempo", "versus": "conditioner=none"}
        assert sentence_of(**main) == (
            f"conditioner=tempo is better than conditioner=none, on average over the other axes: {DETAIL}, p = 0.0078."
        )
        interaction = {"kind": "interaction", "comparison": "a=1 x b=1", "versus": ""}
        assert sentence_of(**interaction, verdict="worse") == f"a=1 x b=1: worse: {DETAIL}, p = 0.0078."

    def test_no_difference_that_matters_says_whose_margin_and_its_own_p(self) -> None:
        numbers = {"margin": 0.25, "margin_of": "the study's margin", "p_equivalent": 0.003, "p_adjusted": 0.5}
        assert sentence_of(verdict="equivalent", **numbers) == (
            f"No difference that matters between tau=0.8 and tau=1.0: {DETAIL}, within ±0.25 (the study's margin), "
            "p = 0.003."
        )

    def test_what_cannot_be_told_says_what_it_would_take(self) -> None:
        numbers = row(verdict="inconclusive", p_adjusted=0.25, low=-0.3, high=0.05)
        detail = DETAIL.replace(f"{MINUS}0.2 to {MINUS}0.05", f"{MINUS}0.3 to +0.05")
        assert sentence(numbers, RULES, "distance") == (
            f"Cannot tell tau=0.8 from tau=1.0: {detail}, p = 0.25. {what_it_takes(numbers, RULES)}"
        )

    def test_a_single_replicate_has_neither_interval_nor_p(self) -> None:
        one = {"n": 1, "values": np.array([-0.12345]), "low": NAN, "high": NAN, "effect": NAN, "p_adjusted": NAN}
        assert sentence_of(verdict="inconclusive", **one) == (
            f"Cannot tell tau=0.8 from tau=1.0: distance {MINUS}0.123, 1 replicate, p unknown. "
            "A single replicate has no spread: run more replicates."
        )

    def test_p_is_printed_as_papers_do(self) -> None:
        assert [p_text(p) for p in (NAN, 0.0, 0.00099, 0.001, 0.0078125, 0.04999, 0.5, 1.0)] == [
            "p unknown",
            "p < 0.001",
            "p < 0.001",
            "p = 0.001",
            "p = 0.0078",
            "p = 0.04999",
            "p = 0.5",
            "p = 1",
        ]


def advice(given_numbers: Mapping[str, Any], **rules: float) -> str:
    return what_it_takes(row(**given_numbers), dataclasses.replace(RULES, **rules))  # type: ignore[arg-type]


class TestWhatItTakes:
    def test_it_states_what_could_be_found_and_a_range(self) -> None:
        found = advice({"effect": -0.9})
        fewest, most = power.replicates_range(-0.9, 8, 0.05)
        size = power.minimum_detectable(8, 0.05) * VALUES.std(ddof=1)
        assert found == (
            f"With 8 replicates, a difference of {size:.2g} would be found (80 % power); to find one as large as "
            f"observed, {fewest} to {most} replicates are needed."
        )

    def test_level_power_and_estimate_are_the_studys(self) -> None:
        fewest, most = power.replicates_range(-1.5, 8, 0.0125, 0.9)
        assert f"{fewest} to {most} replicates" in advice({"effect": -1.5, "level": 0.0125}, power=0.9)
        trimmed = what_it_takes(row(effect=-1.5), dataclasses.replace(RULES, estimate="iqm"))
        size = power.minimum_detectable(8, 0.05) * 8**0.5 * float(intervals.spread(VALUES, "iqm").error)
        assert f"a difference of {size:.2g} would be found" in trimmed

    def test_missing_replicates_have_no_part_in_it(self) -> None:
        assert advice({"values": np.r_[VALUES, NAN]}) == advice({})

    def test_a_range_may_have_no_end(self) -> None:
        assert "replicates or more are needed, and perhaps over 1,000." in advice({"effect": 0.1})
        assert advice({"n": 900, "effect": 1e-9}).endswith("more than 1,000 replicates are needed.")
        assert advice({"effect": np.inf}).endswith(" 6 replicates are needed.")

    def test_a_margin_needs_replicates_too(self) -> None:
        sd = float(VALUES.std(ddof=1))
        needed = replicates_for_equivalence(sd, 0.15)
        assert needed is not None
        assert advice({"margin": 0.15}).endswith(
            f" To show that a difference of 0 lies within ±0.15, {needed} replicates are needed."
        )
        assert "more than 1,000 replicates are needed" in advice({"margin": 0.001})
        for enough in ({"margin": 9.0}, {"margin": 0.15, "withheld": "for a reason"}):
            assert "To show" not in advice(enough)

    @pytest.mark.parametrize("n", [2, 3, 5])
    def test_too_few_replicates_say_so(self, n: int) -> None:
        assert advice({"n": n, "level": 0.0}) == (
            f"{n} replicates are too few: no result can reach p < 0.05; at least 6 are needed."
        )

    def test_no_effect_is_large_enough_where_the_level_is_out_of_reach(self) -> None:
        assert advice({"n": 6, "level": 0.001, "family": 3}).startswith(
            "Among 3 comparisons, 6 replicates find only a difference that is nearly the same in every replicate; from "
            "7 replicates on, less clear ones too;"
        )

    def test_a_later_look_finds_what_its_own_level_allows(self) -> None:
        size = power.minimum_detectable(8, 0.0078125) * VALUES.std(ddof=1)
        later = advice({"level_now": 0.0078125})
        assert later.startswith(
            f"With 8 replicates at this look, a difference of {size:.2g} would be found (80 % power)"
        )
        assert "to find one as large as observed in a study with one look, " in later
        assert "8 replicates find no further difference;" in advice({"level_now": 0.0})

    def test_fewest_is_what_the_sign_flip_test_needs(self) -> None:
        for n in range(2, 12):
            p = float(flips.sign_flip(np.arange(1.0, n + 1)))
            assert (out_of_reach(n, RULES) == "") == (p < 0.05)
