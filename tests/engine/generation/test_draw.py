from __future__ import annotations

from typing import Any

import hypothesis.strategies as st
import numpy as np
import pytest
import torch
from hypothesis import given

from ablate.engine.generation.draw import draw_tokens

INF = float("inf")
#: The largest number below 1: the largest that a stream of uniform numbers gives.
ALMOST_ONE = 1 - 2**-53


def drawn(logits: Any, uniforms: Any) -> list[int]:
    rows = torch.tensor(logits, dtype=torch.float32)
    u = torch.tensor(uniforms, dtype=torch.float64)[:, None]
    every = torch.ones(len(rows), dtype=torch.bool)
    assert draw_tokens(rows, u).equal(draw_tokens(rows, u, every))
    return draw_tokens(rows, u).tolist()


LOGITS = st.lists(st.floats(-60, 60, width=32) | st.just(-INF), min_size=1, max_size=20).filter(
    lambda values: max(values) > -INF
)
UNIFORM = st.floats(0, ALMOST_ONE) | st.sampled_from([0.0, 5e-324, 0.5, ALMOST_ONE])


@given(LOGITS, UNIFORM)
def test_drawing_is_the_inverse_of_the_cumulated_distribution(logits: list[float], u: float) -> None:
    probabilities = torch.softmax(torch.tensor(logits, dtype=torch.float32).double(), 0).numpy()
    cumulated = np.cumsum(probabilities)
    (token,) = drawn([logits], [u])
    assert token == np.searchsorted(cumulated, u * cumulated[-1], side="right")
    assert probabilities[token] > 0


@given(LOGITS, st.integers(0, 3), st.integers(0, 3), UNIFORM)
def test_impossible_tokens_are_never_drawn(logits: list[float], before: int, behind: int, u: float) -> None:
    (token,) = drawn([[-INF] * before + logits + [-INF] * behind], [u])
    assert logits[token - before] > -INF
    assert 0 <= token - before < len(logits)


def test_edges_of_the_uniform_numbers() -> None:
    logits = [[-INF, 0.0, -INF, 0.0, -INF]] * 4
    assert drawn(logits, [0.0, np.nextafter(0.5, 0), 0.5, ALMOST_ONE]) == [1, 1, 3, 3]


@pytest.mark.parametrize("value", [float("nan"), -INF])
def test_what_is_looked_at_later_is_still_seen(value: float) -> None:
    logits, u = torch.zeros(3, 5), torch.full((3, 1), 0.5, dtype=torch.float64)
    later = torch.zeros((), dtype=torch.float64)
    assert draw_tokens(logits, u, None, later).equal(draw_tokens(logits, u))
    logits[1] = value
    draw_tokens(logits, u, torch.tensor([True, False, True]), later)
    assert later.isfinite()  # nobody wants the row without a token
    tokens = draw_tokens(logits, u, None, later)
    assert not later.isfinite()
    assert bool(((tokens >= 0) & (tokens < 5)).all())
    draw_tokens(torch.zeros(3, 5), u, None, later)
    assert not later.isfinite()


def test_each_row_is_drawn_by_its_own_number() -> None:
    assert drawn([[0.0, 0.0], [0.0, 0.0], [5.0, -5.0]], [0.4, 0.6, 0.6]) == [0, 1, 0]
