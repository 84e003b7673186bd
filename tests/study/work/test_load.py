from __future__ import annotations

from typing import TYPE_CHECKING, Any

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given

import ablate
from ablate.errors import CorpusError, UnknownName
from ablate.settings import SplitSettings
from ablate.study.work.artifacts import read_examples
from ablate.study.work.load import split_pieces

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from support.bench import Bench

    from ablate.study.file.study_file import StudySpec


def pieces(count: int) -> list[ablate.Performance]:
    return [ablate.Performance.from_notes([(60, 64, 0.0, 1.0)], name=f"piece {i}") for i in range(count)]


def names(performances: list[ablate.Performance]) -> list[str]:
    return [performance.name for performance in performances]


shares = st.floats(0.0, 0.35)


@given(st.integers(4, 30), shares, shares, st.integers(0, 5))
def test_every_piece_has_one_use_whatever_the_order(count: int, validation: float, test: float, seed: int) -> None:
    settings, corpus = SplitSettings(validation=validation, test=test, seed=seed), pieces(count)
    split = split_pieces(corpus, settings)
    assert sorted(names([p for part in split for p in part])) == sorted(names(corpus))
    for part, share in ((split.validation, validation), (split.test, test)):
        assert len(part) == (max(1, round(share * count)) if share else 0)
    for part, turned in zip(split, split_pieces(corpus[::-1], settings), strict=True):
        assert names(part) == names(turned)[::-1]
        assert [p for p in corpus if p in part] == part, "in the order of the corpus"


@given(st.integers(4, 30), st.floats(0.01, 0.35), st.floats(0.01, 0.35), st.integers(0, 5))
def test_a_new_piece_moves_at_most_one_other_across_a_border(
    count: int, validation: float, test: float, seed: int
) -> None:
    settings = SplitSettings(validation=validation, test=test, seed=seed)
    before, after = split_pieces(pieces(count), settings), split_pieces(pieces(count + 1), settings)
    for part in ("validation", "test"):
        old, new = set(names(getattr(before, part))), set(names(getattr(after, part)))
        assert len(old - new) <= 1
        assert len(new - old) <= 1


def test_one_share_does_not_change_the_other_part() -> None:
    both = split_pieces(pieces(30), SplitSettings(validation=0.2, test=0.3))
    assert names(both.test) == names(split_pieces(pieces(30), SplitSettings(test=0.3)).test)
    assert names(both.validation) == names(split_pieces(pieces(30), SplitSettings(validation=0.2)).validation)


def test_another_seed_holds_out_others() -> None:
    tests = [names(split_pieces(pieces(30), SplitSettings(test=0.3, seed=seed)).test) for seed in (0, 1)]
    assert tests[0] != tests[1]


def test_pieces_can_be_named_beside_a_share() -> None:
    split = split_pieces(pieces(4), SplitSettings(validation=0.25, test=("piece 2",)))
    assert names(split.test) == ["piece 2"]
    assert len(split.validation) == 1
    assert len(split.train) == 2
    with pytest.raises(UnknownName, match="did you mean 'piece 3'") as raised:
        split_pieces(pieces(4), SplitSettings(test=("piece3",)))
    assert "split.test" in str(raised.value)


def test_pieces_with_one_name_are_counted_and_cannot_be_named() -> None:
    corpus = [piece.replace(name="midi_score") for piece in pieces(24)]
    assert [len(part) for part in split_pieces(corpus, SplitSettings(validation=0.1, test=0.1))] == [20, 2, 2]
    with pytest.raises(CorpusError, match=r"split\.test: 24 pieces of the corpus are named 'midi_score'"):
        split_pieces(corpus, SplitSettings(test=("midi_score",)))


@pytest.mark.parametrize(
    "settings",
    [SplitSettings(validation=0.5), SplitSettings(test=("piece 0", "piece 1")), SplitSettings(0.4, ("piece 0",))],
)
def test_something_must_be_left_to_learn_from(settings: SplitSettings) -> None:
    with pytest.raises(CorpusError, match="no piece is left to train on"):
        split_pieces(pieces(1 if settings.validation == 0.5 else 2), settings)


@pytest.mark.parametrize(
    ("validation", "test", "said"),
    [
        (0.5, 0.5, "leave nothing to train on"),
        (("a",), ("b", "a"), "name the piece 'a' twice"),
        ((), ("a", "a"), "name the piece 'a' twice"),
    ],
)
def test_settings_that_contradict_each_other(validation: Any, test: Any, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        SplitSettings(validation=validation, test=test)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path, rng = tmp_path / "music", np.random.default_rng(0)
    path.mkdir()
    for number in range(4):
        notes = [(int(rng.integers(40, 90)), 64, 0.2 * i, 0.2 * i + 0.15) for i in range(60)]
        (path / f"piece{number}.mid").write_bytes(ablate.Performance.from_notes(notes).midi_bytes())
    return path


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
    assert len(prepared.result["test"]) == 1
    measured = {(m.variant, m.replicate, m.measurement.feature): m.measurement for m in bench.numbers(spec.name)}
    for replicate in (0, 1):
        train, held_out = (measured["tau=1.0", replicate, feature] for feature in ("train", "held_out"))
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
        assert stage.result["validation"] == ["piece2"]
        assert stage.result["validation_tokens"] == validation.counts.sum()
        assert len(examples.counts) > 2, "of two pieces, with copies"
