"""Options and settings at their default are no part of a fingerprint."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import ablate
from ablate.kinds import KINDS
from ablate.options import defaults
from ablate.registry import get_registry
from ablate.settings import FloorSettings, TrainingSettings
from ablate.study.file.configuration import SETTINGS
from ablate.study.plan.layout import lay_out

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest

    from ablate.study.file.study_file import StudySpec


@dataclass(frozen=True)
class Before:
    """The options of a metric in its first release."""

    bins: int = ablate.option(10, ge=1, doc="Number of bins.")
    name: str = ablate.option("x", doc="A name.")


@dataclass(frozen=True)
class After(Before):
    """The options of the next release, with one more."""

    weights: tuple[float, ...] = ablate.option((1.0, 2.0), doc="Weights.")


@dataclass(frozen=True)
class MoreTraining(TrainingSettings):
    """The settings of training of a next release."""

    momentum: float = ablate.option(0.5, doc="Another one.")


def metric(options: type[Any]) -> ablate.MetricSpec:
    return ablate.MetricSpec(name="tested", summary="Tested.", options=options, build=lambda options: options)


def fingerprints(spec: StudySpec) -> tuple[list[dict[str, str]], list[str]]:
    layout = lay_out(spec, get_registry(), "cpu")
    return [run.stages.fingerprints() for run in layout.runs], list(layout.fingerprints.values())


def test_an_added_option_at_its_default_changes_no_fingerprint(
    load: Callable[..., StudySpec], offer: Callable[[Any], None]
) -> None:
    chosen = {"metric": {"tested": {}, "distance.pitch": {}}}
    offer(metric(Before))
    before = fingerprints(load(chosen))
    get_registry().components.pop()
    offer(metric(After))
    assert fingerprints(load(chosen)) == before
    assert fingerprints(load({"metric": {"tested": {"bins": 10}, "distance.pitch": {}}})) == before
    assert fingerprints(load({"metric": {"tested": {"weights": [1, 2]}, "distance.pitch": {}}})) == before
    other = fingerprints(load({"metric": {"tested": {"weights": [2, 1]}, "distance.pitch": {}}}))
    changed = {name for name in before[0][0] if before[0][0][name] != other[0][0][name]}
    assert changed == {"measure tested", "floor tested", "resample tested"}


def test_an_added_setting_at_its_default_changes_no_fingerprint(
    load: Callable[..., StudySpec], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = fingerprints(load())
    monkeypatch.setitem(SETTINGS, "training", MoreTraining)
    assert fingerprints(load()) == before
    assert fingerprints(load({"training.momentum": 0.25})) != before


def test_the_whole_configuration_is_recorded(load: Callable[..., StudySpec]) -> None:
    layout = lay_out(load(), get_registry(), "cpu")
    train = layout.runs[0].stages.stages["train"]
    assert train.plain()["training"]["clip"] == 1.0
    assert train.plain()["model"]["options"]["layers"] == 1
    assert "clip" not in train.hashed()["training"]
    assert train.hashed()["model"]["options"] == {"embedding": 8, "hidden": 16}


def test_a_stage_that_measures_the_primer_too_has_a_fingerprint(load: Callable[..., StudySpec]) -> None:
    primed = {"primer.tokens": 10}
    assert fingerprints(load({**primed, "measure.primer": True})) != fingerprints(load(primed))


def test_a_default_of_a_setting_changes_with_the_code_of_its_stages() -> None:
    """A default is no part of a fingerprint: whoever changes one gives every stage that uses it a new code."""
    assert {kind: KINDS[kind].code for kind in ("prepare", "train", "generate", "measure", "floor")} == {
        "prepare": 2,
        "train": 2,
        "generate": 2,
        "measure": 1,
        "floor": 2,
    }
    assert defaults(SETTINGS["training"]) == {
        "steps": 600,
        "epochs": 0.0,
        "batch": 16,
        "accumulate": 1,
        "batch_counts": "step",
        "window": 128,
        "learning_rate": 0.003,
        "weight_decay": 0.0,
        "clip": 1.0,
        "label_smoothing": 0.0,
        "ema": 0.0,
        "validate_every": 0,
        "keep": "last",
        "patience": 0,
        "precision": "auto",
    }
    assert defaults(SETTINGS["generation"]) == {"samples": 4, "tokens": 2000}
    split = {"validation": 0.0, "test": 0.0, "by": "piece", "per_replicate": False, "folds": 0, "seed": 0}
    assert defaults(SETTINGS["split"]) == split
    assert dataclasses.asdict(FloorSettings()) == {"draws": 5, "shuffles": 8, "pieces": 10}
