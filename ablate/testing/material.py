"""Small test material for contracts: always the same, each piece with a particular difficulty."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ablate.interfaces import Conditioner, Steppable, Tokenizer
from ablate.music.performance import DRUMS, SUSTAIN, Performance, make_pedals

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import torch

    from ablate.arrays import FloatArray, IntArray
    from ablate.interfaces import Stepper

_WIDTH = 8
_NOTES: dict[str, list[tuple[int, int, float, float]]] = {
    "scale": [(60 + i, 60 + i, 0.25 * i, 0.25 * i + 0.25) for i in range(8)],
    "chords": [(p, 70, t, t + 0.5 + p / 200) for t in (0.0, 0.8) for p in (48, 55, 64)],
    "repeated": [(60, 64, 0.1 * i, 0.1 * i + 0.1) for i in range(5)] + [(62, 64, 1.0, 1.5)] * 2,
    "overlapping": [(60, 80, 0.0, 1.0), (60, 50, 0.5, 1.5), (64, 80, 0.0, 2.0), (64, 50, 0.5, 1.0)],
    "short": [(60, 64, 0.0, 0.001), (64, 64, 0.5034, 0.5036), (67, 64, 1.0, 1.0), (72, 64, 1.2, 1.7)],
    "silence": [(60, 64, 7.013, 7.5), (62, 64, 19.5, 20.25)],
    "extremes": [(21, 1, 0.0, 0.5), (108, 127, 0.25, 1.0), (0, 64, 1.0, 1.5), (127, 64, 1.0, 1.5)],
    "unsorted": [(72, 90, 1.0, 1.25), (60, 30, 0.0, 0.5), (64, 40, 0.5, 3.0)],
    "one note": [(60, 64, 0.0, 0.5)],
}
# with an instrument: several at once, drums among them, and drums alone
_ENSEMBLES: dict[str, list[tuple[int, int, float, float, int]]] = {
    "band": [(60 + i, 70, 0.5 * i, 0.5 * i + 0.4, 73) for i in range(16)]
    + [(36 + i % 5, 60, 0.5 * i, 0.5 * i + 0.5, 32) for i in range(16)]
    + [(36 + 2 * (i % 4), 90, 0.25 * i, 0.25 * i + 0.1, DRUMS) for i in range(32)],
    "unison": [(60 + i, 64, 0.25 * i, 0.25 * i + 0.25, program) for i in range(8) for program in (0, 40)],
    "drums": [(36 + 6 * (i % 2), 80, 0.5 * i, 0.5 * i + 0.1, DRUMS) for i in range(24)],
}


def performances() -> tuple[Performance, ...]:
    """Return new, valid performances with at least one note between pitches 36 and 96 each.

    Among them are chords, repeated, overlapping and nested notes of one pitch, notes of a millisecond and of no
    length, long silences, the extremes of pitch and velocity, notes out of order, pedals, and a single note.
    """
    pedals = make_pedals(time=[0.1, 0.9], controller=SUSTAIN, value=[127, 0])
    return tuple(
        Performance.from_notes(notes, pedals=pedals.copy() if name == "chords" else pedals[:0], name=name)
        for name, notes in _NOTES.items()
    )


def ensembles() -> tuple[Performance, ...]:
    """Return new, valid performances of several instruments, with drums, in unison, and of drums alone."""
    return tuple(Performance.from_notes(notes, name=name) for name, notes in _ENSEMBLES.items())


def equal_performances(one: Performance, other: Performance) -> bool:
    """Check whether notes, pedals and labels are equal, in their order."""
    return (
        np.array_equal(one.notes, other.notes)
        and np.array_equal(one.pedals, other.pedals)
        and dict(one.labels) == dict(other.labels)
    )


class PitchTokenizer(Tokenizer):
    """A tokenizer with one token for each note, its pitch; for tests that need any tokenizer."""

    vocabulary = tuple(f"pitch {pitch}" for pitch in range(128))
    start_token = 60

    def encode(self, performance: Performance) -> IntArray:
        """Return pitches in the order of the notes, int64 [time]."""
        return np.asarray(performance.notes["pitch"], np.int64)

    def decode(self, tokens: IntArray) -> Performance:
        """Return notes of a quarter second, one after another."""
        return Performance.from_notes((int(p), 64, 0.25 * i, 0.25 * (i + 1)) for i, p in enumerate(tokens))

    def times(self, tokens: IntArray) -> FloatArray:
        """Return times of a quarter second for each token, float64 [time]."""
        return 0.25 * np.arange(len(tokens))


class ClockConditioner(Conditioner):
    """A conditioner with two numbers for each token, the clock and a label; for tests of models."""

    width = 2

    def __init__(self) -> None:
        self.labels: Mapping[str, float] = {"level": 0.5}

    def from_performance(self, performance: Performance, times: FloatArray) -> FloatArray:
        """Return the clock and the performance's label, float32 [time, 2]."""
        return self.from_labels({**self.labels, **performance.labels}, times)

    def from_labels(self, labels: Mapping[str, float], times: FloatArray) -> FloatArray:
        """Return the clock and the label, float32 [time, 2]."""
        return np.stack([times, np.full(len(times), labels["level"])], axis=1).astype(np.float32)

    def module(self, embedding: int) -> torch.nn.Module:
        """Return a linear map, [rows, time, 2] to [rows, time, embedding]."""
        import torch

        return torch.nn.Linear(self.width, embedding)


def small_model(vocabulary: int, conditioners: Sequence[Conditioner]) -> Any:
    """Return a network without a memory, with a stepper and these conditioners, in evaluation mode."""
    import torch

    class SmallModel(torch.nn.Module, Steppable):
        def __init__(self) -> None:
            super().__init__()
            self.embedding = torch.nn.Embedding(vocabulary, _WIDTH)
            self.conditioners = torch.nn.ModuleList(conditioner.module(_WIDTH) for conditioner in conditioners)
            self.projection = torch.nn.Linear(_WIDTH, vocabulary)

        def forward(
            self, tokens: torch.Tensor, conditions: Sequence[torch.Tensor], state: Any = None
        ) -> tuple[torch.Tensor, Any]:
            hidden = self.embedding(tokens)
            for module, values in zip(self.conditioners, conditions, strict=True):
                hidden = hidden + module(values)
            return self.projection(hidden), state

        def stepper(self, precision: str) -> Stepper:
            del precision

            def step(
                tokens: torch.Tensor, conditions: Sequence[torch.Tensor], state: Any = None
            ) -> tuple[torch.Tensor, Any]:
                logits, state = self(tokens[:, None], [values[:, None] for values in conditions], state)
                return logits[:, 0], state

            return step

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return SmallModel().eval()
