"""Options of the schedules."""

from __future__ import annotations

from dataclasses import dataclass

import ablate


@dataclass(frozen=True)
class StepOptions:
    """Options of ``step``."""

    decay: float = ablate.option(0.98, gt=0, le=1, doc="Factor of the learning rate.")
    decay_every: int = ablate.option(1000, ge=1, doc="Number of steps between two decays.")


@dataclass(frozen=True)
class WarmupOptions:
    """Options of ``warmup_cosine`` and ``warmup_linear``."""

    warmup: float = ablate.option(0.05, ge=0, lt=1, doc="Share of the steps in which the rate rises from near 0.")
    end: float = ablate.option(
        0.0, ge=0, le=1, doc="Rate that would follow the last step, as a share of the learning rate."
    )


@dataclass(frozen=True)
class OneCycleOptions:
    """Options of ``one_cycle``."""

    warmup: float = ablate.option(0.3, gt=0, lt=1, doc="Share of the steps in which the rate rises.")
    start: float = ablate.option(0.04, gt=0, le=1, doc="Rate of the first step, as a share of the learning rate.")
    end: float = ablate.option(4e-6, gt=0, le=1, doc="Rate of the last step, as a share of the learning rate.")


@dataclass(frozen=True)
class InverseSqrtOptions:
    """Options of ``inverse_sqrt``."""

    warmup: float = ablate.option(0.05, ge=0, lt=1, doc="Share of the steps in which the rate rises from near 0.")
