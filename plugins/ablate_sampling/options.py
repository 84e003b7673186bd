"""Options of the samplers."""

from __future__ import annotations

from dataclasses import dataclass

import ablate


@dataclass(frozen=True)
class TemperatureOptions:
    """Options of ``temperature``."""

    tau: float = ablate.option(
        1.0, ge=0, doc="Divides the logits: 1 changes nothing, less is more cautious, 0 is greedy."
    )


@dataclass(frozen=True)
class TopKOptions:
    """Options of ``top_k``."""

    k: int = ablate.option(40, ge=0, doc="How many of the likeliest tokens are kept; 0 keeps all.")


@dataclass(frozen=True)
class TopPOptions:
    """Options of ``top_p``."""

    p: float = ablate.option(
        0.95, ge=0, le=1, doc="Probability that the kept tokens hold together; 1 keeps all, 0 only the likeliest."
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
        0.95, ge=0, le=1, doc="Probability that the kept tokens hold together; 1 keeps all, 0 only the most typical."
    )


@dataclass(frozen=True)
class RepetitionPenaltyOptions:
    """Options of ``repetition_penalty``."""

    # more would be a ban, and could overflow the logits
    penalty: float = ablate.option(
        1.2, ge=1, le=100, doc="Divides positive logits and multiplies negative ones; 1 changes nothing."
    )
    window: int = ablate.option(
        0, ge=0, doc="How many of the latest tokens count, primer and start token among them; 0 counts all."
    )


@dataclass(frozen=True)
class GrammarOptions:
    """Options of ``grammar``."""

    enabled: bool = ablate.option(True, doc="Whether the grammar holds; false changes nothing.")
