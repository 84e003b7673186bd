"""The schedules, computed ahead by torch's own schedulers."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from torch.optim import lr_scheduler

import ablate

if TYPE_CHECKING:
    import torch

    from ablate_schedules.options import InverseSqrtOptions, OneCycleOptions, StepOptions, WarmupOptions


class Constant(ablate.Schedule):
    """The learning rate itself."""

    def rates(self, learning_rate: float, steps: int) -> ablate.FloatArray:
        """Return ``learning_rate`` for every step."""
        return ablate.scheduler_rates(
            lambda optimizer: lr_scheduler.ConstantLR(optimizer, factor=1.0), learning_rate, steps
        )


class Step(ablate.Schedule):
    """The learning rate times ``decay ** (step // decay_every)``, steps counted from 0."""

    def __init__(self, options: StepOptions) -> None:
        self._options = options

    def rates(self, learning_rate: float, steps: int) -> ablate.FloatArray:
        """Return the rate of every step."""
        options = self._options

        # torch's StepLR multiplies again and again, which rounds otherwise
        def factor(step: int) -> float:
            return options.decay ** (step // options.decay_every)

        return ablate.scheduler_rates(lambda optimizer: lr_scheduler.LambdaLR(optimizer, factor), learning_rate, steps)


class WarmupCosine(ablate.Schedule):
    """A linear warm-up (Goyal et al., 2017), then half a cosine (Loshchilov and Hutter, 2017)."""

    def __init__(self, options: WarmupOptions) -> None:
        self._options = options

    def rates(self, learning_rate: float, steps: int) -> ablate.FloatArray:
        """Return the rate of every step; the highest is ``learning_rate``, of the first step after the warm-up."""
        warmup = warmup_steps(self._options.warmup, steps)
        lowest = self._options.end * learning_rate

        def build(optimizer: torch.optim.Optimizer) -> lr_scheduler.LRScheduler:
            fall = lr_scheduler.CosineAnnealingLR(optimizer, steps - warmup, lowest)
            return after_warmup(optimizer, fall, warmup)

        return ablate.scheduler_rates(build, learning_rate, steps)


class WarmupLinear(ablate.Schedule):
    """A linear warm-up (Goyal et al., 2017), then a line."""

    def __init__(self, options: WarmupOptions) -> None:
        self._options = options

    def rates(self, learning_rate: float, steps: int) -> ablate.FloatArray:
        """Return the rate of every step; the highest is ``learning_rate``, of the first step after the warm-up."""
        warmup = warmup_steps(self._options.warmup, steps)

        def build(optimizer: torch.optim.Optimizer) -> lr_scheduler.LRScheduler:
            fall = lr_scheduler.LinearLR(optimizer, 1.0, self._options.end, steps - warmup)
            return after_warmup(optimizer, fall, warmup)

        return ablate.scheduler_rates(build, learning_rate, steps)


class OneCycle(ablate.Schedule):
    """One rise and one fall, each half a cosine (Smith and Topin, 2019). Momentum does not change."""

    def __init__(self, options: OneCycleOptions) -> None:
        self._options = options

    def rates(self, learning_rate: float, steps: int) -> ablate.FloatArray:
        """Return the rate of every step; the highest is near ``learning_rate``."""
        options = self._options

        def build(optimizer: torch.optim.Optimizer) -> lr_scheduler.LRScheduler:
            return lr_scheduler.OneCycleLR(
                optimizer,
                learning_rate,
                total_steps=steps,
                pct_start=options.warmup,
                cycle_momentum=False,
                div_factor=1 / options.start,
                final_div_factor=options.start / options.end,
            )

        return ablate.scheduler_rates(build, learning_rate, steps)


class InverseSqrt(ablate.Schedule):
    """A linear warm-up, then the inverse square root of the step (Vaswani et al., 2017).

    The highest rate is ``learning_rate``, where the original's follows from the width of the model.
    """

    def __init__(self, options: InverseSqrtOptions) -> None:
        self._options = options

    def rates(self, learning_rate: float, steps: int) -> ablate.FloatArray:
        """Return the rate of every step; the highest is that of the last step of the warm-up."""
        warmup = max(1, warmup_steps(self._options.warmup, steps))

        def factor(step: int) -> float:
            return min((step + 1) / warmup, math.sqrt(warmup / (step + 1)))

        return ablate.scheduler_rates(lambda optimizer: lr_scheduler.LambdaLR(optimizer, factor), learning_rate, steps)


def warmup_steps(share: float, steps: int) -> int:
    """Return the number of steps of a warm-up; at least one step follows it."""
    return min(round(share * steps), steps - 1)


def after_warmup(
    optimizer: torch.optim.Optimizer, schedule: lr_scheduler.LRScheduler, warmup: int
) -> lr_scheduler.LRScheduler:
    """Return a scheduler that rises in equal steps for ``warmup`` steps, then follows ``schedule``."""
    if not warmup:
        return schedule
    rise = lr_scheduler.LinearLR(optimizer, 1 / (warmup + 1), 1.0, warmup)
    return lr_scheduler.SequentialLR(optimizer, [rise, schedule], [warmup])
