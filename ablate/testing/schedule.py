"""The contract of schedules."""

# ruff: noqa: S101 - these are tests, though a plugin's author imports them

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ablate.interfaces import Schedule
from ablate.specs import ScheduleSpec
from ablate.testing.base import Contract

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class ScheduleContract(Contract):
    """A schedule gives each step of a training of any length one learning rate, and always the same.

    Attributes:
        lengths: numbers of steps to try.
    """

    record = ScheduleSpec
    lengths: Sequence[int] = (1, 2, 3, 10, 400)

    def build(self, settings: Mapping[str, Any]) -> Schedule:
        """Return the schedule."""
        schedule = self.spec.build(self.spec.parse(settings))
        kind = type(schedule).__name__
        assert isinstance(schedule, Schedule), f"build returns a {kind}, not an ablate.Schedule"
        return schedule

    def test_rates(self, settings: Mapping[str, Any]) -> None:
        """Check that there is a finite rate of at least 0 for each step, and that not all are 0."""
        for steps in self.lengths:
            rates = self.build(settings).rates(0.01, steps)
            kind = type(rates).__name__
            assert isinstance(rates, np.ndarray), f"rates returns a {kind}, not a NumPy array"
            assert rates.dtype == np.float64, f"rates are {rates.dtype}, not float64"
            assert rates.shape == (steps,), f"rates have shape {rates.shape}, not ({steps},)"
            assert bool((np.isfinite(rates) & (rates >= 0)).all()), f"a rate of {steps} steps is negative or not finite"
            assert bool((rates > 0).any()), f"all rates of {steps} steps are 0"

    def test_arguments_decide(self, settings: Mapping[str, Any]) -> None:
        """Check that the same arguments give the same rates, and another learning rate others."""
        schedule = self.build(settings)
        first, other, again = (schedule.rates(rate, 10) for rate in (0.01, 0.03, 0.01))
        assert np.array_equal(first, again), "a second call gave other rates"
        assert not np.array_equal(first, other), "the rates do not depend on learning_rate"
