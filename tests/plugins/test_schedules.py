from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from ablate.testing import ScheduleContract
from ablate_schedules import ablate_schedules

SPECS = {spec.name: spec for spec in ablate_schedules()}


class TestConstant(ScheduleContract):
    spec = SPECS["constant"]


class TestStep(ScheduleContract):
    spec = SPECS["step"]
    options = ({}, {"decay": 0.5, "decay_every": 3})


class TestWarmupCosine(ScheduleContract):
    spec = SPECS["warmup_cosine"]
    options = ({}, {"warmup": 0.0}, {"warmup": 0.99}, {"end": 0.1}, {"end": 1.0})


class TestWarmupLinear(ScheduleContract):
    spec = SPECS["warmup_linear"]
    options = ({}, {"warmup": 0.0}, {"warmup": 0.99}, {"end": 0.1}, {"end": 1.0})


class TestOneCycle(ScheduleContract):
    spec = SPECS["one_cycle"]
    options = ({}, {"warmup": 0.01}, {"warmup": 0.99}, {"start": 1.0, "end": 1.0})


class TestInverseSqrt(ScheduleContract):
    spec = SPECS["inverse_sqrt"]
    options = ({}, {"warmup": 0.0}, {"warmup": 0.5})


def rates(name: str, steps: int, **options: Any) -> Any:
    """Rates relative to the learning rate."""
    spec = SPECS[name]
    return spec.build(spec.parse(options)).rates(0.02, steps) / 0.02


def test_constant_is_the_default() -> None:
    assert [name for name, spec in SPECS.items() if spec.default] == ["constant"]
    assert rates("constant", 20).tolist() == [1.0] * 20


def test_step_equals_its_formula_to_the_bit() -> None:
    spec = SPECS["step"]
    made = spec.build(spec.parse({"decay": 0.98, "decay_every": 7})).rates(1e-3, 200)
    assert made.tolist() == [1e-3 * 0.98 ** (step // 7) for step in range(200)]


@pytest.mark.parametrize("name", ["warmup_cosine", "warmup_linear"])
def test_a_warm_up_rises_in_equal_steps_and_its_peak_follows_it(name: str) -> None:
    made = rates(name, 40, warmup=0.1)
    assert np.allclose(made[:5], [0.2, 0.4, 0.6, 0.8, 1.0])
    assert made[4] == made.max()
    assert (np.diff(made[4:]) < 0).all()
    assert rates(name, 40, warmup=0.0)[0] == 1.0


def test_the_cosine_is_half_a_period() -> None:
    made = rates("warmup_cosine", 40, warmup=0.1, end=0.1)
    expected = [0.1 + 0.9 * (1 + math.cos(math.pi * step / 36)) / 2 for step in range(36)]
    assert np.allclose(made[4:], expected)


def test_the_line_ends_where_it_is_told() -> None:
    made = rates("warmup_linear", 40, warmup=0.1, end=0.1)
    assert np.allclose(made[4:], 1 - 0.9 * np.arange(36) / 36)


def test_one_cycle_rises_from_its_start_and_ends_at_its_end() -> None:
    made = rates("one_cycle", 101, warmup=0.3, start=0.1, end=0.001)
    assert made[0] == pytest.approx(0.1)
    assert made[-1] == pytest.approx(0.001)
    assert 29 <= int(made.argmax()) <= 30
    assert made.max() == pytest.approx(1.0, abs=0.01)
    assert (np.diff(made[:30]) > 0).all()
    assert (np.diff(made[31:]) < 0).all()


def test_inverse_sqrt_is_that_of_its_authors_up_to_its_size() -> None:
    """Vaswani et al., equation 3: min(step ** -0.5, step * warmup ** -1.5), steps counted from 1."""
    step = np.arange(1, 101)
    theirs = np.minimum(step**-0.5, step * 20**-1.5)
    assert np.allclose(rates("inverse_sqrt", 100, warmup=0.2), theirs / theirs.max())
