from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import scipy.stats
import torch
from support.engine_material import (
    TOKENIZER,
    FunctionSampler,
    Recorder,
    network,
    row,
    tokens_of,
    with_recorder,
)

import ablate
from ablate.engine.seeding import numpy_stream
from ablate.errors import StageError
from ablate.testing.material import ClockConditioner

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


INF = float("inf")


class Fixed(torch.nn.Module):
    """Predicts the same at every step."""

    logits = torch.tensor([2.0, 0.0, -INF, 1.0, -3.0, 1.0])

    def forward(self, tokens: torch.Tensor, conditions: Any, state: Any = None) -> tuple[torch.Tensor, Any]:
        return self.logits.expand(*tokens.shape, 6), state


def test_a_row_draws_by_its_own_stream_from_its_first_number_on() -> None:
    cumulated = np.cumsum(torch.softmax(Fixed.logits.double(), 0).numpy())
    rows = [row(3), row(4, primer=np.arange(5)), row(5, tokens=7)]
    for one, tokens in zip(rows, tokens_of(rows, [Fixed()]), strict=True):
        expected = np.searchsorted(cumulated, numpy_stream(one.seed).random(one.tokens) * cumulated[-1], side="right")
        assert tokens == expected.tolist()


def test_frequencies_are_the_probabilities() -> None:
    made = np.concatenate(tokens_of([row(seed, tokens=400) for seed in range(64)], [Fixed()]))
    expected = torch.softmax(Fixed.logits.double(), 0).numpy()
    counts = np.bincount(made, minlength=6)
    assert counts[2] == 0
    possible = expected > 0
    frequencies = scipy.stats.chisquare(counts[possible], len(made) * expected[possible])
    assert frequencies.pvalue > 0.01


def test_rows_draw_independently() -> None:
    made = tokens_of([row(seed, tokens=30) for seed in range(20)])
    assert len(set(map(tuple, made))) == 20


# Nothing possible


class Spoils(torch.nn.Module):
    """Gives bad logits from one step on."""

    def __init__(self, value: float, step: int) -> None:
        super().__init__()
        self.value, self.step = value, step

    def forward(self, tokens: torch.Tensor, conditions: Any, state: Any = None) -> tuple[torch.Tensor, Any]:
        step = state or 0
        return torch.full((*tokens.shape, 4), self.value if step >= self.step else 0.0), step + 1


@pytest.mark.parametrize("value", [float("nan"), INF, -INF])
@pytest.mark.parametrize("step", [0, 9])
def test_without_a_possible_token_the_stage_fails(value: float, step: int) -> None:
    with pytest.raises(StageError, match="cannot sample"):
        tokens_of([row(1, tokens=10)], [Spoils(value, step)])


@pytest.mark.parametrize("key", ["nan", "-inf"])
def test_what_happens_to_a_row_after_its_end_concerns_nobody(key: str) -> None:
    def build(rows: Sequence[Any]) -> ablate.Sampler:
        def forbid(logits: torch.Tensor, history: torch.Tensor) -> torch.Tensor:
            return logits if history.shape[1] < 6 else torch.full_like(logits, float(key))

        return FunctionSampler(forbid)

    forbids = ablate.SamplerSpec(name="forbids", summary="Forbids all after five tokens.", build_rows=build)
    short = dataclasses.replace(row(1, tokens=5), chain=((forbids, None),))
    assert tokens_of([short, row(2, tokens=30)]) == [tokens_of([short])[0], tokens_of([row(2, tokens=30)])[0]]
    with pytest.raises(StageError, match="cannot sample"):
        tokens_of([dataclasses.replace(short, tokens=6)])


# Conditioners


class Asked(ClockConditioner):
    """Remembers what it was asked."""

    def __init__(self, defaults: Mapping[str, float]) -> None:
        self.labels = {"level": 0.5, **defaults}
        self.asked: list[tuple[dict[str, float], list[float]]] = []

    def from_labels(self, labels: Mapping[str, float], times: Any) -> Any:
        self.asked.append((dict(labels), times.tolist()))
        return super().from_labels(labels, times)


def test_labels_reach_each_conditioner_with_its_own_defaults() -> None:
    conditioners = [Asked({"tempo": 1.0}), Asked({"tempo": 2.0, "mood": 3.0})]
    rows = [row(1, tokens=3), row(2, tokens=3, labels={"tempo": 9.0, "level": 0.1})]
    tokens_of(rows, [network(conditioners)], conditioners=conditioners)
    # before, the stepper is tried with other rows
    first, second = (conditioner.asked[-2 * 3 :] for conditioner in conditioners)
    for step in range(3):
        assert first[2 * step] == ({"level": 0.5, "tempo": 1.0}, [0.25 * step])
        assert second[2 * step] == ({"level": 0.5, "tempo": 2.0, "mood": 3.0}, [0.25 * step])
        assert first[2 * step + 1] == ({"level": 0.1, "tempo": 9.0}, [0.25 * step])
        assert second[2 * step + 1] == ({"level": 0.1, "tempo": 9.0, "mood": 3.0}, [0.25 * step])


def test_conditions_stand_at_the_row_that_asked_and_at_the_token_they_belong_to() -> None:
    conditioners = [ClockConditioner(), ClockConditioner()]
    model, recorder = network(conditioners), Recorder()
    levels = [0.0, 1.0, -2.0]
    rows = [
        with_recorder(row(i, tokens=6, primer=np.arange(4), labels={"level": level}), recorder, f"{i}")
        for i, level in enumerate(levels)
    ]
    for i, (level, tokens) in enumerate(zip(levels, tokens_of(rows, [model], conditioners=conditioners), strict=True)):
        whole = np.array([*range(4), *tokens])
        condition = torch.from_numpy(ClockConditioner().from_labels({"level": level}, TOKENIZER.times(whole)))[None]
        with torch.inference_mode():
            expected, _ = model(torch.from_numpy(whole)[None], [condition, condition])
        assert torch.allclose(torch.stack(recorder.seen[f"{i}"]), expected[0, :-1], atol=1e-5)
