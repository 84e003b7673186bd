"""The objective of a study that names none, or only its metric."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from ablate.errors import StudyFileError
from ablate.study.design import Objective

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from ablate.study.file.study_file import StudySpec

ALONE = "measures only training pieces in this study; hold out pieces ([split] test = 0.1, say), or name a metric"


@pytest.fixture
def with_likelihood(tiny: Path) -> Path:
    tiny.write_text(tiny.read_text() + '\n[metric."likelihood.nll"]\n', encoding="utf-8")
    return tiny


def chosen(spec: StudySpec) -> tuple[str, str]:
    assert spec.objectives == (spec.objective,)
    return spec.objective.metric, spec.objective.feature


def test_it_is_the_last_metric(load: Callable[..., StudySpec]) -> None:
    assert chosen(load()) == ("distance.velocity", "")


@pytest.mark.usefixtures("with_likelihood")
@pytest.mark.parametrize(
    ("split", "expected"),
    [
        ({}, ("distance.velocity", "")),
        ({"split.test": 0.2}, ("likelihood.nll", "test_per_note")),
        ({"split.validation": 0.2}, ("likelihood.nll", "validation_per_note")),
        ({"split.validation": 0.2, "split.test": 0.2}, ("likelihood.nll", "test_per_note")),
        ({"split.folds": 3}, ("likelihood.nll", "test_per_note")),
    ],
)
def test_it_is_never_the_likelihood_of_training_pieces(
    load: Callable[..., StudySpec], split: dict[str, Any], expected: tuple[str, str]
) -> None:
    assert chosen(load(split)) == expected


def test_it_is_set_in_parts(load: Callable[..., StudySpec]) -> None:
    spec = load({"objective.metric": "distance.pitch", "objective.feature": "l1", "objective.direction": "higher"})
    assert spec.objective == Objective("distance.pitch", "l1", "higher")
    with pytest.raises(StudyFileError, match=r"objective\.featur: unknown key; did you mean 'feature'"):
        load({"objective.featur": "l1"})


def test_a_metric_without_a_feature_has_its_main_one(load: Callable[..., StudySpec], with_likelihood: Path) -> None:
    text = with_likelihood.read_text()
    with_likelihood.write_text(f'{text}[metric."distance.duration"]\n[objective]\nmetric = "likelihood.nll"\n')
    assert chosen(load({"split.test": 0.2})) == ("likelihood.nll", "test_per_note")
    with pytest.raises(StudyFileError) as error:
        load()
    assert f"objective: 'likelihood.nll' {ALONE}" in str(error.value)
    with_likelihood.write_text(f'{text}\n[objective]\nmetric = "likelihood.nll"\nfeature = "train"\n')
    assert chosen(load()) == ("likelihood.nll", "train"), "whoever wants it says so"


def test_a_study_with_nothing_else_must_say_so(load: Callable[..., StudySpec], with_likelihood: Path) -> None:
    text = with_likelihood.read_text()
    for name in ("pitch", "velocity"):
        text = text.replace(f'[metric."distance.{name}"]\n', "")
    with_likelihood.write_text(text, encoding="utf-8")
    with pytest.raises(StudyFileError) as error:
        load()
    assert f"objective: 'likelihood.nll' {ALONE}" in str(error.value)
    assert chosen(load({"split.test": 0.2})) == ("likelihood.nll", "test_per_note")


@pytest.mark.usefixtures("with_likelihood")
def test_objectives_of_a_search_have_main_features_too(load: Callable[..., StudySpec], tiny: Path) -> None:
    text = tiny.read_text().replace("replicates = 2", 'replicates = 2\ndesign = "search"')
    text += '[search]\nn_variants = 2\nobjectives = [{metric = "likelihood.nll"}, {metric = "distance.pitch"}]\n'
    tiny.write_text(text, encoding="utf-8")
    spec = load({"split.test": 0.2})
    assert [(each.metric, each.feature) for each in spec.objectives] == [
        ("likelihood.nll", "test_per_note"),
        ("distance.pitch", ""),
    ]


@pytest.mark.usefixtures("with_likelihood")
@pytest.mark.parametrize("design", ["search", "path"])
def test_variants_are_chosen_by_validation_pieces_where_there_are_any(
    load: Callable[..., StudySpec], tiny: Path, design: str
) -> None:
    """Whatever chooses by the test pieces has no unseen pieces left to report."""
    text = tiny.read_text().replace("replicates = 2", f'replicates = 2\ndesign = "{design}"')
    tiny.write_text(text.replace("[axes]", "[axes]\ntraining.batch = [2, 4]"), encoding="utf-8")
    both = {"split.validation": 0.2, "split.test": 0.2}
    assert chosen(load(both)) == ("likelihood.nll", "validation_per_note")
    assert chosen(load({"split.test": 0.2})) == ("likelihood.nll", "test_per_note")
    named = text.replace("[axes]", "[axes]\ntraining.batch = [2, 4]")
    tiny.write_text(f'{named}[objective]\nmetric = "likelihood.nll"\nfeature = "test_per_note"\n', encoding="utf-8")
    assert chosen(load(both)) == ("likelihood.nll", "test_per_note"), "whoever wants it says so"
