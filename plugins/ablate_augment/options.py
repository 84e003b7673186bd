"""Options of the augmenters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import ablate

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True)
class TransposeOptions:
    """Options of ``transpose``."""

    semitones: tuple[int, ...] = ablate.option(
        (-3, -2, -1, 0, 1, 2, 3),
        ge=-127,
        le=127,
        min_length=1,
        doc="Semitones up, one copy for each; 0 changes nothing.",
    )
    low: int = ablate.option(0, ge=0, le=127, doc="Lowest MIDI pitch of a copy; a piano's is 21.")
    high: int = ablate.option(127, ge=0, le=127, doc="Highest MIDI pitch of a copy; a piano's is 108.")
    out_of_range: Literal["drop_copy", "error"] = ablate.option(
        "drop_copy", doc="Action for a copy with a pitch outside low to high: leave it out, or stop with an error."
    )

    def __post_init__(self) -> None:
        """Check that each copy is listed once and that some pitch is allowed."""
        _refuse_repeats("semitones", self.semitones)
        if self.low > self.high:
            raise ValueError(f"low must not be above high, as {self.low} is above {self.high}")


@dataclass(frozen=True)
class VelocityOptions:
    """Options of ``velocity``."""

    mode: Literal["shift", "scale"] = ablate.option(
        "shift", doc="Whether an amount is added to each MIDI velocity or multiplies it."
    )
    amounts: tuple[float, ...] = ablate.option(
        (-10.0, 0.0, 10.0), min_length=1, doc="One copy for each; 0 of a shift and 1 of a scale change nothing."
    )

    def __post_init__(self) -> None:
        """Check that each copy is listed once and that no factor leaves only silence."""
        _refuse_repeats("amounts", self.amounts)
        if self.mode == "scale" and min(self.amounts) <= 0:
            raise ValueError(f'with mode = "scale", amounts must be greater than 0, not {min(self.amounts):g}')


@dataclass(frozen=True)
class JitterOptions:
    """Options of ``time_jitter``."""

    seconds: tuple[float, ...] = ablate.option(
        (0.0, 0.01),
        ge=0,
        min_length=1,
        doc="Standard deviations of the noise on each start and end, in seconds; one copy for each; 0 changes nothing.",
    )
    min_length: float = ablate.option(0.01, ge=0, doc="Shortest note of a copy with noise, in seconds.")


def _refuse_repeats(option: str, values: Sequence[float]) -> None:
    repeated = [f"{value:g}" for value in sorted(set(values)) if values.count(value) > 1]
    if repeated:
        raise ValueError(f"{option}: {', '.join(repeated)} is listed more than once; list each value once")
