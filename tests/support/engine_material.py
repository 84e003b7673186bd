"""Networks, conditioners, samplers and examples for the engine's tests, all small and all real."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

import ablate
from ablate.engine.generation.generate import generate
from ablate.engine.generation.row import Row
from ablate.engine.training.job import Recipe, TrainingJob, TrainingSeeds
from ablate.engine.training.train import train, train_fused
from ablate.engine.training.windows import Example
from ablate.settings import TrainingSettings
from ablate.testing.material import ClockConditioner, PitchTokenizer
from ablate_optimizers import ablate_optimizers
from ablate_recurrent import ablate_models
from ablate_sampling import ablate_samplers
from ablate_schedules import ablate_schedules

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

TOKENIZER = PitchTokenizer()
VOCABULARY = len(TOKENIZER.vocabulary)
LSTM = next(spec for spec in ablate_models() if spec.name == "lstm")
TEMPERATURE = next(spec for spec in ablate_samplers() if spec.name == "temperature")

OPTIMIZERS = {spec.name: spec for spec in ablate_optimizers()}
SCHEDULES = {spec.name: spec for spec in ablate_schedules()}


def recipe(optimizer: str = "adam", schedule: str = "constant", **options: Any) -> Recipe:
    """A recipe; ``options`` are those of the optimizer or of the schedule, whichever has them."""
    made = []
    for spec in (OPTIMIZERS[optimizer], SCHEDULES[schedule]):
        known = [field.name for field in dataclasses.fields(spec.options)]
        made.append(spec.build(spec.parse({name: value for name, value in options.items() if name in known})))
    return Recipe(made[0], made[1], VOCABULARY)


RECIPE = recipe()


class Noisy(ClockConditioner):
    """Trains on observations with noise."""

    def perturb(self, values: Any, others: Any, rng: np.random.Generator) -> Any:
        values += rng.normal(size=values.shape)  # in place, as a careless plugin would
        return values.astype(np.float32)


def network(conditioners: Sequence[ablate.Conditioner] = (), seed: int = 0, **options: Any) -> Any:
    """An LSTM in evaluation mode whose predictions are far from even."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = LSTM.build(LSTM.parse({"embedding": 24, "hidden": 40, **options}), VOCABULARY, list(conditioners))
    with torch.no_grad():
        for weight in model.parameters():
            weight.mul_(3)
    return model.eval()


def examples(count: int = 3, length: int = 60) -> list[Example]:
    rng = np.random.default_rng(7)
    return [
        Example(rng.integers(0, VOCABULARY, length + i), (rng.normal(size=(length + i, 2)).astype(np.float32),))
        for i in range(count)
    ]


def settings(**changes: Any) -> TrainingSettings:
    plain: dict[str, Any] = {"steps": 30, "batch": 3, "window": 12, "learning_rate": 1e-2, "precision": "fp32"}
    return TrainingSettings(**plain | changes)


def job(seed: int = 1, checkpoint: Path | None = None, **changes: Any) -> TrainingJob:
    """A job that uses every stream of random numbers: initialisation, windows, labels, dropout, initial state."""
    conditioners = [Noisy()]
    options = {"embedding": 8, "hidden": 16, "layers": 2, "dropout": 0.3, "initial_state": "random"}
    return TrainingJob(
        build=lambda: LSTM.build(LSTM.parse(options), VOCABULARY, conditioners),
        examples=examples(),
        conditioners=conditioners,
        recipe=changes.pop("recipe", RECIPE),
        settings=settings(**changes),
        seeds=TrainingSeeds(seed, seed + 100, seed + 200, seed + 300),
        checkpoint=checkpoint,
    )


@dataclasses.dataclass(frozen=True)
class RecorderOptions:
    key: str = ablate.option("", doc="Under which a row's logits are kept.")


class FunctionSampler(ablate.Sampler):
    """A function as a sampler."""

    def __init__(self, function: Callable[[torch.Tensor, torch.Tensor], torch.Tensor]) -> None:
        self.function = function

    def __call__(self, logits: torch.Tensor, history: torch.Tensor) -> torch.Tensor:
        return self.function(logits, history)


@dataclasses.dataclass
class Recorder:
    """A sampler that changes nothing and keeps, step by step, the logits that each row gets."""

    seen: dict[str, list[torch.Tensor]] = dataclasses.field(default_factory=dict)

    def spec(self) -> ablate.SamplerSpec:
        def build(rows: Sequence[RecorderOptions]) -> ablate.Sampler:
            def record(logits: torch.Tensor, history: torch.Tensor) -> torch.Tensor:
                for row, own in zip(rows, logits, strict=True):
                    self.seen.setdefault(row.key, []).append(own.clone())
                return logits

            return FunctionSampler(record)

        return ablate.SamplerSpec(name="recorder", summary="Keeps.", options=RecorderOptions, build_rows=build)

    def link(self, key: str) -> tuple[ablate.SamplerSpec, RecorderOptions]:
        return self.spec(), RecorderOptions(key)


def temperature(tau: float) -> tuple[ablate.SamplerSpec, Any]:
    return TEMPERATURE, TEMPERATURE.parse({"tau": tau})


def row(seed: int, tokens: int = 20, tau: float | None = 1.0, **given: Any) -> Row:
    return Row(0, () if tau is None else (temperature(tau),), tokens, seed, **given)


def tokens_of(rows: Sequence[Row], models: Any = None, **how: Any) -> list[list[int]]:
    conditioners = how.pop("conditioners", [])
    made = generate(models or [network()], rows, tokenizer=TOKENIZER, conditioners=conditioners, **how)
    assert made is not None
    return [tokens.tolist() for tokens in made]


def with_recorder(plain: Row, recorder: Recorder, key: str) -> Row:
    return dataclasses.replace(plain, chain=(recorder.link(key), *plain.chain))


def train_as(jobs: Sequence[TrainingJob], device: str = "cpu", *, fused: bool, **how: Any) -> list[Any]:
    """Train models as one where ``fused`` is true, otherwise one by one."""
    return (train_fused if fused else train)(jobs, device, **how)
