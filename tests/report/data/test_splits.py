"""The pieces and the validation losses of runs."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import pytest
from support.report_study import STUDY, Builder
from support.validated_study import PIECES, Validated

from ablate.report.data.artifacts import Artifacts
from ablate.report.data.curves import validation_frame
from ablate.report.data.study import Study
from ablate.report.text.population import FOLDS, population, population_sentence, populations, split_fact

if TYPE_CHECKING:
    from pathlib import Path

SHARED = (
    "Verdicts are over training seeds, for these 2 test pieces: bach, berg. "
    "They are about new trainings, not about other pieces."
)
OTHERS = "They are about these pieces, not about other ones."


def finished(builder: Builder) -> Study:
    builder.plan()
    with builder.store:
        builder.finish()
        return Study.read(builder.store, STUDY)


def test_every_piece_of_a_run_has_a_row(tmp_path: Path) -> None:
    study = finished(Validated(tmp_path))
    frame = study.splits.frame(study.names)
    assert len(frame) == 2 * 3 * len(PIECES)
    own = frame[(frame["variant"] == "tau=0.8") & (frame["replicate"] == 1)]
    assert own.groupby("use")["piece"].agg(list).to_dict() == {
        "train": ["haydn", "liszt", "ravel", "satie"],
        "validation": ["chopin"],
        "test": ["bach", "berg"],
    }
    assert study.splits.elsewhere("tau=0.6", "train") == {"bach", "berg", "chopin"}
    assert study.splits.elsewhere("tau=0.6", "test") == {"chopin", "haydn", "liszt", "ravel", "satie"}
    assert study.splits.elsewhere("tau=0.7", "test") == set()


@pytest.mark.parametrize(
    ("options", "replicates", "sentence"),
    [
        ({}, 3, SHARED),
        ({"per_replicate": True}, 1, SHARED),
        ({"per_replicate": True}, 3, f"over training seeds and splits of these 7 pieces. {OTHERS}"),
        ({"folds": 3}, 3, f"over training seeds and 3 folds of these 7 pieces. {OTHERS} {FOLDS}"),
    ],
)
def test_the_population_is_that_of_seeds_or_of_seeds_and_pieces(
    tmp_path: Path, options: dict[str, int], replicates: int, sentence: str
) -> None:
    study = finished(Validated(tmp_path, replicates, **options))  # type: ignore[arg-type]
    assert population_sentence(study).endswith(sentence)
    assert study.splits.shared == (sentence == SHARED)


def test_the_populations_of_two_studies_are_named_where_they_differ(tmp_path: Path) -> None:
    one, other = finished(Validated(tmp_path / "one")), finished(Validated(tmp_path / "other", folds=3))
    renamed = dataclasses.replace(other, record=dataclasses.replace(other.record, name="folded"))
    assert populations([one, one]) == [SHARED]
    assert populations([one, renamed]) == [f"{STUDY}: {SHARED}", f"folded: {population_sentence(other)}"]


@pytest.mark.parametrize(
    ("spec", "corpus", "sentences"),
    [
        ({}, "bach", ("training seeds, for this music (bach).", "new trainings, not about other pieces.")),
        ({"program": {"command": ["x"]}}, "", ("the seeds that the programs were given.", "not about other data.")),
        (
            {"judged": {"source": "a.csv", "paired": True}},
            "",
            ("over further replicates like those in a.csv.", "do not state what that is."),
        ),
        (
            {"judged": {"source": "a.csv", "paired": False}},
            "",
            ("compare independent runs, and are over further runs like those in a.csv.", "do not state what that is."),
        ),
        (
            {"axes": {"corpus": {"levels": ["a", "b"], "block": True}}},
            "a, b",
            ("on average over 2 blocks (corpus).", "new trainings, not about other pieces or other blocks."),
        ),
    ],
)
def test_every_study_has_a_population(
    tmp_path: Path, spec: dict[str, Any], corpus: str, sentences: tuple[str, str]
) -> None:
    study = finished(Builder(tmp_path, ("a", "b"), 1, 1))
    record = dataclasses.replace(study.record, corpus=corpus, spec={**study.record.spec, **spec})
    variants = [
        dataclasses.replace(each, name=f"corpus={name}, {each.name}", levels={"corpus": name, **each.levels})
        for name in ("a", "b")
        for each in study.variants
    ]
    other = dataclasses.replace(study, record=record, variants=variants if "axes" in spec else study.variants)
    for said, expected in zip(population(other), sentences, strict=True):
        assert said.endswith(expected)


def test_the_numbers_of_pieces_are_a_fact(tmp_path: Path) -> None:
    assert split_fact(finished(Validated(tmp_path / "one"))) == "4 training, 1 validation, 2 test pieces"
    folds = split_fact(finished(Validated(tmp_path / "three", folds=3)))
    assert folds == "4 training, 1 validation, 2 test pieces, others in each replicate"
    assert split_fact(finished(Builder(tmp_path / "none", ("a", "b"), 1, 1))) == ""


def test_a_study_without_a_split_has_no_rows(tmp_path: Path) -> None:
    study = finished(Builder(tmp_path, ("a", "b"), 2, 1))
    assert not study.splits
    assert study.splits.frame(study.names).empty
    artifacts = Artifacts(tmp_path)
    assert validation_frame(study, artifacts).empty
    assert artifacts.missing == []


def test_validation_losses_have_a_row_for_each_run_and_evaluation(tmp_path: Path) -> None:
    study = finished(Validated(tmp_path))
    frame = validation_frame(study, Artifacts(tmp_path))
    assert frame.groupby(["variant", "replicate"], observed=True).size().tolist() == [7, 7, 5] * 2
    assert frame.loc[frame["kept"], "step"].tolist() == [300] * 6
    assert frame.loc[frame["kept"], "loss"].tolist() == pytest.approx([2.0, 2.1, 2.2] * 2)
    runs = study.run_frame
    assert runs["kept_step"].tolist() == [300.0] * 6
    assert runs["stopped_early"].tolist() == [0.0, 0.0, 1.0] * 2


def test_a_missing_file_of_validation_losses_is_listed(tmp_path: Path) -> None:
    study = finished(Validated(tmp_path))
    for file in (tmp_path / "artifacts").glob("train-*/validation.npy"):
        file.unlink()
    artifacts = Artifacts(tmp_path)
    assert validation_frame(study, artifacts).empty
    assert len(artifacts.missing) == 3
    assert artifacts.missing[0].endswith("validation.npy: not found")
