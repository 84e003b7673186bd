"""The sections of a study file that decide what a run does, and how its floors are measured."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ablate.errors import InvalidOptions
from ablate.options import option

# more than these is a mistake: the memory or the time for it would not be there
MOST_STEPS, MOST_WINDOWS, MOST_TOKENS, MOST_SAMPLES, MOST_FLOORS = 10**9, 10**6, 10**7, 10**5, 10**4


@dataclass(frozen=True)
class TrainingSettings:
    """Section ``[training]`` of a study file."""

    steps: int = option(600, ge=1, le=MOST_STEPS, doc="Number of updates of the weights.")
    epochs: float = option(
        0.0,
        ge=0,
        doc="Number of times that training sees all tokens, instead of steps; the steps follow from it. 0 uses steps.",
    )
    batch: int = option(16, ge=1, le=MOST_WINDOWS, doc="Number of windows in one batch.")
    accumulate: int = option(
        1,
        ge=1,
        le=MOST_WINDOWS,
        doc="Number of batches in one step, whose gradients are averaged: as one larger batch, with less memory.",
    )
    batch_counts: Literal["step", "example"] = option(
        "step",
        doc="What batch counts: the windows of a step, or the windows of each example in a step. The latter is the "
        "rule of the original experiments, where five copies from an augmenter mean five times the tokens.",
    )
    window: int = option(128, ge=1, le=MOST_TOKENS, doc="Number of tokens in one window.")
    learning_rate: float = option(3e-3, gt=0, doc="Highest learning rate; the schedule gives that of each step.")
    weight_decay: float = option(
        0.0, ge=0, doc="Weight decay, applied by the optimizer; biases, norms and embeddings never decay."
    )
    clip: float = option(1.0, ge=0, doc="Gradients are clipped to this norm; 0 turns clipping off.")
    label_smoothing: float = option(
        0.0, ge=0, lt=1, doc="Share of the target that is spread evenly over all token ids, in the training loss."
    )
    ema: float = option(
        0.0,
        ge=0,
        lt=1,
        doc="Decay of an exponential moving average of the weights, which is then validated and kept instead of them; "
        "0 for none.",
    )
    validate_every: int = option(0, ge=0, doc="Number of steps between two validations; 0 for never.")
    keep: Literal["last", "best"] = option(
        "last", doc="Weights that are kept: those after the last step, or those with the smallest validation loss."
    )
    patience: int = option(
        0, ge=0, doc="Number of validations in a row without a smaller loss that end the training; 0 for never."
    )
    precision: Literal["auto", "fp32", "bf16"] = option(
        "auto",
        doc="bf16 autocast, full fp32, or auto: bf16 on devices with native bf16. A model trained in bf16 also "
        "generates in bf16 if it has its own generation steps, as lstm and gru have on a CPU.",
    )

    def __post_init__(self) -> None:
        asked = {"keep": self.keep == "best", "patience": self.patience > 0}
        problems = [
            (name, "needs validations; set validate_every to the steps between them")
            for name, on in asked.items()
            if on
        ]
        if problems and not self.validate_every:
            raise InvalidOptions(problems)


@dataclass(frozen=True)
class GenerationSettings:
    """Section ``[generation]`` of a study file."""

    samples: int = option(
        4,
        ge=1,
        le=MOST_SAMPLES,
        doc="Number of samples generated for each run. They are nested in the run and never count as replicates.",
    )
    tokens: int = option(2000, ge=1, le=MOST_TOKENS, doc="Number of tokens in one sample.")


@dataclass(frozen=True)
class SplitSettings:
    """Section ``[split]`` of a study file: the pieces that are held out of training."""

    validation: float | tuple[str, ...] = option(
        0.0, ge=0, lt=1, doc="Pieces to validate on while training: a share of all pieces, or a list of their names."
    )
    test: float | tuple[str, ...] = option(
        0.0, ge=0, lt=1, doc="Pieces to test on after training: a share of all pieces, or a list of their names."
    )
    by: str = option(
        "piece",
        min_length=1,
        doc='Groups that are never divided: "piece", "folder" (the innermost), "top-folder" (the outermost '
        "one), or a label of the pieces.",
    )
    per_replicate: bool = option(
        False,
        doc="Draw the shares, or the folds, again for each replicate; all variants share its split.",
    )
    folds: int = option(
        0,
        ge=0,
        le=MOST_FLOORS,
        doc="Number of folds, instead of test: replicate r is tested on fold r modulo this number; 0 for none.",
    )
    seed: int = option(0, ge=0, doc="Shares and folds are chosen by a hash of this seed and the names of the pieces.")

    def __post_init__(self) -> None:
        if self.folds == 1:
            raise ValueError("folds must be 2 or more, or 0 for none: with one fold, nothing is left to train on")
        if self.folds and self.test:
            raise ValueError("folds and test cannot be combined; each fold is the test of some replicates")
        if self.per_replicate and not self.shares and not self.folds:
            raise ValueError("per_replicate has nothing to draw; set validation or test to a share, or set folds")
        if sum(self.shares.values()) >= 1:
            raise ValueError("the shares validation and test leave nothing to train on; together they must be below 1")
        named: set[str] = set()
        for name in (name for names in self.names.values() for name in names):
            if name in named:
                raise ValueError(f"validation and test name the piece '{name}' twice; name each piece once")
            named.add(name)

    @property
    def shares(self) -> dict[Literal["validation", "test"], float]:
        """The shares above 0, by ``validation`` and ``test``."""
        return {part: share for part, share in self._parts.items() if share and not isinstance(share, tuple)}

    @property
    def names(self) -> dict[Literal["validation", "test"], tuple[str, ...]]:
        """The names of pieces, by ``validation`` and ``test``."""
        return {part: names for part, names in self._parts.items() if isinstance(names, tuple) and names}

    @property
    def _parts(self) -> dict[Literal["validation", "test"], float | tuple[str, ...]]:
        return {"validation": self.validation, "test": self.test}

    def holds(self, part: str) -> bool:
        """Return whether there are pieces of this part: ``train``, ``validation`` or ``test``."""
        return part == "train" or bool(getattr(self, part)) or (part == "test" and self.folds > 0)

    @property
    def asked(self) -> bool:
        """True if pieces are held out."""
        return bool(self.validation or self.test or self.folds)


@dataclass(frozen=True)
class PrimerSettings:
    """Section ``[primer]`` of a study file: the music that every sample continues. Without a length: none."""

    tokens: int = option(0, ge=0, doc="Number of tokens to take from the start of the piece.")
    notes: int = option(0, ge=0, doc="Number of notes to take from the start of the piece.")
    seconds: float = option(0.0, ge=0, doc="Number of seconds to take from the start of the piece.")
    piece: str = option("", doc="Name of a piece in the corpus; empty for the first piece to train on.")
    file: str = option("", doc="MIDI file to take the primer from, instead of the corpus.")
    repeat_last: bool = option(
        False,
        doc="Feed the last token of the primer twice, as the original experiments did.",
    )

    def __post_init__(self) -> None:
        if sum(map(bool, self.take.values())) > 1:
            raise ValueError("tokens, notes and seconds cannot be combined; set only one of them")
        if self.piece and self.file:
            raise ValueError("piece and file cannot be combined; set only one of them")

    @property
    def take(self) -> dict[str, float]:
        """The length by unit; at most one of them is above 0."""
        return {"tokens": self.tokens, "notes": self.notes, "seconds": self.seconds}

    @property
    def asked(self) -> bool:
        """True if there is a primer."""
        return any(self.take.values())


@dataclass(frozen=True)
class MeasureSettings:
    """Section ``[measure]`` of a study file."""

    primer: bool = option(False, doc="Measure samples together with their primer instead of without it.")
    reference: Literal["train", "validation", "test"] = option(
        "train", doc="Pieces that samples are compared with. Some metrics always use the training pieces."
    )


@dataclass(frozen=True)
class FloorSettings:
    """Section ``[floors]`` of a study file: how precisely the floors, which need no model, are measured."""

    draws: int = option(
        5,
        ge=0,
        le=MOST_FLOORS,
        doc="Number of resampled replicates for each run, each with the same number of samples as the run.",
    )
    shuffles: int = option(8, ge=0, le=MOST_FLOORS, doc="Number of times the tokens of each piece are shuffled.")
    pieces: int = option(
        10, ge=1, doc="Maximum number of corpus pieces, evenly spread, used for the copy and round-trip floors."
    )
