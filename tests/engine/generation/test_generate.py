from __future__ import annotations

import dataclasses
import itertools
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from support.engine_material import (
    TOKENIZER,
    VOCABULARY,
    Recorder,
    network,
    row,
    temperature,
    tokens_of,
    with_recorder,
)

import ablate
from ablate.engine.devices import Compute
from ablate.engine.generation.batching import BLOCK, LARGEST_BATCH
from ablate.engine.generation.generate import generate

if TYPE_CHECKING:
    from collections.abc import Sequence


# A row is the same whatever is beside it


@pytest.mark.parametrize("stepper", ["bf16", "fp32", "none"])
@pytest.mark.parametrize(
    "options",
    [{"layers": 1}, {"layers": 2}, {"layers": 3}, {"embedding": 33, "hidden": 71}, {"embedding": 128, "hidden": 256}],
)
def test_a_row_is_bit_equal_whatever_rows_are_beside_it(options: dict[str, int], stepper: str) -> None:
    """Its logits too: tokens alone would hide what a uniform number seldom falls between."""
    model = network(**options)
    if stepper == "none":
        model = WithoutStepper(model)
    rows = [row(seed, tokens=12, tau=0.5 + seed / 50) for seed in range(70)]
    everywhere = [
        range(70),  # three blocks, or one part
        range(BLOCK),
        range(5),
        reversed(range(70)),  # elsewhere in the block
        [3] * 40 + [69],
        [2] * LARGEST_BATCH + list(range(70)),  # two parts
        *([index] for index in (0, 4, 31, 32, 69)),
    ]
    precision = "bf16" if stepper == "bf16" else "fp32"
    seen: dict[int, set[tuple[bytes, tuple[int, ...]]]] = {}
    for indices in map(list, everywhere):
        recorder = Recorder()
        kept = [with_recorder(rows[i], recorder, f"{place}") for place, i in enumerate(indices)]
        for place, (i, tokens) in enumerate(
            zip(indices, tokens_of(kept, [model], compute=Compute(precision=precision)), strict=True)
        ):
            logits = torch.stack(recorder.seen[f"{place}"]).numpy().tobytes()
            seen.setdefault(i, set()).add((logits, tuple(tokens)))
    assert len(seen) == 70
    assert {len(results) for results in seen.values()} == {1}


class WithoutStepper(torch.nn.Module):
    """A network that only has its ``forward``, as most plugins' have."""

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.model = model

    def forward(self, tokens: torch.Tensor, conditions: Any, state: Any = None) -> tuple[torch.Tensor, Any]:
        return self.model(tokens, conditions, state)  # type: ignore[no-any-return]


class MindsRows(WithoutStepper, ablate.Steppable):
    """Its stepper rounds otherwise for another number of rows, as a product may."""

    def stepper(self, precision: str) -> Any:
        def step(tokens: torch.Tensor, conditions: Any, state: Any) -> tuple[torch.Tensor, Any]:
            logits, state = self.model(tokens[:, None], conditions, state)
            return logits[:, 0] * (1 + len(tokens) * 2**-20), state

        return step


@pytest.mark.parametrize("count", [1, 5, BLOCK + 3])
def test_a_stepper_that_minds_the_number_of_rows_always_gets_the_same_number(count: int) -> None:
    recorder, model = Recorder(), MindsRows(network())
    kept = [with_recorder(row(seed, tokens=4), recorder, f"{seed}") for seed in range(count)]
    tokens_of(kept, [model])
    alone = Recorder()
    tokens_of([with_recorder(row(0, tokens=4), alone, "0")], [model])
    assert torch.stack(recorder.seen["0"]).equal(torch.stack(alone.seen["0"]))


def test_a_model_alone_and_beside_others_is_the_same_in_both_precisions() -> None:
    models = [network(seed=seed, layers=2) for seed in range(3)]
    rows = [dataclasses.replace(row(seed, tokens=30), model=seed % 3) for seed in range(21)]
    for precision in ("fp32", "bf16"):
        together = tokens_of(rows, models, compute=Compute(precision=precision))
        for model in range(3):
            own = [dataclasses.replace(each, model=0) for each in rows if each.model == model]
            assert tokens_of(own, [models[model]], compute=Compute(precision=precision)) == together[model::3]


