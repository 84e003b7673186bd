"""What becomes of a job whose worker is gone."""

from __future__ import annotations

import dataclasses

from ablate.interfaces.executor import Died
from ablate.study.run.executor.deaths import Part, Running, after_death
from ablate.study.stage import Stage
from ablate.study.work.messages import Job, StageFailure

ASKED = Died("train-1", "its job has come near its time limit", outside=True, asked=True)


def part() -> Part:
    return Part(Job("train", (Stage("train", {}),)))


def test_a_task_that_was_asked_to_leave_may_continue_as_often_as_it_gets_further() -> None:
    each = part()
    for fraction in (0.1, 0.2, 0.3, 0.4, 0.5, 0.6):
        results, (each,) = after_death(Running(each, begun=True, fraction=fraction), ASKED)
        assert (results, each.deaths, each.reached) == ((), 0, fraction)


def test_a_task_that_gets_no_further_fails_after_some_tries() -> None:
    each, count = dataclasses.replace(part(), reached=0.5), 0
    again = [each]
    while again:
        count += 1
        results, again = after_death(Running(again[0], begun=True, fraction=0.5), ASKED)
    assert count == 4
    (failure,) = results
    assert isinstance(failure, StageFailure)
    assert failure.error.endswith("its job has come near its time limit")
