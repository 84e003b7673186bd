"""Options of the samplers."""

from __future__ import annotations

from dataclasses import dataclass

import ablate


@dataclass(frozen=True)
class TemperatureOptions:
    """Options of ``temperature``."""

    tau: float = ablate.option(
        1.0, ge=0, doc="Divisor of the logits: 1 changes nothing, lower is more cautious, 0 is greedy."
    )


@dataclass(frozen=True)
class TopKOptions:
    """Options of ``top_k``."""

    k: int = ablate.option(40, ge=0, doc="Number of the likeliest tokens that are kept; 0 keeps all.")


@dataclass(frozen=True)
class TopPOptions:
    """Options of ``top_p``."""

    p: float = ablate.option(
        0.95, ge=0, le=1, doc="Total probability of the remaining tokens; 1 keeps all, 0 only the likeliest."
    )


@dataclass(frozen=True)
class MinPOptions:
    """Options of ``min_p``."""

    share: float = ablate.option(
        0.1, ge=0, le=1, doc="Smallest probability kept, as a share of the likeliest token's; 0 keeps all."
    )


@dataclass(frozen=True)
class TypicalOptions:
    """Options of ``typical``."""

    p: float = ablate.option(
        0.95, ge=0, le=1, doc="Total probability of the remaining tokens; 1 keeps all, 0 only the most typical."
    )


@dataclass(frozen=True)
class RepetitionPenaltyOptions:
    """Options of ``repetition_penalty``."""

    # a larger penalty would be a ban, and could overflow the logits
    penalty: float = ablate.option(
        1.2, ge=1, le=100, doc="Divisor of positive logits and factor of negative ones; 1 changes nothing."
    )
    window: int = ablate.option(
        0, ge=0, doc="Number of latest tokens that count, primer and start token included; 0 counts all."
    )


@dataclass(frozen=True)
class GrammarOptions:
    """Options of ``grammar``."""

    enabled: bool = ablate.option(True, doc="Whether the grammar applies; false changes nothing.")
