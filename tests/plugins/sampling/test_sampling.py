from __future__ import annotations

import hypothesis.strategies as st
import pytest
import torch
from hypothesis import given

from ablate.errors import InvalidOptions
from ablate.testing import SamplerContract
from ablate_sampling import ablate_samplers
from ablate_sampling.options import TemperatureOptions
from ablate_sampling.temperature import Temperature

SPEC = {spec.name: spec for spec in ablate_samplers()}["temperature"]
NO_HISTORY = torch.empty(0, 0, dtype=torch.int64)
LOGITS = st.lists(st.floats(-50, 50, width=32), min_size=2, max_size=12)
INF = float("inf")


def scaled(tau: float, logits: list[float]) -> torch.Tensor:
    return Temperature([tau])(torch.tensor([logits]), NO_HISTORY)[0]


class TestContract(SamplerContract):
    spec = SPEC
    options = ({}, {"tau": 0}, {"tau": 0.8}, {"tau": 1.4}, {"tau": 1e-30})
    identity: dict[str, float] = {"tau": 1.0}  # noqa: RUF012


@given(LOGITS, st.floats(0.1, 5))
def test_probabilities_are_the_power_of_the_old_ones(logits: list[float], tau: float) -> None:
    old = torch.softmax(torch.tensor(logits, dtype=torch.float64), -1)
    powers = old ** (1 / tau)
    torch.testing.assert_close(
        torch.softmax(scaled(tau, logits).double(), -1), powers / powers.sum(), rtol=1e-3, atol=1e-6
    )


@given(LOGITS, st.floats(0.01, 100))
def test_ranks_do_not_change(logits: list[float], tau: float) -> None:
    order = torch.tensor(logits).argsort(stable=True)
    assert bool((scaled(tau, logits)[order].diff() >= 0).all())


@given(st.lists(st.floats(width=32, allow_nan=False, allow_infinity=False), min_size=1, max_size=12))
def test_one_changes_nothing_to_the_bit(logits: list[float]) -> None:
    assert scaled(1.0, logits).equal(torch.tensor(logits))


@pytest.mark.parametrize("tau", [0.0, 1e-45, 1e-12])
def test_zero_keeps_the_first_of_the_largest(tau: float) -> None:
    assert scaled(tau, [1.0, 3.0, 3.0, -INF, 2.0]).tolist() == [-INF, 3.0, -INF, -INF, -INF]


def test_lower_temperatures_approach_the_greedy_choice() -> None:
    logits = [1.0, 1.5, 0.0]
    best = [float(torch.softmax(scaled(tau, logits), -1)[1]) for tau in (4.0, 1.0, 0.25, 0.01)]
    assert best == sorted(best)
    assert best[-1] == pytest.approx(1.0)


def test_each_row_has_its_own_temperature() -> None:
    rows = [TemperatureOptions(tau) for tau in (0.5, 1.0, 2.0, 0.0)]
    result = SPEC.build(rows, SamplerContract.tokenizer)(torch.tensor([[1.0, 2.0]] * 4), NO_HISTORY)
    assert result.tolist() == [[2.0, 4.0], [1.0, 2.0], [0.5, 1.0], [-INF, 2.0]]


def test_negative_temperatures_are_refused() -> None:
    with pytest.raises(InvalidOptions, match=r"tau: must be a number ≥ 0, not -0\.1"):
        SPEC.parse({"tau": -0.1})
