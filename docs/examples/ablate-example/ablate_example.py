"""A component at each of five hook points that a study of generated music varies or measures by, and an observer."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

import ablate

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    import torch


@dataclass(frozen=True)
class NotesOptions:
    """Options of ``example-notes``."""

    step: float = ablate.option(0.02, ge=0.001, le=1, doc="Grid of waits and lengths, in seconds.")
    longest: int = ablate.option(100, ge=1, doc="Longest wait and length in steps; what is longer is cut.")
    velocity: int = ablate.option(64, ge=1, le=127, doc="MIDI velocity of every decoded note.")


class Notes(ablate.Tokenizer):
    """Three tokens a note: the wait since the note before, the pitch, and the length."""

    def __init__(self, options: NotesOptions) -> None:
        self.options = options
        waits = [f"wait {steps}" for steps in range(options.longest + 1)]
        lengths = [f"length {steps}" for steps in range(1, options.longest + 1)]
        self.vocabulary = (*waits, *(f"pitch {pitch}" for pitch in range(128)), *lengths)
        self.start_token = 0
        self.pitch_0, self.length_1 = len(waits), len(waits) + 128

    def encode(self, performance: ablate.Performance) -> ablate.IntArray:
        notes = performance.canonical().notes
        start, end = (np.rint(notes[edge] / self.options.step).astype(np.int64) for edge in ("start", "end"))
        wait = np.diff(start, prepend=0).clip(0, self.options.longest)
        length = (end - start).clip(1, self.options.longest)
        return np.stack([wait, self.pitch_0 + notes["pitch"], self.length_1 + length - 1], axis=1).ravel()

    def decode(self, tokens: ablate.IntArray) -> ablate.Performance:
        pitch, notes, step = None, [], self.options.step
        for token, start in zip(tokens.tolist(), self.times(tokens).tolist(), strict=True):
            if token >= self.length_1 and pitch is not None:
                notes.append((pitch, self.options.velocity, start, start + (token - self.length_1 + 1) * step))
            elif self.pitch_0 <= token < self.length_1:
                pitch = token - self.pitch_0
        return ablate.Performance.from_notes(notes)

    def times(self, tokens: ablate.IntArray) -> ablate.FloatArray:
        return self.options.step * np.where(tokens < self.pitch_0, tokens, 0).cumsum()


@ablate.hookimpl
def ablate_tokenizers() -> Iterator[ablate.TokenizerSpec]:
    yield ablate.TokenizerSpec(
        name="example-notes", summary="Wait, pitch and length of each note.", options=NotesOptions, build=Notes
    )


@dataclass(frozen=True)
class TransposeOptions:
    """Options of ``example-transpose``."""

    semitones: tuple[int, ...] = ablate.option((-2, 2), ge=-24, le=24, min_length=1, doc="One copy for each.")


class Transpose(ablate.Augmenter):
    """Adds transposed copies, labelled with their distance from the original."""

    def __init__(self, options: TransposeOptions) -> None:
        self.options = options

    def augment(self, performance: ablate.Performance, rng: np.random.Generator) -> Sequence[ablate.Performance]:
        del rng  # every copy is made, none is drawn
        copies = [self.shifted(performance, semitones) for semitones in (0, *self.options.semitones)]
        return [copy for copy in copies if (copy.notes["pitch"] >= 0).all() and (copy.notes["pitch"] <= 127).all()]

    def shifted(self, performance: ablate.Performance, semitones: int) -> ablate.Performance:
        notes = performance.notes.copy()
        notes["pitch"] += semitones
        return performance.replace(notes=notes).labelled(transpose=float(semitones))


@ablate.hookimpl
def ablate_augmenters() -> Iterator[ablate.AugmenterSpec]:
    yield ablate.AugmenterSpec(
        name="example-transpose", summary="Adds transposed copies.", options=TransposeOptions, build=Transpose
    )


@dataclass(frozen=True)
class LabelOptions:
    """Options of ``example-label``."""

    label: str = ablate.option("transpose", min_length=1, doc="Name of the label.")
    scale: float = ablate.option(12.0, gt=0, doc="Divides the label, to bring it near 1.")
    default: float = ablate.option(0.0, doc="The label of music that has none.")


class Label(ablate.Conditioner):
    """Passes one label to the network, the same at every token."""

    def __init__(self, options: LabelOptions) -> None:
        self.options = options
        self.labels = {options.label: options.default}

    def from_performance(self, performance: ablate.Performance, times: ablate.FloatArray) -> ablate.FloatArray:
        return self.from_labels({**self.labels, **performance.labels}, times)

    def from_labels(self, labels: Mapping[str, float], times: ablate.FloatArray) -> ablate.FloatArray:
        return np.full((len(times), 1), labels[self.options.label] / self.options.scale, np.float32)

    def module(self, embedding: int) -> torch.nn.Module:
        import torch  # here, so that listing the plugin stays quick

        return torch.nn.Linear(1, embedding)


@ablate.hookimpl
def ablate_conditioners() -> Iterator[ablate.ConditionerSpec]:
    yield ablate.ConditionerSpec(
        name="example-label", summary="Passes one label to the network.", options=LabelOptions, build=Label
    )


class PhrasePosition(Label):
    """Passes the position in a phrase to the network; the label ``phrase`` is the length of a phrase in seconds."""

    def __init__(self, options: LabelOptions) -> None:
        super().__init__(options)
        self.labels = {"phrase": 4.0}

    def from_labels(self, labels: Mapping[str, float], times: ablate.FloatArray) -> ablate.FloatArray:
        return np.asarray((times / labels["phrase"] % 1)[:, None], np.float32)

    def check_labels(self, labels: Mapping[str, float]) -> None:
        if not labels["phrase"] > 0:
            raise ValueError(f"phrase must be above 0 seconds, not {labels['phrase']:g}")


@dataclass(frozen=True)
class MinPOptions:
    """Options of ``example-min-p``."""

    share: float = ablate.option(0.1, ge=0, le=1, doc="Smallest probability kept, as a share of the largest.")


class MinP(ablate.Sampler):
    """Forbids tokens that are much less likely than the likeliest one."""

    def __init__(self, rows: Sequence[MinPOptions]) -> None:
        self.shares = [row.share for row in rows]

    def __call__(self, logits: torch.Tensor, history: torch.Tensor) -> torch.Tensor:
        del history
        smallest = logits.amax(-1, keepdim=True) + logits.new_tensor(self.shares).log()[:, None]
        return logits.masked_fill(logits < smallest, float("-inf"))


@ablate.hookimpl
def ablate_samplers() -> Iterator[ablate.SamplerSpec]:
    yield ablate.SamplerSpec(
        name="example-min-p", summary="Keeps the tokens near the likeliest.", options=MinPOptions, build_rows=MinP
    )


@dataclass(frozen=True)
class RepetitionOptions:
    """Options of ``example-repetition``."""

    notes: int = ablate.option(4, ge=1, doc="Length of the patterns, in notes.")


class Repetition(ablate.Metric):
    """The share of the patterns of pitches that have occurred before in the same piece."""

    def __init__(self, options: RepetitionOptions) -> None:
        self.notes = options.notes

    def measure(self, generated: ablate.Performance, reference: Sequence[ablate.Performance]) -> ablate.Measurements:
        patterns = self.patterns(generated)
        share, usual = self.share(generated), float(np.mean([self.share(piece) for piece in reference]))
        return ablate.Measurements(
            (
                ablate.Value(share, feature="share", n=len(patterns)),
                ablate.Value(abs(share - usual), feature="distance", direction="lower", n=len(patterns)),
            )
        )

    def share(self, piece: ablate.Performance) -> float:
        patterns = self.patterns(piece)
        return 1 - len(set(patterns)) / len(patterns) if patterns else 0.0

    def patterns(self, piece: ablate.Performance) -> list[tuple[int, ...]]:
        pitches = piece.canonical().notes["pitch"].tolist()
        return [tuple(pitches[i : i + self.notes]) for i in range(len(pitches) - self.notes + 1)]


@ablate.hookimpl
def ablate_metrics() -> Iterator[ablate.MetricSpec]:
    yield ablate.MetricSpec(
        name="example-repetition",
        summary="Share of patterns that occurred before, and its distance from the reference's.",
        options=RepetitionOptions,
        build=Repetition,
        features={
            "share": "The share of the patterns of pitches that have occurred before in the same piece.",
            "distance": "The distance of the share from its mean over the reference pieces.",
        },
    )


class LossTable:
    """Appends a row to a table for each step that is logged."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.path = folder / "losses.csv"

    @ablate.hookimpl
    def ablate_step_logged(self, event: ablate.StepLogged) -> None:
        with self.path.open("a", newline="", encoding="utf-8") as file:
            csv.writer(file).writerow([event.study, event.variant, event.replicate, event.step, event.loss])

    @ablate.hookimpl
    def ablate_study_finished(self, event: ablate.StudyFinished) -> str:
        return f"the losses of {event.study} are in {self.path}"


@ablate.hookimpl
def ablate_observers() -> Iterator[ablate.ObserverSpec]:
    yield ablate.ObserverSpec(
        name="example-losses",
        summary="The losses of all runs as a table.",
        build=lambda options, folder: LossTable(folder),
    )
