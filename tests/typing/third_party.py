"""A plugin as an outsider would write it; it is never run, it only has to pass ``mypy --strict``.

Where a line carries ``type: ignore``, mypy has to object: strict mode reports an ignore that nothing needs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import torch

import ablate
from ablate.testing import SamplerContract, TokenizerContract, performances

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence


@dataclass(frozen=True)
class Options:
    size: int = ablate.option(8, ge=1, doc="A size.")
    share: float | None = ablate.option(None, gt=0, le=1, doc="A share, if any.")
    mode: Literal["soft", "hard"] = ablate.option("soft", doc="A choice.")
    steps: tuple[int, ...] = ablate.option((1, 2), min_length=1, doc="Some numbers.")
    path: str = ablate.option(doc="Has to be given.")


class Folder(ablate.Corpus):
    def __init__(self, options: Options) -> None:
        self.path = options.path

    def identity(self) -> str:
        return self.path

    def load(self) -> Sequence[ablate.Performance]:
        return performances()


class Louder(ablate.Augmenter):
    def augment(self, performance: ablate.Performance, rng: np.random.Generator) -> Sequence[ablate.Performance]:
        notes = performance.notes.copy()
        notes["velocity"] = rng.integers(1, 128, len(performance))
        return [performance.replace(notes=notes).labelled(louder=1.0), performance.canonical()]


class Pitches(ablate.Tokenizer):
    vocabulary = tuple(f"pitch {pitch}" for pitch in range(128))
    start_token = 60

    def encode(self, performance: ablate.Performance) -> ablate.IntArray:
        return np.asarray(performance.notes["pitch"], np.int64)

    def decode(self, tokens: ablate.IntArray) -> ablate.Performance:
        notes = [(int(pitch), 64, float(place), place + 1.0) for place, pitch in enumerate(tokens)]
        return ablate.Performance.from_notes(notes, name="decoded")

    def times(self, tokens: ablate.IntArray) -> ablate.FloatArray:
        return np.arange(len(tokens), dtype=np.float64)


class Level(ablate.Conditioner):
    width = 1

    def __init__(self, options: Options) -> None:
        self.labels: Mapping[str, float] = {"level": float(options.size)}

    def from_performance(self, performance: ablate.Performance, times: ablate.FloatArray) -> ablate.FloatArray:
        return self.from_labels({**self.labels, **performance.labels}, times)

    def from_labels(self, labels: Mapping[str, float], times: ablate.FloatArray) -> ablate.FloatArray:
        return np.full((len(times), 1), labels["level"], np.float32)

    def module(self, embedding: int) -> torch.nn.Module:
        return torch.nn.Linear(self.width, embedding)


class Bigram(torch.nn.Module):
    def __init__(self, vocabulary: int, conditioners: Sequence[ablate.Conditioner]) -> None:
        super().__init__()
        self.table = torch.nn.Embedding(vocabulary, vocabulary)
        self.told = torch.nn.ModuleList(conditioner.module(vocabulary) for conditioner in conditioners)

    def forward(
        self, tokens: torch.Tensor, conditions: Sequence[torch.Tensor], state: Any = None
    ) -> tuple[torch.Tensor, Any]:
        logits: torch.Tensor = self.table(tokens)
        for module, condition in zip(self.told, conditions, strict=True):
            logits = logits + module(condition)
        return logits, state


class Sharper(ablate.Sampler):
    def __init__(self, rows: Sequence[Options]) -> None:
        self.sizes = [row.size for row in rows]

    def prepare(self, tokenizer: ablate.Tokenizer) -> None:
        self.words = tokenizer.vocabulary

    def __call__(self, logits: torch.Tensor, history: torch.Tensor) -> torch.Tensor:
        return logits * logits.new_tensor(self.sizes)[:, None]


class Count(ablate.Metric):
    def measure(self, generated: ablate.Performance, reference: Sequence[ablate.Performance]) -> ablate.Measurements:
        notes = float(len(generated))
        histogram = ablate.Histogram("pitch", "MIDI pitch", (0.0, 128.0), (float(len(reference)),), (notes,))
        return ablate.Measurements((ablate.Value(notes, unit="notes", n=len(generated)),), (histogram,))


def build_model(options: Options, vocabulary: int, conditioners: Sequence[ablate.Conditioner]) -> Bigram:
    del options
    return Bigram(vocabulary, conditioners)


@ablate.hookimpl
def ablate_corpora() -> Iterator[ablate.CorpusSpec]:
    yield ablate.CorpusSpec(name="folder", summary="A folder.", options=Options, build=Folder, path_option="path")


@ablate.hookimpl
def ablate_augmenters() -> Iterable[ablate.AugmenterSpec]:
    return [ablate.AugmenterSpec(name="louder", summary="Louder copies.", build=lambda _: Louder())]


@ablate.hookimpl
def ablate_tokenizers() -> Iterator[ablate.TokenizerSpec]:
    yield ablate.TokenizerSpec(name="pitches", summary="Pitch alone.", version="2", build=lambda _: Pitches())


@ablate.hookimpl
def ablate_conditioners() -> Iterator[ablate.ConditionerSpec]:
    yield ablate.ConditionerSpec(name="level", summary="One label.", options=Options, build=Level)


@ablate.hookimpl
def ablate_models() -> Iterator[ablate.ModelSpec]:
    yield ablate.ModelSpec(name="bigram", summary="A table.", options=Options, build=build_model)


@ablate.hookimpl
def ablate_samplers() -> Iterator[ablate.SamplerSpec]:
    yield ablate.SamplerSpec(name="sharper", summary="Sharper.", options=Options, build_rows=Sharper)


class Certain(ablate.ModelMetric):
    def measure(
        self,
        score: Callable[[ablate.Performance], ablate.FloatArray],
        train: Sequence[ablate.Performance],
        validation: Sequence[ablate.Performance],
        test: Sequence[ablate.Performance],
    ) -> ablate.Measurements:
        surprise = float(score(train[0]).max())
        return ablate.Measurements((ablate.Value(surprise, unit="nat", n=len(test), within="tokenizer"),))


class FastBigram(Bigram, ablate.Steppable, ablate.Fusible):
    def stepper(self, precision: str) -> ablate.Stepper:
        def step(
            tokens: torch.Tensor, conditions: Sequence[torch.Tensor], state: Any = None
        ) -> tuple[torch.Tensor, Any]:
            return self.table(tokens), state

        return step

    @staticmethod
    def fuse(models: Sequence[FastBigram], precision: str) -> ablate.FusedModels | None:
        return FusedBigrams() if len(models) > 1 and precision == "fp32" else None


class FusedBigrams(ablate.FusedModels):
    def __call__(
        self,
        weights: Mapping[str, torch.Tensor],
        tokens: torch.Tensor,
        conditions: Sequence[torch.Tensor],
        random: ablate.RandomStreams,
    ) -> torch.Tensor:
        return random.dropout(ablate.embed_each(weights["table.weight"], tokens), [0.1, 0.2])


@ablate.hookimpl
def ablate_metrics() -> Iterator[ablate.MetricSpec | ablate.ModelMetricSpec]:
    yield ablate.MetricSpec(name="count", summary="Notes.", build=lambda _: Count(), copied_share="value")
    yield ablate.ModelMetricSpec(name="certain", summary="Largest surprise.", build=lambda _: Certain())


class TestPitches(TokenizerContract):
    spec = next(ablate_tokenizers())
    options = ({},)
    within = None
    pitches = (0, 127)


class TestSharper(SamplerContract):
    spec = next(ablate_samplers())
    options = ({"path": "a"}, {"path": "a", "size": 2})
    identity = {"path": "a", "size": 1}  # noqa: RUF012 - as people write it


def what_made_the_difference() -> list[str]:
    results = ablate.load_results("tau_sweep", home="here")
    told = results.effects().query("verdict == 'better'")
    return [results.name, *results.variants, *told["comparison"], *(b.heading for b in results.verdicts().blocks)]


# What must not pass: a component of the wrong kind, an unknown direction, half an implementation.
ablate.MetricSpec(name="wrong", summary="Builds a sampler.", build=lambda _: Louder())  # type: ignore[arg-type,return-value]
ablate.MetricSpec(name="wrong", summary="Builds a metric of models.", build=lambda _: Certain())  # type: ignore[arg-type,return-value]
ablate.Value(1.0, direction="best", n=1)  # type: ignore[arg-type]
ablate.Value(1.0, "value", n=1)  # type: ignore[arg-type, misc]
ablate.TokenizerSpec("positional", summary="Names its fields.", build=lambda _: Pitches())  # type: ignore[call-arg]


class Half(ablate.Corpus):
    def identity(self) -> str:
        return "half"


Half()  # type: ignore[abstract]


class Misspelt(Bigram, ablate.Steppable):
    def steper(self, precision: str) -> ablate.Stepper: ...  # type: ignore[empty-body]


Misspelt(2, [])  # type: ignore[abstract]
