from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from ablate import Measurements, Performance, Value
from ablate.errors import CorpusError, InvalidOptions
from ablate.testing import ModelMetricContract
from ablate_likelihood import ablate_metrics

if TYPE_CHECKING:
    from collections.abc import Sequence

(SPEC,) = ablate_metrics()


class TestContract(ModelMetricContract):
    spec = SPEC


def piece(*nats: float) -> Performance:
    """A piece of one second whose velocities are, in tenths, the cost of its tokens, one for each note."""
    return Performance.from_notes([(60, round(10 * each), 0.0, 1.0) for each in nats])


def score(performance: Performance) -> np.ndarray:
    return performance.notes["velocity"] / 10


def two_tokens_a_note(performance: Performance) -> np.ndarray:
    return np.repeat(score(performance) / 2, 2)


def measure(
    train: Sequence[Performance],
    validation: Sequence[Performance] = (),
    test: Sequence[Performance] = (),
    score: Any = score,
) -> dict[str, Value]:
    measured: Measurements = SPEC.build(SPEC.parse({})).measure(score, train, validation, test)
    return {value.feature: value for value in measured.values}


def test_nats_of_all_pieces_are_pooled() -> None:
    found = measure([piece(1.0), piece(2.0, 3.0, 4.0)], test=[piece(5.0, 7.0)])
    assert found["train_per_note"] == Value(
        2.5, feature="train_per_note", unit="nat/note", direction="lower", n=4, detail=True
    )
    assert found["test_per_note"] == Value(6.0, feature="test_per_note", unit="nat/note", direction="lower", n=2)
    assert found["test_per_second"] == Value(
        12.0, feature="test_per_second", unit="nat/s", direction="lower", n=2, detail=True
    )
    assert found["test"] == Value(
        6.0, feature="test", unit="nat/token", direction="lower", n=2, within="tokenizer", detail=True
    )
    assert found["gap_per_note"] == Value(3.5, feature="gap_per_note", unit="nat/note", n=6)
    assert found["gap_per_second"].value == pytest.approx(12.0 - 10.0 / 2)
    assert found["gap"] == Value(3.5, feature="gap", unit="nat/token", n=6, within="tokenizer", detail=True)


def test_shorter_tokens_cost_less_each_and_the_same_a_note() -> None:
    pieces = [piece(1.0, 2.0, 3.0)], [], [piece(4.0, 6.0)]
    one, two = measure(*pieces), measure(*pieces, score=two_tokens_a_note)
    assert (one["test"].value, two["test"].value) == (5.0, 2.5)
    for feature in ("test_per_note", "test_per_second", "train_per_note", "gap_per_note", "gap_per_second"):
        assert one[feature].value == pytest.approx(two[feature].value)


def test_what_can_be_compared_within_a_tokenizer_only() -> None:
    found = measure([piece(1.0)], [piece(2.0)], [piece(3.0)])
    assert {name for name, value in found.items() if value.within == "tokenizer"} == {
        "train",
        "validation",
        "test",
        "gap",
    }


@pytest.mark.parametrize(
    ("validation", "test", "first", "standing"),
    [
        ([], [], "train_per_note", {"train_per_note"}),
        ([2.0], [], "validation_per_note", {"validation_per_note", "gap_per_note"}),
        ([], [3.0], "test_per_note", {"test_per_note", "gap_per_note"}),
        ([2.0], [3.0], "test_per_note", {"test_per_note", "gap_per_note"}),
    ],
)
def test_the_cost_of_unseen_notes_stands_for_the_metric(
    validation: list[float], test: list[float], first: str, standing: set[str]
) -> None:
    found = measure([piece(1.0)], [piece(nats) for nats in validation], [piece(nats) for nats in test])
    assert next(iter(found)) == first
    assert {name for name, value in found.items() if not value.detail} == standing
    if standing > {first}:
        unseen = (test or validation)[0]
        assert found["gap_per_note"].value == unseen - 1.0


def test_a_model_that_knows_nothing_costs_the_logarithm_of_the_vocabulary() -> None:
    uniform = measure([piece(*[1.0] * 9)], score=lambda p: np.full(len(p), math.log(240)))
    assert uniform["train"].value == pytest.approx(math.log(240))


def test_a_piece_of_one_token_is_passed_over() -> None:
    def without_first(performance: Performance) -> np.ndarray:
        return score(performance)[1:]

    found = measure([piece(9.0), piece(1.0, 2.0)], score=without_first)
    assert found["train"].value == 2.0
    assert found["train_per_note"].value == 1.0, "the notes of the first piece do not count"
    assert found["train_per_second"].value == 2.0


def test_nothing_to_predict_is_refused() -> None:
    with pytest.raises(CorpusError, match="the training pieces have no token to predict"):
        measure([piece()])
    with pytest.raises(CorpusError, match="the test pieces have no token to predict"):
        measure([piece(1.0)], test=[piece()])
    with pytest.raises(CorpusError, match="the validation pieces have no notes, or no duration"):
        measure([piece(1.0)], [Performance.from_notes([(60, 64, 0.0, 0.0)])])


def test_there_are_no_options() -> None:
    with pytest.raises(InvalidOptions, match="unknown key"):
        SPEC.parse({"base": 2})
