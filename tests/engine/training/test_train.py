from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from support.engine_material import LSTM, RECIPE, VOCABULARY, examples, job, recipe, settings, train_as
from support.recipe_material import after, only
from torch.nn import functional

from ablate.engine import checkpoint
from ablate.engine.training.job import CHECK_EVERY, Progress, TrainingJob, TrainingResult, TrainingSeeds
from ablate.engine.training.train import train
from ablate.engine.training.windows import IGNORED, Example, Windows
from ablate.errors import StageError, TrainingDiverged

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


DECAY = {"decay": 0.7, "decay_every": 3}


def same(one: TrainingResult, other: TrainingResult) -> bool:
    """Whether two results are equal to the bit."""
    assert one.weights.keys() == other.weights.keys()
    weights = all(one.weights[name].equal(other.weights[name]) for name in one.weights)
    return weights and one.losses == other.losses and one.tokens_seen == other.tokens_seen


def bigrams(build: Callable[[], Any] | None = None, **changes: Any) -> TrainingJob:
    """A job whose network is a table of logits."""
    build = build or (lambda: Table(VOCABULARY))
    bare = [Example(example.tokens) for example in examples()]
    return TrainingJob(build, bare, [], settings(**changes), TrainingSeeds(1, 2, 3, 4), RECIPE)


class Table(torch.nn.Module):
    def __init__(self, vocabulary: int) -> None:
        super().__init__()
        self.table = torch.nn.Embedding(vocabulary, vocabulary)

    def forward(self, tokens: torch.Tensor, conditions: Any, state: Any = None) -> tuple[torch.Tensor, Any]:
        return self.table(tokens), state


class BreaksAt(Table):
    """Gives NaN at one of its calls."""

    def __init__(self, call: int, value: float) -> None:
        super().__init__(VOCABULARY)
        self.calls, self.at, self.value = 0, call, value

    def forward(self, tokens: torch.Tensor, conditions: Any, state: Any = None) -> tuple[torch.Tensor, Any]:
        self.calls += 1
        logits, state = super().forward(tokens, conditions, state)
        return (logits * self.value if self.calls == self.at else logits), state


@pytest.fixture(scope="module")
def whole() -> TrainingResult:
    return only(job())


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_a_small_piece_is_learned(precision: str) -> None:
    piece = [Example(np.tile([3, 1, 4, 1, 5, 9, 2, 6], 10))]
    tiny = settings(steps=120, learning_rate=2e-2, precision=precision)
    build = lambda: LSTM.build(LSTM.parse({"embedding": 8, "hidden": 16}), 10, [])  # noqa: E731
    losses = only(TrainingJob(build, piece, [], tiny, TrainingSeeds(1, 2, 3, 4), RECIPE)).losses
    assert losses[0] > 2
    assert max(losses[-10:]) < 0.3


def test_precision_changes_the_numbers_and_not_the_outcome() -> None:
    fp32, bf16 = (only(job(precision=precision)) for precision in ("fp32", "bf16"))
    assert fp32.losses != bf16.losses
    assert fp32.losses[0] == pytest.approx(bf16.losses[0], rel=0.02)
    assert all(tensor.dtype == torch.float32 for tensor in bf16.weights.values())
    with pytest.raises(ValueError, match="resolved"):
        train([job(precision="auto")])


def test_a_job_does_not_notice_the_others(whole: TrainingResult) -> None:
    beside = train([job(5), job(), job(6, steps=7)])
    assert same(beside[1], whole)
    assert not same(beside[0], whole)
    assert len(beside[2].losses) == 7


def test_each_stream_of_random_numbers_matters(whole: TrainingResult) -> None:
    first = job()
    for stream in ("init", "windows", "labels", "dropout"):
        seeds = dataclasses.replace(first.seeds, **{stream: 77})
        assert not same(only(dataclasses.replace(first, seeds=seeds)), whole), stream


def test_every_step_draws_numbers_of_its_own_and_the_same_ones_again(tmp_path: Path) -> None:
    drawn: list[float] = []

    class Draws(Table):
        def forward(self, tokens: torch.Tensor, conditions: Any, state: Any = None) -> tuple[torch.Tensor, Any]:
            drawn.append(float(torch.rand(())))
            return super().forward(tokens, conditions, state)

    noted = dataclasses.replace(bigrams(lambda: Draws(VOCABULARY)), checkpoint=tmp_path / "checkpoint")
    only(noted, should_stop=after(11))
    only(noted)
    assert len(set(drawn)) == len(drawn) == 30
    only(dataclasses.replace(noted, checkpoint=None))
    assert drawn[30:] == drawn[:30]