def test_a_row_is_the_same_beside_other_samplers_lengths_and_models() -> None:
    models = [network(), network(seed=1)]
    rows = [
        row(1, tau=0.9),
        row(2, tau=None, tokens=33),
        dataclasses.replace(row(3), model=1),
        row(4, tau=0.0, tokens=5, primer=np.arange(40)),
        dataclasses.replace(row(5), chain=(temperature(2.0), temperature(0.5))),
        dataclasses.replace(row(1, tau=0.9), model=1),
    ]
    together = tokens_of(rows, models)
    assert together == [tokens_of([one], models)[0] for one in rows]
    assert [len(tokens) for tokens in together] == [20, 33, 20, 5, 20, 20]
    assert together[0] != together[5]


def test_samplers_get_the_options_and_the_history_of_their_own_rows() -> None:
    histories: dict[str, list[list[int]]] = {}

    class Watcher(ablate.Sampler):
        def __init__(self, rows: Sequence[Any]) -> None:
            self.rows = rows

        def prepare(self, tokenizer: ablate.Tokenizer) -> None:
            assert tokenizer is TOKENIZER
            self.is_ready = True

        def __call__(self, logits: torch.Tensor, history: torch.Tensor) -> torch.Tensor:
            assert self.is_ready
            for options, own in zip(self.rows, history, strict=True):
                histories.setdefault(options, []).append(own.tolist())
            return logits

    watcher = ablate.SamplerSpec(name="watcher", summary="Watches.", build_rows=Watcher)
    primed = dataclasses.replace(row(1, tokens=4, primer=np.array([7, 8, 9])), chain=((watcher, "primed"),))
    plain = dataclasses.replace(row(2, tokens=6), chain=((watcher, "plain"), temperature(1.0)))
    tokens = tokens_of([plain, row(3), primed])
    whole = [7, 8, 9, *tokens[2]]
    assert histories["primed"][:6] == [whole[: step + 1] for step in range(6)]
    assert histories["plain"][:6] == [[TOKENIZER.start_token, *tokens[0]][: step + 1] for step in range(6)]


# Primers


def test_reading_a_primer_equals_continuing_after_it() -> None:
    """Greedily, because a row's uniform numbers begin with its first new token."""
    (whole,) = tokens_of([row(1, tokens=30, tau=0.0)])
    primer = np.array([TOKENIZER.start_token, *whole[:12]])
    assert tokens_of([row(2, tokens=18, tau=0.0, primer=primer)]) == [whole[12:]]


def test_the_logits_after_a_primer_are_those_of_one_pass_over_it() -> None:
    model, primer, recorder = network(layers=2), np.arange(50, 90), Recorder()
    (tokens,) = tokens_of([with_recorder(row(1, tokens=5, primer=primer), recorder, "row")], [model])
    with torch.inference_mode():
        expected, _ = model(torch.tensor([[*primer, *tokens]]), [])
    assert torch.allclose(torch.stack(recorder.seen["row"]), expected[0, :-1], atol=1e-5)


def test_primers_of_different_lengths_share_a_batch() -> None:
    rows = [row(seed, primer=np.arange(length)) for seed, length in enumerate((0, 1, 2, 17, 60))]
    assert tokens_of(rows) == [tokens_of([one])[0] for one in rows]


def test_an_empty_primer_is_the_start_token() -> None:
    start = np.array([TOKENIZER.start_token])
    assert tokens_of([row(1)]) == tokens_of([row(1, primer=start)])


def test_more_tokens_begin_with_the_same_ones() -> None:
    few, many = tokens_of([row(1, tokens=5), row(1, tokens=50)])
    assert many[:5] == few


# News and stopping


@pytest.mark.parametrize("steps", [0, 1, 19, 25])
def test_stopping_gives_nothing(steps: int) -> None:
    calls = itertools.count()
    rows = [row(1), dataclasses.replace(row(2), model=1)]
    how: dict[str, Any] = {"tokenizer": TOKENIZER, "conditioners": []}
    assert generate([network(), network()], rows, should_stop=lambda: next(calls) >= steps, **how) is None
    assert next(calls) == steps + 1


def test_news_count_to_the_end() -> None:
    news: list[tuple[int, int]] = []
    rows = [row(1), dataclasses.replace(row(2, tokens=150), model=1)]
    tokens_of(rows, [network(), network()], on_progress=lambda *told: news.append(told))
    assert news == [(100, 170), (170, 170)]


def test_no_rows_give_no_tokens() -> None:
    assert tokens_of([]) == []


def test_the_hosts_random_numbers_are_left_alone() -> None:
    before = torch.get_rng_state()
    assert max(max(tokens) for tokens in tokens_of([row(1)])) < VOCABULARY
    assert torch.get_rng_state().equal(before)
