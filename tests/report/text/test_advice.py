"""Sentences about samples and replicates."""

from __future__ import annotations

import math

import pytest

from ablate.report.statistics.inference.power import minimum_detectable
from ablate.report.statistics.inference.variance import Bounded, Components
from ablate.report.statistics.variance import Costs, advise
from ablate.report.text.advice import advice_sentence, bounded_percent, count, plan_sentence


def found(share: Bounded) -> Components:
    sampling, training = 4 * share.value, 1 - share.value
    return Components(1, 8, 4.0, *(Bounded(value, value, value) for value in (sampling, training)), share)


def test_the_sentence_has_the_share_both_options_and_the_better_one() -> None:
    advice = advise(found(Bounded(0.95, 0.8, 0.98)), Costs(17.1, 0.1), 5)
    assert advice_sentence(advice, "distance.average") == (
        "Sampling noise is 95 % (80 to 98 %) of the variance of a difference in distance.average: 32 samples instead "
        "of 4 on the same trainings divide the variance by 5.9 and take 128 s; 1 more replicate divides it by 1.1 and "
        "takes 88 s. The smallest difference likely to be found is 1.2; 32 samples would find one of 0.48 and 9 "
        "replicates would find one of 1.1. More samples are the better use of the time, because the difference that "
        "they find is smaller."
    )


def test_where_no_difference_can_be_found_it_says_so_and_what_would_find_one() -> None:
    few = found(Bounded(0.95, 0.8, 0.98))._replace(replicates=6)
    sentence = advice_sentence(advise(few, Costs(5.0, 0.1), 5, 0.0104), "pitch")
    assert "With 6 replicates no difference is likely to be found, also with 32 samples, unless it is very clear; " in (
        sentence
    )
    assert sentence.endswith("because more samples do not help a test of 6 replicates.")
    assert "none" not in sentence


def test_a_later_look_and_several_comparisons_are_named() -> None:
    three = found(Bounded(0.5, 0.5, 0.5))._replace(comparisons=3)
    advice = advise(three, Costs(5.0, 0.1), 5, 0.05, level_now=0.0078125, deviation=1.0)
    now = minimum_detectable(8, 0.0078125)
    assert advice.detectable[0] == pytest.approx(now)
    assert f"is {now:.2g} at this look, for 3 comparisons together; " in advice_sentence(advice, "pitch")
    assert "each in a study with one look." in advice_sentence(advice, "pitch")


def test_the_deviation_of_the_verdicts_counts_where_the_share_is_at_its_end() -> None:
    """Samples may vary more than the means of replicates do; both sentences must still give one number."""
    advice = advise(found(Bounded(1.0, 0.5, 1.0)), Costs(5.0, 0.1), 5, deviation=0.3)
    assert advice.detectable[0] == pytest.approx(0.3 * minimum_detectable(8, 0.05))


def test_an_uncertain_share_is_stated() -> None:
    sentence = advice_sentence(advise(found(Bounded(0.6, 0.01, 1.0)), Costs(5.0, 0.1), 5), "pitch")
    assert sentence.endswith("but the share is too uncertain to be sure.")


def test_the_plan_names_where_the_components_come_from() -> None:
    advice = advise(found(Bounded(0.8, 0.5, 1.0)), Costs(25.0, 0.01), 5)
    assert plan_sentence(advice, "pitch", "tau_sweep@smoke") == (
        "sampling noise is 80 % (50 to 100 %) of the variance of a difference in pitch (tau_sweep@smoke: 8 replicates, "
        "4 samples each); with 25 s for a training and 0.01 s for a sample, 200 samples for each training are best "
        "(100 to over 1,000)"
    )


def test_numbers_for_people() -> None:
    assert bounded_percent(Bounded(0.5, 0.04, 1.0)) == "50 % (4 to 100 %)"
    assert [count(x) for x in (math.inf, 1001, 15.6, math.nan)] == ["over 1,000", "over 1,000", "16", "unknown"]


def test_more_replicates_after_the_last_look_need_a_study_of_their_own() -> None:
    advice = advise(found(Bounded(0.6, 0.01, 1.0)), Costs(5.0, 0.1), 5)._replace(better="replicates")
    replicates = 8 + advice.replicates
    assert f"with --seed 8 --replicates {replicates} (https" in advice_sentence(advice, "pitch", other_seed=8)
    assert "seed" not in advice_sentence(advice, "pitch")
    assert "seed" not in advice_sentence(advice._replace(better="samples"), "pitch", other_seed=8)
