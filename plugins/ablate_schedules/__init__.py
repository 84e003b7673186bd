"""Schedules: the learning rate of every step of a training."""

from __future__ import annotations

from typing import TYPE_CHECKING

import ablate
from ablate_schedules.options import (
    InverseSqrtOptions,
    OneCycleOptions,
    StepOptions,
    WarmupOptions,
)
from ablate_schedules.sources import GOYAL_2017, LOSHCHILOV_2017, SMITH_2019, VASWANI_2017

if TYPE_CHECKING:
    from collections.abc import Iterable


def _constant(_: object) -> ablate.Schedule:
    from ablate_schedules.schedules import Constant

    return Constant()


def _step(options: StepOptions) -> ablate.Schedule:
    from ablate_schedules.schedules import Step

    return Step(options)


def _warmup_cosine(options: WarmupOptions) -> ablate.Schedule:
    from ablate_schedules.schedules import WarmupCosine

    return WarmupCosine(options)


def _warmup_linear(options: WarmupOptions) -> ablate.Schedule:
    from ablate_schedules.schedules import WarmupLinear

    return WarmupLinear(options)


def _one_cycle(options: OneCycleOptions) -> ablate.Schedule:
    from ablate_schedules.schedules import OneCycle

    return OneCycle(options)


def _inverse_sqrt(options: InverseSqrtOptions) -> ablate.Schedule:
    from ablate_schedules.schedules import InverseSqrt

    return InverseSqrt(options)


@ablate.hookimpl
def ablate_schedules() -> Iterable[ablate.ScheduleSpec]:
    """Offer the schedules."""
    yield ablate.ScheduleSpec(
        name="constant", summary="The same learning rate at every step.", build=_constant, default=True
    )
    yield ablate.ScheduleSpec(
        name="step",
        summary="Multiplies the learning rate by a factor at regular steps.",
        options=StepOptions,
        build=_step,
    )
    yield ablate.ScheduleSpec(
        name="warmup_cosine",
        summary="Rises in a line to the learning rate, then falls in half a cosine.",
        options=WarmupOptions,
        build=_warmup_cosine,
        cite=(LOSHCHILOV_2017, GOYAL_2017),
    )
    yield ablate.ScheduleSpec(
        name="warmup_linear",
        summary="Rises in a line to the learning rate, then falls in a line.",
        options=WarmupOptions,
        build=_warmup_linear,
        cite=(GOYAL_2017,),
    )
    yield ablate.ScheduleSpec(
        name="one_cycle",
        summary="Rises to the learning rate and falls far below its start, both in half a cosine.",
        options=OneCycleOptions,
        build=_one_cycle,
        cite=(SMITH_2019,),
    )
    yield ablate.ScheduleSpec(
        name="inverse_sqrt",
        summary="Rises in a line to the learning rate, then falls with the square root of the step.",
        options=InverseSqrtOptions,
        build=_inverse_sqrt,
        cite=(VASWANI_2017,),
    )
