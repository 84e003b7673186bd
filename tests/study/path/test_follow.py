"""Paths, followed through results that are made up."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import numpy as np
import pytest

from ablate.study.file.overrides import Overrides
from ablate.study.file.study_file import read_study
from ablate.study.path.follow import Progress, Results, follow, run_limits

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from ablate.study.design import Variant
    from ablate.study.file.study_file import StudySpec

AXES = """
[axes]
training.steps = [6, 5]
training.batch = [2, 3]
generation.tokens = [80, 70]
sampler.temperature.tau = [1.0, 0.8]
[baseline]
training.steps = 6
"""
TAU = "[axes]\nsampler.temperature.tau = [0.8, 1.0]\n[baseline]\nsampler.temperature.tau = 1.0\n"
#: How much lower than the baseline's the value is after each change.
GAINS = {"steps": 1.0, "batch": 3.0, "tokens": -1.0, "tau": 2.0}


@pytest.fixture
def of(tiny: Path) -> Callable[..., StudySpec]:
    text = tiny.read_text(encoding="utf-8")

    def loaded(table: str = "", replicates: int = 8) -> StudySpec:
        tiny.write_text('design = "path"\n' + text.replace(TAU, "") + AXES + table, encoding="utf-8")
        return read_study(str(tiny), Overrides(replicates=replicates))

    return loaded


class World:
    """Trains whatever a path asks for, and counts it."""

    def __init__(self, spec: StudySpec, noise: float = 0.0, seed: int = 0, failing: str = "") -> None:
        self.spec, self.noise, self.seed, self.failing = spec, noise, seed, failing
        self.values: dict[str, dict[int, float]] = {}
        self.failed: set[tuple[str, int]] = set()
        self.refused: dict[str, str] = {}

    def value(self, variant: Variant, replicate: int) -> float:
        changed = [path for path, level in variant.levels.items() if level != self.spec.baseline[path]]
        gain = sum(GAINS[path.rpartition(".")[2]] for path in changed)
        code = sum(2**index for index, axis in enumerate(self.spec.axes) if axis.path in changed)
        return 10 - gain + self.noise * float(np.random.default_rng([self.seed, replicate, code]).normal())

    @property
    def results(self) -> Results:
        return Results(self.values, self.failed, lambda variant: self.refused.get(variant.name, ""))

    def run(self, progress: Progress) -> int:
        """Run what is wanted and missing, and return its number."""
        count = 0
        for variant in progress.variants:
            held = progress.held.get(variant.name)
            for replicate in range(held.replicates if held else self.spec.replicates):
                known = self.values.setdefault(variant.name, {})
                if replicate in known or (variant.name, replicate) in self.failed:
                    continue
                count += 1
                if self.failing and self.failing in variant.name:
                    self.failed.add((variant.name, replicate))
                else:
                    known[replicate] = self.value(variant, replicate)
        return count

    def finish(self) -> Progress:
        progress = follow(self.spec, self.results)
        for _ in range(200):
            if not self.run(progress):
                return progress
            progress = follow(self.spec, self.results)
        raise AssertionError("it never ends")

    @property
    def trained(self) -> int:
        return sum(map(len, self.values.values()))


def names(progress: Progress) -> list[str]:
    return [variant.name for variant in progress.taken]


def test_it_takes_the_best_change_first_and_ends_at_the_target(of: Callable[..., StudySpec]) -> None:
    progress = World(of()).finish()
    assert names(progress) == ["base", "batch=3", "batch=3, tau=0.8", "steps=5, batch=3, tau=0.8", "target"]
    assert (progress.left, progress.looking, progress.unchosen) == (0, False, 0)
    assert len(progress.variants) == 1 + 4 + 3 + 2 + 1


def test_where_higher_is_better_is_up_to_the_sign_of_the_values(of: Callable[..., StudySpec]) -> None:
    world = World(of())
    world.value = lambda variant, replicate: -World.value(world, variant, replicate)  # type: ignore[method-assign]
    assert names(world.finish())[1] == "tokens=70"


def test_without_racing_every_configuration_has_all_replicates(of: Callable[..., StudySpec]) -> None:
    world = World(of("[path]\nracing = false\n"), noise=1.0)
    progress = world.finish()
    assert progress.held == {}
    assert world.trained == 11 * 8 == run_limits(world.spec)[1]
    assert run_limits(world.spec)[0] == 11 * 8


def test_racing_spares_what_is_clearly_worse_and_no_replicate_of_the_path(of: Callable[..., StudySpec]) -> None:
    world = World(of(), noise=0.1)
    progress = world.finish()
    assert names(progress)[1:3] == ["batch=3", "batch=3, tau=0.8"]
    assert world.trained == run_limits(world.spec)[0] == 5 * 8 + 6 * 4
    assert all(len(world.values[name]) == 8 for name in names(progress))
    dropped = [variant.name for variant in progress.variants if variant.name not in names(progress)]
    assert sorted(progress.held) == sorted(dropped)
    assert {held.replicates for held in progress.held.values()} == {4}
    assert progress.held["tokens=70"].pruned == "given up after 4 replicates: worse than 'batch=3' in them"


def test_first_replicates_is_when_the_first_change_is_dropped(of: Callable[..., StudySpec]) -> None:
    world = World(of("[path]\nfirst_replicates = 6\n"), noise=0.1)
    assert {held.replicates for held in world.finish().held.values()} == {6}
    world = World(of("[path]\nfirst_replicates = 6\n", replicates=3), noise=0.1)
    assert world.finish().held == {}, "fewer replicates than that leave no race"


@pytest.mark.parametrize("seed", range(4))
def test_stopped_anywhere_it_goes_on_with_the_same_path(of: Callable[..., StudySpec], seed: int) -> None:
    """Whatever is in the store beyond what was asked for, every decision is the same."""
    spec = of()
    whole = World(spec, noise=2.0, seed=seed)
    progress = whole.finish()
    ahead = World(spec, noise=2.0, seed=seed)
    for variant, replicate in itertools.product(progress.variants, range(8)):  # more than the path asked for
        ahead.values.setdefault(variant.name, {})[replicate] = ahead.value(variant, replicate)
    assert follow(spec, ahead.results) == progress
    cut = World(spec, noise=2.0, seed=seed)
    for name, values in list(whole.values.items())[: 4 + seed]:
        cut.values[name] = dict(list(values.items())[: 3 + seed])
    assert cut.finish() == progress
    assert cut.trained == whole.trained


def test_more_replicates_go_on_from_those_that_there_are(of: Callable[..., StudySpec]) -> None:
    world = World(of(), noise=0.1)
    first = names(world.finish())
    world.spec = of(replicates=10)
    assert names(world.finish()) == first
    assert world.trained == 5 * 10 + 6 * 4


def test_a_failed_candidate_is_never_taken_until_it_is_the_last(of: Callable[..., StudySpec]) -> None:
    world = World(of(), noise=0.1, failing="batch=3")
    progress = world.finish()
    assert names(progress)[1:3] == ["tau=0.8", "steps=5, tau=0.8"]
    assert progress.held["batch=3"].pruned == "given up after 4 replicates: none of them has a result"
    assert names(progress)[3] == "steps=5, tokens=70, tau=0.8"


def test_if_every_candidate_fails_the_path_ends_there(of: Callable[..., StudySpec]) -> None:
    world = World(of(), failing=",")  # every configuration with two changes or more
    progress = world.finish()
    assert names(progress) == ["base", "batch=3"]
    assert progress.left == 3


def test_a_refused_candidate_costs_nothing(of: Callable[..., StudySpec]) -> None:
    world = World(of(), noise=0.1)
    world.refused = {"batch=3": "it does not fit"}
    progress = world.finish()
    assert names(progress)[1] == "tau=0.8"
    assert "batch=3" not in world.values or not world.values["batch=3"]
    assert progress.held["batch=3"].pruned == "given up before training: it does not fit"


def test_a_candidate_with_a_gap_is_compared_over_the_shared_replicates(of: Callable[..., StudySpec]) -> None:
    """Where the baseline is bad in one replicate, a candidate without that replicate is not worse for it."""
    spec = of("[path]\nracing = false\n", replicates=3)
    world = World(spec)
    shifts = (0.0, 0.0, -50.0)

    def shifted(variant: Variant, replicate: int) -> float:
        return World.value(world, variant, replicate) + shifts[replicate]

    world.value = shifted  # type: ignore[method-assign]
    world.failed = {("batch=3", 2)}
    assert names(world.finish())[1] == "batch=3"


def test_at_most_so_many_configurations_are_left(of: Callable[..., StudySpec]) -> None:
    world = World(of(), noise=1.0)
    seen: dict[int, int] = {}
    progress = follow(world.spec, world.results)
    assert (progress.unchosen, progress.left) == (4 + 3 + 2, 4)
    while world.run(progress):
        seen[progress.unchosen] = len(progress.variants)
        assert progress.unchosen + len(progress.variants) == 11
        progress = follow(world.spec, world.results)
    assert list(seen) == [9, 5, 2, 0]
