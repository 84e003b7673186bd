"""The settings that are no component's, as a study file gives them. Imports no torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ablate.errors import InvalidOptions
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
        "auto",
        doc="bf16 autocast, full fp32, or auto: bf16 where the device has units for it. A model trained in bf16 also "
        "generates in it, if it has steps of its own for that, as lstm and gru do on a CPU.",
    )


@dataclass(frozen=True)
class GenerationSettings:
    """Section ``[generation]`` of a study file."""

    samples: int = option(4, ge=1, doc="Samples generated for each run; nested in it, never replicates.")
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


@dataclass(frozen=True)
class FloorSettings:
    """Section ``[floors]`` of a study file: how well the values that need no model are known."""

    draws: int = option(
        5, ge=0, doc="For each run, how often as many samples as it has are drawn from the reference's own notes."
    )
    shuffles: int = option(8, ge=0, doc="How often the tokens of a piece are put in random order.")
    pieces: int = option(
        10, ge=1, doc="Copies and round trips are those of so many pieces of the corpus, evenly spread, at most."
    )


@dataclass(frozen=True)
class StatisticsSettings:
    """Section ``[statistics]`` of a study file: how differences are judged; see docs/statistics.md."""

    alpha: float = option(0.05, gt=0, lt=0.5, doc="How often, at most, a family of comparisons may be wrong by chance.")
    family: Literal["metric", "study"] = option(
        "metric", doc="What Holm's correction goes over: a metric's comparisons, or all of the study."
    )
    estimate: Literal["mean", "iqm"] = option(
        "mean", doc="What stands for the replicates: their mean, or their interquartile mean."
    )
    power: float = option(0.8, gt=0, lt=1, doc="The power that numbers of replicates needed are worked out for.")


@dataclass(frozen=True)
class SearchSettings:
    """Section ``[search]`` of a study file: how ``design = "search"`` chooses variants."""

    n_variants: int = option(20, ge=2, doc="Variants to try, the baseline among them.")
    algorithm: Literal["auto", "tpe", "nsga2", "random"] = option(
        "auto", doc="Optuna's sampler; auto is TPE for one objective, NSGA-II for several."
    )
    prune_after: int = option(
        0, ge=0, doc="Replicates after which a variant worse than the best one is given up; 0 is never."
    )
    prune_p: float = option(0.1, gt=0, lt=1, doc="The p of Wilcoxon's signed-rank test below which it is worse.")

    def __post_init__(self) -> None:
        if self.prune_after == 1:
            problem = "must be 2 or more, or 0 for never: one replicate is not enough to prune a variant"
            raise InvalidOptions([("prune_after", problem)])
