from __future__ import annotations

from typing import Any

import hypothesis.strategies as st
import pytest
import torch
from hypothesis import given

from ablate.errors import InvalidOptions
from ablate.testing import SamplerContract
from ablate_sampling import ablate_samplers
from ablate_sampling.options import RepetitionPenaltyOptions
from ablate_sampling.repetition import RepetitionPenalty

SPEC = {spec.name: spec for spec in ablate_samplers()}["repetition_penalty"]
INF = float("inf")


class TestContract(SamplerContract):
    spec = SPEC
    options = ({}, {"penalty": 1}, {"penalty": 2.0, "window": 1}, {"penalty": 100, "window": 3}, {"window": 1000})
    identity: dict[str, Any] = {"penalty": 1.0, "window": 2}  # noqa: RUF012


def penalised(logits: list[float], history: list[int], penalty: float = 2.0, window: int = 0) -> list[float]:
    sampler = RepetitionPenalty([penalty], [window])
    result: list[float] = sampler(torch.tensor([logits]), torch.tensor([history], dtype=torch.int64))[0].tolist()
    return result


def test_positive_logits_are_divided_and_negative_ones_multiplied() -> None:
    assert penalised([3.0, -3.0, 0.0, -INF, 3.0, -3.0], [0, 1, 2, 3]) == [1.5, -6.0, 0.0, -INF, 3.0, -3.0]


def test_how_often_a_token_was_there_plays_no_part() -> None:
    assert penalised([3.0, 3.0, 3.0], [1, 1, 1, 2]) == [3.0, 1.5, 1.5]


def test_only_the_latest_tokens_count_in_a_window() -> None:
    history = [0, 1, 2, 1]
    assert penalised([4.0] * 4, history, window=1) == [4.0, 2.0, 4.0, 4.0]
    assert penalised([4.0] * 4, history, window=2) == [4.0, 2.0, 2.0, 4.0]
    assert penalised([4.0] * 4, history, window=3) == [4.0, 2.0, 2.0, 4.0]
    assert penalised([4.0] * 4, history, window=4) == [2.0, 2.0, 2.0, 4.0]


def test_an_empty_history_changes_nothing() -> None:
    assert penalised([4.0, -1.0, 0.5], []) == [4.0, -1.0, 0.5]


@given(st.lists(st.lists(st.integers(0, 4), min_size=12, max_size=12), min_size=1, max_size=4), st.data())
def test_counting_step_by_step_is_looking_at_the_whole_window(histories: list[list[int]], data: st.DataObject) -> None:
    windows = data.draw(st.lists(st.integers(0, 14), min_size=len(histories), max_size=len(histories)))
    sampler = RepetitionPenalty([2.0] * len(windows), windows)
    history = torch.tensor(histories)
    for length in sorted(data.draw(st.sets(st.integers(0, 12)))):  # a call may see several new tokens
        result = sampler(torch.ones(len(windows), 5), history[:, :length])
        for row, tokens, window in zip(result.tolist(), histories, windows, strict=True):
            counted = tokens[max(length - window, 0) : length] if window else tokens[:length]
            assert row == [0.5 if token in counted else 1.0 for token in range(5)]


def test_each_row_has_its_own_options() -> None:
    rows = [RepetitionPenaltyOptions(penalty, window) for penalty, window in ((2.0, 1), (4.0, 0), (1.0, 0))]
    sampler = SPEC.build(rows, SamplerContract.tokenizer)
    result = sampler(torch.full((3, 3), 8.0), torch.tensor([[0, 1]] * 3))
    assert result.tolist() == [[8.0, 4.0, 8.0], [2.0, 2.0, 8.0], [8.0, 8.0, 8.0]]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"penalty": 0.9}, r"penalty: must be a number ≥ 1 and ≤ 100, not 0\.9"),
        ({"penalty": 101}, "penalty: must be a number ≥ 1 and ≤ 100, not 101"),
        ({"window": -1}, "window: must be a whole number ≥ 0, not -1"),
    ],
)
def test_options_out_of_bounds_are_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidOptions, match=message):
        SPEC.parse(settings)