@pytest.mark.parametrize("stops", [(CHECK_EVERY,), (0, 1, 12, 16)])
@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_an_interrupted_training_goes_on_as_if_it_were_not(
    tmp_path: Path, stops: tuple[int, ...], precision: str
) -> None:
    kept = job(checkpoint=tmp_path / "checkpoint", precision=precision)
    for number, steps in enumerate(stops):
        part = only(kept, should_stop=after(steps))
        assert not part.finished
        assert len(part.losses) == sum(stops[: number + 1])
    resumed = only(kept)
    assert resumed.finished
    assert same(resumed, only(job(precision=precision)))


def test_a_crash_costs_no_more_than_what_came_after_the_last_checkpoint(tmp_path: Path, whole: TrainingResult) -> None:
    path = tmp_path / "checkpoint"

    def crash(index: int, progress: Progress) -> None:
        raise MemoryError

    with pytest.raises(MemoryError):
        train([job(checkpoint=path)], on_progress=crash, checkpoint_seconds=0)
    assert checkpoint.load_tensors(path)[1]["step"] == CHECK_EVERY - 1
    assert same(only(job(checkpoint=path)), whole)


def test_a_finished_training_is_not_written_down_once_more(tmp_path: Path) -> None:
    path = tmp_path / "checkpoint"
    only(job(checkpoint=path), checkpoint_seconds=0)
    assert checkpoint.load_tensors(path)[1]["step"] == 29


def damage_cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-100])


def damage_nothing_left(path: Path) -> None:
    path.write_bytes(b"")


def damage_header(path: Path) -> None:
    path.write_bytes(b"\0" * 8 + path.read_bytes()[8:])


def other_network(path: Path) -> None:
    tensors, facts = checkpoint.load_tensors(path)
    tensors["model.embedding.weight"] = tensors["model.embedding.weight"][:, :-1]
    checkpoint.save_checked(path, tensors, facts)


def other_facts(path: Path) -> None:
    checkpoint.save_checked(path, checkpoint.load_tensors(path)[0], {"steps": 3})


def one_bit(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)


def other_training(path: Path) -> None:
    other = path.with_name("other")
    path.rename(other)
    only(job(checkpoint=path), should_stop=lambda: True)
    path.unlink()
    other.rename(path.with_name("third"))
    only(job(checkpoint=other), should_stop=lambda: True)
    other.rename(path)


def a_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


SPOILS = [damage_cut, damage_nothing_left, damage_header, other_network, other_facts, one_bit, other_training, a_folder]


