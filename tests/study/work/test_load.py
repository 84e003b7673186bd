from __future__ import annotations

from typing import TYPE_CHECKING, Any

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given

import ablate
from ablate.music.corpus.read import read_corpus
from ablate.settings import SplitSettings
from ablate.study.split import Rule
from ablate.study.work.artifacts import read_examples
from ablate.study.work.load import distinct, split_pieces

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from support.bench import Bench

    from ablate.study.file.study_file import StudySpec


@given(st.integers(4, 30), st.floats(0.0, 0.35), st.floats(0.0, 0.35), st.integers(0, 5))
def test_every_piece_has_one_use_in_the_order_of_the_corpus(
    count: int, validation: float, test: float, seed: int
) -> None:
    corpus = [ablate.Performance.from_notes([(60, 64, 0.0, 1.0)], name=f"piece {i}") for i in range(count)]
    split = split_pieces(corpus, Rule(SplitSettings(validation, test, seed=seed)))
    assert sorted(piece.name for part in split for piece in part) == sorted(piece.name for piece in corpus)
    for part in split:
        assert [piece for piece in corpus if piece in part] == part


def test_test_pieces_are_not_learned_from_and_only_their_likelihood_is_measured(
    bench: Bench, load: Callable[..., StudySpec], folder: Path
) -> None:
    settings = {"split.test": 0.25, "metric": ["distance.pitch", "likelihood.nll"], "training.steps": 60}
    spec = load(settings, corpus=str(folder))
    result: Any = bench.run(spec)
    assert not result.failures
    with bench.store() as store:
        (prepared,) = store.finished("prepare")
    assert prepared.result["examples"] == 3
    assert [len(pieces) for pieces in prepared.result["split"].values()] == [3, 0, 1]
    measured = {(m.variant, m.replicate, m.measurement.feature): m.measurement for m in bench.numbers(spec.name)}
    for replicate in (0, 1):
        train, held_out = (measured["tau=1.0", replicate, feature] for feature in ("train", "test"))
        assert train.n > 2 * held_out.n
        assert 0 < train.value < held_out.value, "random music that was not seen cannot be known"
    with bench.store() as store:
        likelihoods = [s for s in store.finished("measure") if s.config["metric"]["name"] == "likelihood.nll"]
    assert len(likelihoods) == 2, "one a training, shared by the variants that differ in temperature only"
    assert bench.counts(load({**settings, "split.seed": 1}, corpus=str(folder)), "train")[0] == 2


def test_validation_pieces_are_prepared_unchanged_beside_the_augmented_examples(
    bench: Bench, load: Callable[..., StudySpec], folder: Path
) -> None:
    settings = {"split.validation": ["piece2"], "split.test": 0.25, "augmenter": {"transpose": {}}}
    bench.run(load(settings, corpus=str(folder)))
    with bench.store() as store:
        stages = store.finished("prepare")
    assert stages
    for stage in stages:
        artifact = bench.home / stage.artifact
        validation, examples = (read_examples(artifact / f"{name}.npz") for name in ("validation", "examples"))
        assert len(validation.counts) == 1
        assert [name for name, *_ in stage.result["split"]["validation"]] == ["piece2"]
        assert stage.result["validation_tokens"] == validation.counts.sum()
        assert len(examples.counts) > 2, "of two pieces, with copies"


@pytest.mark.parametrize("use", ["validation", "test"])
def test_a_piece_that_is_held_out_and_cannot_be_used_is_named_before_training(
    bench: Bench, load: Callable[..., StudySpec], folder: Path, use: str
) -> None:
    settings = {f"split.{use}": ["piece1"], "tokenizer": {"midilike": {"low": 91, "high": 100}}}
    high = ablate.Performance.from_notes([(95, 64, 0.0, 1.0)] * 3).midi_bytes()
    for number in (0, 2, 3):
        (folder / f"piece{number}.mid").write_bytes(high)
    result: Any = bench.run(load(settings, corpus=str(folder)))
    assert result.refused
    assert f"{use} piece 'piece1': tokenizer 'midilike' finds nothing to learn in 'piece1'" in result.failures[0].error


@pytest.mark.parametrize("use", ["validation", "test"])
def test_a_conditioner_that_refuses_a_held_out_piece_names_it(
    bench: Bench, load: Callable[..., StudySpec], folder: Path, use: str
) -> None:
    (folder / "piece0.mid").rename(folder / "other.mid")
    names = ["piece1", "piece2", "piece3"]
    settings = {f"split.{use}": ["other"], "conditioner": {"performer": {"performers": names}}}
    result: Any = bench.run(load(settings, corpus=str(folder)))
    assert result.refused
    assert "conditioner 'performer', of the held-out piece 'other': " in result.failures[0].error


