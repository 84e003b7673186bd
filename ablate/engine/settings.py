"""The settings of each stage that are no component's, as a study file gives them. Imports no torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ablate.options import option


@dataclass(frozen=True)
class TrainingSettings:
    """Section ``[training]`` of a study file."""

    steps: int = option(600, ge=1, doc="Optimiser steps.")
    batch: int = option(16, ge=1, doc="Windows in one step.")
    batch_counts: Literal["step", "example"] = option(
        "step",
        doc="Whether batch counts the windows of a step, or those of each example in it, as in the original "
        "experiments, where an augmenter's five copies are five times the tokens.",
    )
    window: int = option(128, ge=1, doc="Tokens in one window.")
    learning_rate: float = option(3e-3, gt=0, doc="Adam's step size at the start.")
    decay: float = option(1.0, gt=0, le=1, doc="Factor on the learning rate every decay_every steps.")
    decay_every: int = option(1000, ge=1, doc="Steps between two decays.")
    clip: float = option(1.0, ge=0, doc="Largest gradient norm of a step; 0 is no clipping.")
    precision: Literal["auto", "fp32", "bf16"] = option(
        "auto", doc="bf16 autocast, full fp32, or auto: bf16 where the device has units for it."
    )


@dataclass(frozen=True)
class GenerationSettings:
    """Section ``[generation]`` of a study file."""

    samples: int = option(4, ge=1, doc="Samples generated for each cell; nested in it, never replicates.")
    tokens: int = option(2000, ge=1, doc="Tokens in one sample.")


@dataclass(frozen=True)
class SplitSettings:
    """Section ``[split]`` of a study file: which pieces the model does not see."""

    held_out: float = option(
        0.0, ge=0, lt=1, doc="Share of the pieces held out; which ones is decided by seed and their names alone."
    )
    seed: int = option(0, ge=0, doc="Chooses other pieces. Replicates all share one split.")
    pieces: tuple[str, ...] = option((), doc="Names of pieces to hold out, instead of a share.")

    def __post_init__(self) -> None:
        if self.held_out and self.pieces:
            raise ValueError("held_out and pieces exclude each other; give one of them")


@dataclass(frozen=True)
class PrimerSettings:
    """Section ``[primer]`` of a study file: what every sample continues. All of 0: nothing."""

    tokens: int = option(0, ge=0, doc="The first so many tokens of the piece.")
    notes: int = option(0, ge=0, doc="The tokens of its first so many notes.")
    seconds: float = option(0.0, ge=0, doc="The tokens of its first so many seconds.")
    piece: str = option("", doc="Name of a performance in the corpus; empty is the first one that is not held out.")
    file: str = option("", doc="A MIDI file to take the primer from, instead of the corpus.")
    repeat_last: bool = option(
        False, doc="Feed the last token twice, as the original experiments did; see docs/study-file.md."
    )

    def __post_init__(self) -> None:
        if sum(map(bool, self.take.values())) > 1:
            raise ValueError("tokens, notes and seconds exclude each other; give one of them")
        if self.piece and self.file:
            raise ValueError("piece and file exclude each other; give one of them")

    @property
    def take(self) -> dict[str, float]:
        """How much, by unit; one of them above 0, or none."""
        return {"tokens": self.tokens, "notes": self.notes, "seconds": self.seconds}

    @property
    def asked(self) -> bool:
        """Whether there is a primer at all."""
        return any(self.take.values())


@dataclass(frozen=True)
class MeasureSettings:
    """Section ``[measure]`` of a study file."""

    primer: bool = option(False, doc="Measure samples with the primer that they continue, not without it.")
