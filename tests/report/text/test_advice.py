"""Sentences about samples and replicates."""

from __future__ import annotations

import math

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
        "takes 88 s. The smallest difference likely to be found is 1.2; with these samples 0.48, with these replicates "
        "1.1. More samples are the better use of the time."
    )


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
    further = "run all these replicates as a study with another seed."
    assert advice_sentence(advice, "pitch", last_look=True).endswith(further)
    assert "seed" not in advice_sentence(advice, "pitch")
    assert "seed" not in advice_sentence(advice._replace(better="samples"), "pitch", last_look=True)
