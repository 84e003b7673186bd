from __future__ import annotations

import dataclasses
import itertools
from typing import TYPE_CHECKING, Any

import hypothesis.strategies as st
import numpy as np
import pytest
import scipy.stats
import torch
from hypothesis import given
from support.engine_material import TOKENIZER, VOCABULARY, FunctionSampler, Recorder, network, row, temperature

import ablate
from ablate.engine.devices import Compute
from ablate.engine.generation.batching import BLOCK, LARGEST_BATCH
from ablate.engine.generation.draw import draw_tokens
from ablate.engine.generation.generate import generate
from ablate.engine.seeding import numpy_stream
from ablate.errors import StageError
from ablate.testing.samples import ClockConditioner

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ablate.engine.generation.row import Row

INF = float("inf")
#: The largest number below 1: the most that a stream of uniform numbers gives.
ALMOST_ONE = 1 - 2**-53


def tokens_of(rows: Sequence[Row], models: Any = None, **how: Any) -> list[list[int]]:
    conditioners = how.pop("conditioners", [])
    made = generate(models or [network()], rows, tokenizer=TOKENIZER, conditioners=conditioners, **how)
    assert made is not None
    return [tokens.tolist() for tokens in made]


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


def with_recorder(plain: Row, recorder: Recorder, key: str) -> Row:
    return dataclasses.replace(plain, chain=(recorder.link(key), *plain.chain))


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


# Drawing


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
    first, second = (conditioner.asked for conditioner in conditioners)
    assert len(first) == len(second) == 2 * 3
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
