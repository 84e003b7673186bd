"""A metric that scores shuffled tokens like a copy does not show whether music is in order."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

from ablate.report.statistics.described import order
from ablate.report.statistics.described.order import MOST_LISTED, Unmoved, sentence, unmoved

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ablate.arrays import FloatArray

Q = ("overlap", "mean")


def frame(**floors: Sequence[float] | FloatArray) -> pd.DataFrame:
    pieces = max(len(floors.get("copy", ())), len(floors.get("round_trip", ())))
    rows = [
        (*Q, 0, floor, pieces, draw, value) for floor, values in floors.items() for draw, value in enumerate(values)
    ]
    return pd.DataFrame(rows, columns=["metric", "feature", "replicate", "floor", "pieces", "draw", "value"])


def test_the_measured_case_of_overlapped_area() -> None:
    """A copy scores 0.872 and shuffled tokens 0.866, with spreads over sets of about 0.02."""
    rng = np.random.default_rng(3)
    noise = rng.normal(0, 0.02, (2, 8))
    copies, shuffled = np.array([[0.872], [0.866]]) + noise - noise.mean(1, keepdims=True)
    found = unmoved(frame(copy=copies, shuffled=shuffled), Q, 0.01)
    assert found is not None
    assert found[::2] == pytest.approx((0.872, 0.866))


def test_pieces_are_compared_with_their_own_shuffles() -> None:
    """Between pieces the scores differ far more than an order is worth, but each piece loses the same."""
    copies = np.array([0.2, 0.5, 0.8])
    shuffled = np.resize(copies, 8) - np.array([0.05, 0.06, 0.05, 0.04, 0.05, 0.06, 0.05, 0.04])
    assert unmoved(frame(copy=copies, shuffled=shuffled), Q, 0.0) is None
    backwards = np.resize(copies[::-1], 8) - 0.05
    assert unmoved(frame(copy=copies, shuffled=backwards), Q, 0.0) is not None, "as they come, they are not paired"


def test_shuffles_keep_their_piece_where_the_last_pieces_were_refused() -> None:
    """Each shuffle is 0.05 less than its piece, which pairs shifted by one piece would hide."""
    copies = np.array([0.2, 0.5, 0.8])
    floors = frame(copy=copies, shuffled=np.resize(copies, 9) - np.resize([0.04, 0.05, 0.06], 9))
    refused = (floors["draw"] % 3 == 2) & (floors["floor"] == "copy")
    assert unmoved(floors[~refused], Q, 0.0) is None


def test_more_splits_make_no_small_reaction_a_large_one() -> None:
    """A fifth of a standard deviation cannot be heard in a piece, in however many replicates it is measured."""
    rng = np.random.default_rng(5)
    pieces = 0.5 + rng.normal(0.0, 1.0, (24, 8))
    splits = [frame(copy=of, shuffled=of + rng.normal(0.2, 1.0, 8)).assign(replicate=r) for r, of in enumerate(pieces)]
    assert unmoved(pd.concat(splits), Q, 0.0) is not None
    clear = [frame(copy=of, shuffled=of + rng.normal(1.0, 1.0, 8)).assign(replicate=r) for r, of in enumerate(pieces)]
    assert unmoved(pd.concat(clear), Q, 0.0) is None


def test_replicates_may_have_other_numbers_of_pieces() -> None:
    few, many = np.array([0.2, 0.8]), np.array([0.1, 0.4, 0.9])
    moved = [-0.05, -0.06, -0.04, -0.05, -0.05, -0.05]
    splits = [frame(copy=of, shuffled=np.resize(of, 6) + moved).assign(replicate=r) for r, of in enumerate((few, many))]
    assert unmoved(pd.concat(splits), Q, 0.0) is None


def test_the_loss_of_the_tokenizer_is_no_loss_of_order() -> None:
    floors = frame(copy=[0.0, 0.0], round_trip=[0.8, 0.81], shuffled=[0.8, 0.81, 0.8, 0.81])
    assert unmoved(floors, Q, 0.0) == Unmoved(0.0, pytest.approx(0.805), pytest.approx(0.805))  # type: ignore[arg-type]
    assert unmoved(frame(copy=[0.0], shuffled=[0.8, 0.81]), Q, 0.0) is None


def test_differences_of_variants_beyond_the_order_come_from_something_else() -> None:
    floors = frame(copy=[0.0], shuffled=[0.02, 0.021, 0.019])
    assert unmoved(floors, Q, 0.05) is None
    assert unmoved(floors, Q, 0.5) is not None


@pytest.mark.parametrize("floors", [{"copy": [1.0]}, {"shuffled": [1.0]}, {}])
def test_without_both_floors_nothing_is_said(floors: dict[str, list[float]]) -> None:
    assert unmoved(frame(**floors), Q, 0.0) is None


def test_exact_ties_and_rounding() -> None:
    assert unmoved(frame(copy=[0.0], shuffled=[1e-12] * 8), Q, 0.0) is not None
    assert unmoved(frame(copy=[0.0], shuffled=[1e-3] * 8), Q, 0.0) is None


@pytest.mark.parametrize(("effect", "low", "high"), [(0.0, 0.75, 0.85), (1.0, 0.05, 0.13), (2.0, 0.0, 0.002)])
def test_how_often_eight_shuffles_find_it(effect: float, low: float, high: float) -> None:
    """The rates of the docstring, for normal differences with the given mean in standard deviations."""
    rng = np.random.default_rng(7)
    cases = rng.normal(effect, 1.0, (600, 8))
    found = [not order._reacts(differences, 0.0, 0.5) for differences in cases]
    assert low <= np.mean(found) <= high
    floors = [frame(copy=[0.5] * 8, shuffled=0.5 + differences) for differences in cases[:20]]
    assert [unmoved(each, Q, 0.0) is not None for each in floors] == found[:20]


def test_the_sentence() -> None:
    assert sentence({}) == ""
    assert sentence({"overlap": Unmoved(0.872, np.nan, 0.866)}) == (
        "This metric hardly reacts to the order of notes, so it does not show whether music is in order "
        "(overlap: a copy scores 0.872, shuffled tokens 0.866)."
    )
    several = sentence({"a": Unmoved(0.0, 0.8, 0.81), "b": Unmoved(np.nan, 0.5, 0.5)})
    assert "These metrics hardly react" in several
    assert "(a: a copy scores 0, the round trip 0.8, shuffled tokens 0.81; b: the round trip 0.5, shuffled" in several
    many = sentence({f"m{i}": Unmoved(0.0, 0.0, 0.0) for i in range(MOST_LISTED + 2)})
    assert many.endswith("; and 2 more).")
