from __future__ import annotations

from typing import TYPE_CHECKING, Any

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given

import ablate
from ablate.errors import CorpusError, UnknownName
from ablate.settings import SplitSettings
from ablate.study.work.load import split_pieces

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from support.bench import Bench

    from ablate.study.file.study_file import StudySpec


def pieces(count: int) -> list[ablate.Performance]:
    return [ablate.Performance.from_notes([(60, 64, 0.0, 1.0)], name=f"piece {i}") for i in range(count)]


@given(st.integers(2, 30), st.floats(0.01, 0.5), st.integers(0, 5))
def test_a_share_is_held_out_whatever_the_order(count: int, share: float, seed: int) -> None:
    settings, corpus = SplitSettings(held_out=share, seed=seed), pieces(count)
    kept, out = split_pieces(corpus, settings)
    assert len(out) == max(1, round(share * count))
    assert [p.name for p in corpus if p in kept] == [p.name for p in kept]
    assert {p.name for p in kept} | {p.name for p in out} == {p.name for p in corpus}
    assert {p.name for p in split_pieces(corpus[::-1], settings)[1]} == {p.name for p in out}


def test_another_seed_holds_out_others() -> None:
    held = [{p.name for p in split_pieces(pieces(30), SplitSettings(held_out=0.3, seed=seed))[1]} for seed in (0, 1)]
    assert held[0] != held[1]


def test_pieces_can_be_named() -> None:
    kept, out = split_pieces(pieces(4), SplitSettings(pieces=("piece 2",)))
    assert [p.name for p in out] == ["piece 2"]
    assert len(kept) == 3
    with pytest.raises(UnknownName, match="did you mean 'piece 3'"):
        split_pieces(pieces(4), SplitSettings(pieces=("piece3",)))


@pytest.mark.parametrize("settings", [SplitSettings(held_out=0.5), SplitSettings(pieces=("piece 0",))])
def test_something_must_be_left_to_learn_from(settings: SplitSettings) -> None:
    with pytest.raises(CorpusError, match="no piece is left to train on"):
        split_pieces(pieces(1), settings)


def test_a_share_and_names_exclude_each_other() -> None:
    with pytest.raises(ValueError, match="held_out and pieces cannot be combined; set only one of them"):
        SplitSettings(held_out=0.5, pieces=("a",))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path, rng = tmp_path / "music", np.random.default_rng(0)
    path.mkdir()
    for number in range(4):
        notes = [(int(rng.integers(40, 90)), 64, 0.2 * i, 0.2 * i + 0.15) for i in range(60)]
        (path / f"piece{number}.mid").write_bytes(ablate.Performance.from_notes(notes).midi_bytes())
    return path


def test_held_out_pieces_are_not_learned_from_and_only_their_likelihood_is_measured(
    bench: Bench, load: Callable[..., StudySpec], folder: Path
) -> None:
    settings = {"split.held_out": 0.25, "metric": ["distance.pitch", "likelihood.nll"], "training.steps": 60}
    spec = load(settings, corpus=str(folder))
    result: Any = bench.run(spec)
    assert not result.failures
    with bench.store() as store:
        (prepared,) = store.finished("prepare")
    assert prepared.result["examples"] == 3
    assert len(prepared.result["held_out"]) == 1
    measured = {(m.variant, m.replicate, m.measurement.feature): m.measurement for m in bench.numbers(spec.name)}
    for replicate in (0, 1):
        train, held_out = (measured["tau=1.0", replicate, feature] for feature in ("train", "held_out"))
        assert train.n > 2 * held_out.n
        assert 0 < train.value < held_out.value, "random music that was not seen cannot be known"
    with bench.store() as store:
        likelihoods = [s for s in store.finished("measure") if s.config["metric"]["name"] == "likelihood.nll"]
    assert len(likelihoods) == 2, "one a training, shared by the variants that differ in temperature only"
    assert bench.counts(load({**settings, "split.seed": 1}, corpus=str(folder)), "train")[0] == 2
