"""Stages of a study whose replicates have splits of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from ablate.registry import get_registry
from ablate.study.plan.estimate import _kind
from ablate.study.plan.layout import lay_out

if TYPE_CHECKING:
    from collections.abc import Callable

    from ablate.study.file.study_file import StudySpec

EARLY = ("load", "prepare", "prime", "floor distance.pitch")


def stages_of(spec: StudySpec, name: str) -> list[list[str]]:
    """Return the fingerprints of a stage, by replicate and variant."""
    runs = lay_out(spec, get_registry(), "cpu").runs
    replicates = range(spec.replicates)
    return [[run.stages.stages[name].fingerprint for run in runs if run.replicate == r] for r in replicates]


def distinct(spec: StudySpec) -> dict[str, int]:
    """Return the number of different stages by name; all variants of a replicate must have the same one."""
    counts = {}
    for name in EARLY:
        fingerprints = stages_of(spec, name)
        assert all(len(set(own)) == 1 for own in fingerprints), "all variants of a replicate share the stage"
        counts[name] = len({own[0] for own in fingerprints})
    return counts


@pytest.mark.parametrize(
    ("split", "expected"),
    [
        ({"split.test": 0.2}, {"load": 1, "prepare": 1, "prime": 1, "floor distance.pitch": 1}),
        (
            {"split.test": 0.2, "split.per_replicate": True},
            {"load": 1, "prepare": 6, "prime": 6, "floor distance.pitch": 6},
        ),
        ({"split.folds": 3}, {"load": 1, "prepare": 3, "prime": 3, "floor distance.pitch": 3}),
        (
            {"split.folds": 3, "split.per_replicate": True},
            {"load": 1, "prepare": 6, "prime": 6, "floor distance.pitch": 6},
        ),
        (
            {"split.folds": 3, "primer.piece": "etude"},
            {"load": 1, "prepare": 3, "prime": 1, "floor distance.pitch": 3},
        ),
    ],
)
def test_stages_that_depend_on_the_split_are_those_of_the_replicate(
    load: Callable[..., StudySpec], split: dict[str, Any], expected: dict[str, int]
) -> None:
    assert distinct(load({"primer.tokens": 4, **split}, replicates=6)) == expected


def test_a_study_without_a_split_has_no_split_in_its_stages(load: Callable[..., StudySpec]) -> None:
    run = lay_out(load(), get_registry(), "cpu").runs[0]
    assert not any("split" in stage.config for stage in run.stages.stages.values())


def test_the_splits_of_replicates_follow_from_the_seed_of_the_study(load: Callable[..., StudySpec]) -> None:
    settings = {"split.test": 0.2, "split.per_replicate": True}
    one, again, other = (stages_of(load(settings, seed=seed), "prepare") for seed in (1, 1, 2))
    assert one == again
    assert {own[0] for own in one}.isdisjoint(own[0] for own in other)


def test_an_estimate_times_the_trainings_of_all_splits_once(load: Callable[..., StudySpec]) -> None:
    runs = lay_out(load({"split.folds": 3}, replicates=6), get_registry(), "cpu").runs
    assert len({_kind(run.stages.stages["train"]) for run in runs}) == 1
    other = lay_out(load({"split.test": 0.3}), get_registry(), "cpu").runs[0]
    assert _kind(other.stages.stages["train"]) != _kind(runs[0].stages.stages["train"])
