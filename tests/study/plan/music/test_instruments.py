"""Studies of music of several instruments are refused before anything is trained, or keep the instruments."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from support.band_tokenizer import SPEC as BAND
from support.midi_bytes import midi, off, on, program, track
from support.pop import pop

from ablate.errors import StudyFileError
from ablate.music.instruments import counts
from ablate.music.storage import read_performances
from ablate.registry import get_registry
from ablate.study.file.overrides import Overrides
from ablate.study.file.study_file import read_study
from ablate.study.generate import GenerateRequest, generate_samples
from ablate.study.plan.layout import lay_out
from ablate.study.plan.music.corpora import PlannedMusic
from ablate.study.plan.music.instruments import check_instruments
from ablate.study.plan.music.pieces import check_references

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from support.bench import Bench

    from ablate.study.file.study_file import StudySpec

ALL = {"midilike": {"instruments": "all"}}
FLUTE = 73
SEARCH = """
[axes]
tokenizer = [{ midilike = { instruments = "all" } }, "midilike-classic"]
sampler.temperature.tau = { low = 0.5, high = 2.0 }
[baseline]
tokenizer = { midilike = { instruments = "all" } }
sampler.temperature.tau = 1.0
[search]
n_variants = 4
"""


@pytest.fixture
def band(offer: Callable[[Any], None]) -> None:
    offer(BAND)


@pytest.fixture
def pop_file(tmp_path: Path) -> Path:
    path = tmp_path / "pop.mid"
    path.write_bytes(pop(bars=4))
    return path


@pytest.fixture
def flute_file(tmp_path: Path) -> Path:
    path = tmp_path / "flute.mid"
    notes = [event for i in range(60) for event in ((0, on(60 + 5 * i % 24)), (200, off(60 + 5 * i % 24)))]
    path.write_bytes(midi(track([(0, program(FLUTE)), *notes])))
    return path


def check(spec: StudySpec) -> None:
    check_instruments(lay_out(spec, get_registry(), "cpu"), PlannedMusic(get_registry()))


def test_a_band_and_a_tokenizer_without_instruments_are_refused_with_counts_and_choices(
    load: Callable[..., StudySpec], pop_file: Path, band: None
) -> None:
    with pytest.raises(StudyFileError) as caught:
        check(load(corpus=str(pop_file)))
    (problem,) = caught.value.problems
    assert problem.startswith("corpus.midi: 5 instruments play its 144 notes (Drums 64, Acoustic Grand Piano 32, ")
    assert "but tokenizer 'midilike-classic' writes them all as one; choose --set" in problem
    assert "--set corpus.midi.instruments=piano (32 notes), or " in problem
    assert "--set corpus.midi.instruments=merge (80 notes, as one piano), or " in problem
    assert problem.endswith("; the study then has a name of its own: choose it with --name")
    assert "--set tokenizer=band --set tokenizer.band.instruments=all" in problem


@pytest.mark.parametrize("choice", ["piano", "merge", "drums", "Electric Guitar (clean)", [48]])
def test_each_choice_of_one_instrument_is_accepted(
    load: Callable[..., StudySpec], pop_file: Path, choice: object
) -> None:
    check(load({"corpus.midi.instruments": choice}, corpus=str(pop_file)))


def test_a_tokenizer_that_writes_or_merges_instruments_is_accepted(
    load: Callable[..., StudySpec], pop_file: Path, band: None
) -> None:
    for way in ("all", "merge"):
        check(load({"tokenizer": {"band": {"instruments": way}}}, corpus=str(pop_file)))
    with pytest.raises(StudyFileError, match=r"'band' writes them .* instruments: --set tokenizer.band.instruments="):
        check(load({"tokenizer": {"band": {}}}, corpus=str(pop_file)))


def test_pieces_of_different_instruments_are_several(load: Callable[..., StudySpec], folder: Path) -> None:
    check(load(corpus=str(folder)))
    (folder / "oboe.mid").write_bytes(midi(track([(0, program(68)), (0, on(60)), (480, off(60))])))
    with pytest.raises(StudyFileError, match=r"2 instruments play its 241 notes \(Acoustic Grand Piano 240, Oboe 1\)"):
        check(load(corpus=str(folder)))


def test_a_corpus_that_cannot_choose_names_tokenizers_alone(load: Callable[..., StudySpec]) -> None:
    with pytest.raises(StudyFileError) as caught:
        check(load(corpus="folk-tunes"))
    (problem,) = caught.value.problems
    assert "; choose a tokenizer that writes instruments: --set tokenizer=midilike --set" in problem
    assert "or one that merges them and leaves out drums: --set tokenizer=midilike --set " in problem
    assert "--set tokenizer.midilike.instruments=merge" in problem


def test_a_search_is_refused_for_a_tokenizer_that_it_may_try_later(tiny: Path, tmp_path: Path, pop_file: Path) -> None:
    head, _ = tiny.read_text(encoding="utf-8").replace("midilike-classic", "midilike").split("[axes]")
    path = tmp_path / "search.toml"
    path.write_text(f'design = "search"\n{head}{SEARCH}', encoding="utf-8")
    with pytest.raises(StudyFileError, match="tokenizer 'midilike-classic' writes them all as one"):
        check(read_study(str(path), Overrides(corpus=str(pop_file))))


def test_a_corpus_that_cannot_be_loaded_is_left_to_its_stage(load: Callable[..., StudySpec], pop_file: Path) -> None:
    spec = load({"metric": {"setdistance.pitch_count": {}}, "generation.samples": 2}, corpus=str(pop_file))
    layout, music = lay_out(spec, get_registry(), "cpu"), PlannedMusic(get_registry())
    pop_file.rename(pop_file.with_suffix(".away"))
    check_instruments(layout, music)
    check_references(layout, music)
    pop_file.with_suffix(".away").rename(pop_file)
    with pytest.raises(StudyFileError, match="needs 2 pieces or more to compare with, but there are 1"):
        check_references(layout, music)


def test_a_run_stops_after_loading_and_again_with_the_corpus_loaded_before(
    bench: Bench, load: Callable[..., StudySpec], pop_file: Path
) -> None:
    for _ in range(2):
        with pytest.raises(StudyFileError, match="5 instruments play"):
            bench.run(load(corpus=str(pop_file)))
    with bench.store() as store:
        assert len(store.finished("load")) == 1
        assert not store.finished("prepare")
        assert not store.finished("train")


def test_generated_music_of_a_band_has_its_instruments(
    bench: Bench, load: Callable[..., StudySpec], pop_file: Path
) -> None:
    settings = {"tokenizer": ALL, "sampler.grammar": {}}
    assert not bench.run(load(settings, corpus=str(pop_file), replicates=1)).failures
    (first, *_) = samples(bench)
    assert not set(counts(first)) <= {0}, "an untrained model draws instruments at random"


def samples(bench: Bench) -> list[Any]:
    with bench.store() as store:
        records = store.finished("generate")
    return [p.notes for record in records for p in read_performances(bench.home / record.artifact / "performances.npz")]


def test_a_corpus_of_one_flute_gives_music_for_the_flute(
    bench: Bench, load: Callable[..., StudySpec], flute_file: Path
) -> None:
    spec = load({"tokenizer.midilike-classic": {}, "primer.notes": 3}, corpus=str(flute_file), replicates=1)
    assert not bench.run(spec).failures
    assert {number for notes in samples(bench) for number in counts(notes)} == {FLUTE}
    with bench.store() as store:
        loads = store.finished("load")
        for stage in loads:  # a bundle may leave out the corpus
            (bench.home / stage.artifact / "performances.npz").unlink()
        request = GenerateRequest(spec.name, "tau=1.0")
        (sample, *_) = generate_samples(store, bench.home, request, get_registry(), device="cpu")
    assert counts(sample.notes).keys() == counts(sample.primer).keys() == {FLUTE}
