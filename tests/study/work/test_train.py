"""The recipe of a training in a study: validation, epochs, accumulation, and the results and files that they leave."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from ablate.errors import StudyFileError
from ablate.registry import get_registry
from ablate.study.plan.layout import lay_out
from ablate.study.work.components import ExampleCounts, training_settings

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from support.bench import Bench

    from ablate.study.file.study_file import StudySpec

VALIDATED: dict[str, Any] = {
    "split.validation": 0.25,
    "training.steps": 400,
    "training.learning_rate": 0.05,
    "training.validate_every": 10,
    "training.keep": "best",
    "training.patience": 2,
}


def trainings(bench: Bench, name: str) -> list[Any]:
    """The finished training of each replicate."""
    with bench.store() as store:
        runs = [run for run in store.runs(name) if run.variant == "tau=1.0"]
        stages = store.stages(run.stages["train"] for run in runs)
        return [stages[run.stages["train"]] for run in runs]


def test_validations_leave_their_losses_and_the_step_that_is_kept(
    bench: Bench, load: Callable[..., StudySpec], folder: Path
) -> None:
    spec = load(VALIDATED, corpus=str(folder))
    assert not bench.run(spec).failures
    for stage in trainings(bench, spec.name):
        curve = np.load(bench.home / stage.artifact / "validation.npy")
        losses = np.load(bench.home / stage.artifact / "losses.npy")
        assert (curve.dtype, curve.shape[1]) == (np.float64, 2)
        assert curve[:, 0].tolist() == [*range(10, len(losses) + 1, 10)]
        best = int(curve[:, 1].argmin())
        result = stage.result
        assert result["steps"] == len(losses) == 10 * (best + 1 + 2) < 400
        assert (result["kept_step"], result["validation_loss"]) == (10 * (best + 1), curve[best, 1])
        assert result["stopped_early"]


def test_without_validations_there_is_no_curve(bench: Bench, load: Callable[..., StudySpec]) -> None:
    bench.run(load())
    for stage in trainings(bench, "tiny"):
        assert (stage.result["steps"], stage.result["kept_step"], stage.result["stopped_early"]) == (6, 6, False)
        assert "validation_loss" not in stage.result
        assert not (bench.home / stage.artifact / "validation.npy").exists()


def test_epochs_become_steps(bench: Bench, load: Callable[..., StudySpec], tiny: Path) -> None:
    tiny.write_text(
        tiny.read_text("utf-8").replace("steps = 6", "epochs = 2").replace("training.steps = 3", ""), "utf-8"
    )
    spec = load({"training.accumulate": 3})
    assert not bench.run(spec).failures
    with bench.store() as store:
        (prepared,) = store.finished("prepare")
    (first, second) = trainings(bench, spec.name)
    expected = round(2 * prepared.result["tokens"] / (2 * 3 * 16))
    assert first.result["steps"] == second.result["steps"] == expected > 6
    assert first.result["tokens_seen"] == expected * 2 * 3 * 16
    assert first.result["steps_per_epoch"] == pytest.approx(expected / 2, rel=0.1)
    (run, *_) = lay_out(spec, get_registry(), "cpu").runs
    assert "steps" not in run.configuration.settings["training"]


def test_epochs_of_batches_that_count_examples() -> None:
    training = {"epochs": 3.0, "batch": 2, "window": 10, "batch_counts": "example", "accumulate": 2}
    settings = training_settings({"training": training}, ExampleCounts(examples=5, tokens=4000))
    assert settings.steps == round(3 * 4000 / (2 * 5 * 2 * 10))


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        (
            {"training.keep": "best"},
            "training.keep: needs validations; set validate_every to the steps between them",
        ),
        (
            {"training.patience": 3},
            "training.patience: needs validations; set validate_every to the steps between them",
        ),
        (
            {"training.validate_every": 3},
            "training.validate_every: needs validation pieces; set split.validation to a share or to names",
        ),
        ({"training.label_smoothing": 1.0}, "training.label_smoothing: must be a number ≥ 0 and < 1, not 1.0"),
        ({"training.accumulate": 0}, "training.accumulate: must be a whole number ≥ 1, not 0"),
    ],
)
def test_settings_that_do_not_fit_say_so(load: Callable[..., StudySpec], changes: dict[str, Any], problem: str) -> None:
    with pytest.raises(StudyFileError) as caught:
        load(changes)
    assert problem in caught.value.problems


def test_steps_and_epochs_cannot_both_stand_in_a_file(load: Callable[..., StudySpec], tiny: Path) -> None:
    tiny.write_text(tiny.read_text("utf-8").replace("steps = 6", "steps = 6\nepochs = 2"), "utf-8")
    with pytest.raises(StudyFileError, match=r"training\.epochs: cannot be combined with steps, which follow from it"):
        load()


def test_of_steps_and_epochs_the_later_one_is_taken(load: Callable[..., StudySpec], tiny: Path) -> None:
    def training(settings: dict[str, Any], profile: str = "") -> dict[str, Any]:
        spec = load(settings, profile=profile)
        options = spec.configuration(spec.variants()[0], get_registry()).settings["training"]
        return {name: options[name] for name in ("steps", "epochs") if options.get(name)}

    assert training({"training.epochs": 2.0}) == {"epochs": 2.0}
    assert training({"training.epochs": 2.0, "training.steps": 5}) == {"steps": 5}
    tiny.write_text(tiny.read_text("utf-8").replace("steps = 6", "epochs = 2"), "utf-8")
    assert training({}, "smaller") == {"steps": 3}
    assert training({"training.epochs": 4.0}, "smaller") == {"epochs": 4.0}


def test_epochs_of_zero_are_no_epochs(load: Callable[..., StudySpec]) -> None:
    spec = load({"training.epochs": 0.0})
    (variant, *_) = spec.variants()
    assert spec.configuration(variant, get_registry()).settings["training"]["steps"] == 6


def test_a_budget_of_tokens_takes_no_epochs(load: Callable[..., StudySpec], tiny: Path) -> None:
    tiny.write_text(
        tiny.read_text("utf-8").replace("steps = 6", "epochs = 2").replace("training.steps = 3", ""), "utf-8"
    )
    with pytest.raises(StudyFileError) as caught:
        load({"budget": "tokens"})
    assert 'training.epochs: budget = "tokens" takes the tokens of training.steps; leave epochs out' in (
        caught.value.problems
    )


def test_a_budget_of_tokens_counts_every_batch_of_a_step(load: Callable[..., StudySpec]) -> None:
    axes = {"training.accumulate": [1, 3]}
    layout = lay_out(load({"budget": "tokens", "axes": axes, "baseline": {}}), get_registry(), "cpu")
    steps = {run.variant.name: run.configuration.settings["training"]["steps"] for run in layout.runs}
    assert steps == {"accumulate=1": 6, "accumulate=3": 2}