def test_equal_file_names_in_several_folders_are_several_pieces(tmp_path: Path) -> None:
    """ASAP has the score of every work in a file of the same name."""
    note = ablate.Performance.from_notes([(60, 64, 0.0, 1.0)]).midi_bytes()
    for number in range(24):
        folder = tmp_path / f"composer{number % 6}" / f"work{number}"
        folder.mkdir(parents=True)
        (folder / "midi_score.mid").write_bytes(note)
    corpus = read_corpus(tmp_path).performances
    split = split_pieces(corpus, Rule(SplitSettings(test=0.1)))
    assert [len(part) for part in split] == [22, 0, 2]
    by_composer = split_pieces(corpus, Rule(SplitSettings(test=0.15, by="top-folder")))
    assert len({piece.name.partition("/")[0] for piece in by_composer.test}) == 1
    assert len(by_composer.test) == 4


def test_the_cases_of_one_stem_in_several_folders(cases_dir: Path) -> None:
    corpus = read_corpus(cases_dir / "midi/folders/same_stems_in_subfolders").performances
    assert len({piece.name for piece in corpus}) == len(corpus) == 24
    for seed in range(8):
        assert len(split_pieces(corpus, Rule(SplitSettings(test=0.1, seed=seed))).test) == 2


def test_pieces_that_share_a_name_are_told_apart() -> None:
    names = ["a", "a", "b", "a (2)", "a", "", "", "piece 1", "e\u0301", "\xe9", "x\n"]
    pieces = [ablate.Performance.from_notes([(60 + i, 64, 0.0, 1.0)], name=name) for i, name in enumerate(names)]
    found, lines = distinct(pieces)
    assert [piece.name for piece in found] == [
        *("a", "a (3)", "b", "a (2)", "a (4)", "piece 2", "piece 3", "piece 1", "é", "é (2)", r"x\x0a")
    ]
    assert [piece.notes["pitch"][0] for piece in found] == list(range(60, 71))
    assert [line.partition(":")[0] for line in lines] == ["a", "é"]
    assert distinct(pieces[5:6])[0][0].name == ""


def test_two_pieces_with_the_same_notes_are_named(bench: Bench, load: Callable[..., StudySpec], folder: Path) -> None:
    """Under other names, and with other bytes: one of them in the training is a leak if the other is tested."""
    notes = read_corpus(folder).performances[1]
    (folder / "sub").mkdir()
    (folder / "sub" / "again.mid").write_bytes(notes.midi_bytes() + b"\0")
    assert not bench.run(load({"split.test": 0.25}, corpus=str(folder))).failures
    with bench.store() as store:
        (loaded,) = store.finished("load")
    (problem,) = [each for each in loaded.result["problems"] if "same notes" in each]
    assert problem.startswith("sub/again: holds the same notes as piece1, so a split may train on the one")


def test_the_share_of_notes_that_a_tokenizer_keeps_is_that_of_the_test_pieces(
    bench: Bench, load: Callable[..., StudySpec], folder: Path
) -> None:
    settings = {"split.test": ["piece2"], "tokenizer": {"midilike": {"high": 65}}}
    settings["augmenter"] = {"transpose": {"semitones": [0, 12]}}
    assert not bench.run(load(settings, corpus=str(folder))).failures
    with bench.store() as store:
        prepared, _ = store.finished("prepare")  # each replicate has copies of its own
    pieces = {piece.name: piece.notes["pitch"] for piece in read_corpus(folder).performances}
    assert 0.3 < prepared.result["notes_kept"] == (pieces["piece2"] <= 65).mean() < 0.8
    every, train = (np.concatenate(each) for each in (list(pieces.values()), [pieces[f"piece{i}"] for i in (0, 1, 3)]))
    copies = np.concatenate([train, train + 12])
    first, second = prepared.result["problems"]
    assert f"cannot write {(every > 65).sum()} of {len(every)} notes (" in first
    assert first.endswith(f"above its range of 21 to 65; set tokenizer.midilike.high={every.max()}")
    assert f"cannot write {(copies > 65).sum()} of {len(copies)} notes of the augmented training pieces (" in second
    assert prepared.result["unwritten"]["notes"] == (every > 65).sum()