@pytest.mark.parametrize("spoil", SPOILS)
def test_a_spoilt_checkpoint_costs_time_and_is_said(
    tmp_path: Path, whole: TrainingResult, spoil: Callable[[Path], None], caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "checkpoint"
    only(job(checkpoint=path), should_stop=after(12))
    spoil(path)
    assert same(only(job(checkpoint=path)), whole)
    (record,) = caplog.records
    assert record.levelname == "WARNING"
    assert f"{path} cannot be used, training begins again at step 1: " in record.getMessage()
    assert "\n" not in record.getMessage()


def test_tied_weights_can_be_kept(tmp_path: Path) -> None:
    class Tied(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.embedding = torch.nn.Embedding(VOCABULARY, 6)
            self.out = torch.nn.Linear(6, VOCABULARY)
            self.out.weight = self.embedding.weight

        def forward(self, tokens: torch.Tensor, conditions: Any, state: Any = None) -> tuple[torch.Tensor, Any]:
            return self.out(self.embedding(tokens)), state

    kept = dataclasses.replace(bigrams(Tied), checkpoint=tmp_path / "checkpoint")
    only(kept, should_stop=after(10))
    resumed = only(kept)
    assert same(resumed, only(bigrams(Tied)))
    assert resumed.weights["out.weight"].equal(resumed.weights["embedding.weight"])


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
@pytest.mark.parametrize("call", [1, 7, CHECK_EVERY, CHECK_EVERY + 2])
def test_a_loss_that_is_no_number_names_its_step_and_the_learning_rate(call: int, value: float) -> None:
    with pytest.raises(TrainingDiverged) as caught:
        only(bigrams(lambda: BreaksAt(call, value), learning_rate=0.25))
    assert f"is nan at step {call} of 30;" in str(caught.value)
    advice = (
        "smaller training.learning_rate (now 0.25)"
        if call > 1
        else "the loss was already invalid before the first update: check the model"
    )
    assert advice in str(caught.value)


def test_a_learning_rate_out_of_all_bounds_diverges() -> None:
    with pytest.raises(TrainingDiverged, match=r"the training loss is (nan|inf) at step 2 of 30; .*\(now 1e\+38\)"):
        only(bigrams(learning_rate=1e38, clip=0.0))


def test_the_last_update_is_looked_at_too() -> None:
    with pytest.raises(TrainingDiverged, match="a weight is no longer a number after step 1 of 1"):
        only(bigrams(learning_rate=1e39, steps=1))


def test_a_training_whose_examples_are_too_short_says_so() -> None:
    short = dataclasses.replace(bigrams(), examples=[Example(np.array([3]))])
    for fused in (False, True):
        result, other = train_as([short, bigrams(steps=2)], fused=fused)
        assert isinstance(result, StageError)
        assert "nothing to learn" in str(result)
        assert isinstance(other, TrainingResult)


def test_the_hosts_random_numbers_are_left_alone() -> None:
    torch.manual_seed(5)
    before = torch.get_rng_state()
    only(job(steps=3))
    with pytest.raises(TrainingDiverged):
        only(bigrams(lambda: BreaksAt(1, float("nan"))))
    assert torch.get_rng_state().equal(before)


@pytest.mark.parametrize("clip", [0.0, 0.02])
def test_weights_follow_the_formulas_of_adam_clip_and_decay(clip: float) -> None:
    how = settings(steps=12, learning_rate=0.1, clip=clip)
    steps = recipe(schedule="step", decay=0.5, decay_every=5)
    trained = only(dataclasses.replace(bigrams(), settings=how, recipe=steps))
    assert torch.allclose(trained.weights["table.weight"].double(), by_formula(bigrams(), how), atol=1e-5)


def by_formula(table: TrainingJob, how: Any) -> torch.Tensor:
    """Kingma and Ba, algorithm 1, in double precision, with the gradient scaled down to ``clip`` where it is longer."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(table.seeds.init)
        weight = table.build().table.weight.detach().double()
    windows = Windows(table.examples, how, table.seeds.windows)
    first, second = torch.zeros_like(weight), torch.zeros_like(weight)
    for step in range(how.steps):
        batch = windows.batch(step, [], 0)
        weight = weight.detach().requires_grad_()
        logits = weight[batch.tokens].flatten(0, 1)
        functional.cross_entropy(logits, batch.targets.flatten(), ignore_index=IGNORED).backward()
        length = weight.grad.square().sum().sqrt()
        gradient = weight.grad * (clip / length if (clip := how.clip) and length > how.clip else 1)
        first, second = 0.9 * first + 0.1 * gradient, 0.999 * second + 0.001 * gradient**2
        rate = how.learning_rate * 0.5 ** (step // 5)
        corrected = first / (1 - 0.9 ** (step + 1)), second / (1 - 0.999 ** (step + 1))
        weight = weight.detach() - rate * corrected[0] / (corrected[1].sqrt() + 1e-8)
    return weight.detach()


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_adam_with_steps_equals_the_loop_that_it_was_before_to_the_bit(precision: str) -> None:
    """The loop that trained every study before optimizers and schedules were components, with its calls of torch."""
    how = settings(steps=20, learning_rate=0.03, precision=precision)
    trained = only(job(steps=20, learning_rate=0.03, precision=precision, recipe=recipe("adam", "step", **DECAY)))
    old = job()
    windows = Windows(old.examples, how, old.seeds.windows)
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(old.seeds.init)
        model = old.build().train()
        optimizer = torch.optim.Adam(model.parameters(), how.learning_rate, fused=True)
        losses = []
        for step in range(how.steps):
            batch = windows.batch(step, old.conditioners, old.seeds.labels)
            torch.default_generator.manual_seed((old.seeds.dropout + step) % 2**63)
            for group in optimizer.param_groups:
                group["lr"] = how.learning_rate * 0.7 ** (step // 3)
            with torch.autocast("cpu", torch.bfloat16, enabled=precision == "bf16"):
                logits, _ = model(batch.tokens, batch.conditions)
            loss = functional.cross_entropy(logits.float().flatten(0, 1), batch.targets.flatten(), ignore_index=IGNORED)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), how.clip)
            optimizer.step()
            losses.append(float(loss.detach()))
    assert trained.losses == losses
    assert all(trained.weights[name].equal(weight) for name, weight in model.state_dict().items())


def test_news_come_every_few_steps_and_at_the_end() -> None:
    news: list[tuple[int, Progress]] = []
    results = train([job(steps=60), job(2, steps=5)], on_progress=lambda *told: news.append(told))
    assert [(index, progress.step) for index, progress in news] == [(0, 25), (0, 50), (0, 60), (1, 5)]
    assert all(progress.tokens_per_second > 0 for _, progress in news)
    assert [progress.loss for _, progress in news] == [results[index].losses[p.step - 1] for index, p in news]


def test_a_result_says_what_it_cost() -> None:
    trained = only(bigrams())
    assert (trained.parameters, trained.tokens_seen) == (VOCABULARY**2, 30 * 3 * 12)
    assert len(trained.losses) == 30
    assert trained.finished
