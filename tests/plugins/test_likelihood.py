from __future__ import annotations

import math
from typing import TYPE_CHECKING

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
    """A piece whose velocities say, in tenths, what its tokens cost."""
    return Performance.from_notes([(60, round(10 * each), 0.0, 1.0) for each in nats])


def score(performance: Performance) -> np.ndarray:
    return performance.notes["velocity"] / 10


def measure(reference: Sequence[Performance], held_out: Sequence[Performance] = ()) -> Measurements:
    measured: Measurements = SPEC.build(SPEC.parse({})).measure(score, reference, held_out)
    return measured


def test_tokens_are_pooled_over_pieces() -> None:
    train, unseen, gap = measure([piece(1.0), piece(2.0, 3.0, 4.0)], [piece(5.0, 7.0)]).values
    assert train == Value(2.5, feature="train", unit="nat/token", direction="lower", n=4)
    assert unseen == Value(6.0, feature="held_out", unit="nat/token", direction="lower", n=2)
    assert gap == Value(3.5, feature="gap", unit="nat/token", n=6)


def test_without_held_out_pieces_there_is_no_gap() -> None:
    assert measure([piece(1.0, 2.0)]).values == (Value(1.5, feature="train", unit="nat/token", direction="lower", n=2),)


def test_a_model_that_knows_nothing_costs_the_logarithm_of_the_vocabulary() -> None:
    uniform = SPEC.build(SPEC.parse({})).measure(lambda p: np.full(len(p), math.log(240)), [piece(*[1.0] * 9)], [])
    assert uniform.values[0].value == pytest.approx(math.log(240))


def test_a_piece_of_one_token_is_passed_over() -> None:
    assert measure([piece(), piece(2.0)]).values[0] == Value(
        2.0, feature="train", unit="nat/token", direction="lower", n=1
    )


def test_nothing_to_predict_is_refused() -> None:
    with pytest.raises(CorpusError, match="the training pieces have no token to predict"):
        measure([piece()])
    with pytest.raises(CorpusError, match="the held-out pieces have no token to predict"):
        measure([piece(1.0)], [piece()])


def test_there_are_no_options() -> None:
    with pytest.raises(InvalidOptions, match="unknown key"):
        SPEC.parse({"base": 2})
