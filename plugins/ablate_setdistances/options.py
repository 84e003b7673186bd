"""Options of the distances between sets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import ablate


@dataclass(frozen=True)
class NoteOptions:
    """The common option of all distances between sets."""

    notes: int = ablate.option(
        0,
        ge=0,
        doc="Number of notes at the beginning of each piece and sample that are compared; 0: all. Pitch count, pitch "
        "range and note count grow with length.",
    )

    @property
    def fewest(self) -> int:
        """The smallest number of samples, and of reference pieces, that can be compared."""
        return 2


@dataclass(frozen=True)
class SetOptions(NoteOptions):
    """Common options of the distances by one feature."""

    intra: Literal["samples", "reference"] = ablate.option(
        "samples", doc="The set whose distances within are compared with those between the sets."
    )


@dataclass(frozen=True)
class TransitionOptions(SetOptions):
    """Options of ``setdistance.pitch_class_transitions``."""

    within: float = ablate.option(
        0.05, gt=0, le=10, doc="Largest time in seconds between the end of a note and the onset that follows it."
    )


@dataclass(frozen=True)
class LengthOptions(SetOptions):
    """Options of ``setdistance.note_lengths`` and ``setdistance.note_length_transitions``."""

    bar: float = ablate.option(
        2.0, gt=0, doc="Length of a whole note in seconds; 2 is that of a MIDI file without a tempo, at 120 per minute."
    )


@dataclass(frozen=True)
class FrechetOptions(NoteOptions):
    """Options of ``setdistance.frechet``."""

    covariance: Literal["full", "diagonal"] = ablate.option(
        "full",
        doc="`full` needs more pieces and more samples than features; `diagonal` compares means and spreads of each "
        "feature alone, and two of each are enough.",
    )
    draws: int = ablate.option(
        50, ge=1, doc="Pairs of sets that are drawn from the reference, to find the distance by chance."
    )

    @property
    def fewest(self) -> int:
        """Of all covariances, one more than there are features."""
        return 2 if self.covariance == "diagonal" else 13
