"""Primers from files of several instruments."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings
from support.band_tokenizer import Band, BandOptions
from support.pop import pop

from ablate.errors import PrimerError
from ablate.music.instruments import counts
from ablate.music.midi import parse_midi
from ablate.registry import get_registry
from ablate.study.plan.layout import lay_out
from ablate.study.work.messages import Context
from ablate.study.work.prime import cut_primer, prime, read_primer, separated

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from support.bench import Bench

    from ablate.study.file.study_file import StudySpec


@pytest.fixture
def pop_file(tmp_path: Path) -> str:
    path = tmp_path / "pop.mid"
    path.write_bytes(pop(bars=2))
    return str(path)


def band(way: Any) -> Band:
    return Band(BandOptions(way))


def test_a_primer_has_the_instruments_that_the_corpus_chooses(pop_file: str) -> None:
    piano, two, whole = (read_primer(pop_file, choice) for choice in ("piano", ("bass", 128), "all"))
    assert counts(piano.performance.notes) == {0: 16}
    assert counts(two.performance.notes) == {33: 8, 128: 32}
    start = "pop.mid: 56 of 72 notes left out by the instruments that the corpus chooses: Drums 32, "
    assert piano.left_out.startswith(start)
    assert (len(whole.performance), whole.problems, whole.left_out) == (72, (), "")
    with pytest.raises(PrimerError, match="has no note of the instruments that the corpus chooses, but Drums"):
        read_primer(pop_file, "flute")


def test_a_tokenizer_without_instruments_refuses_a_primer_of_several(pop_file: str) -> None:
    piece = read_primer(pop_file, "all").performance
    with pytest.raises(PrimerError, match=r"5 instruments play its notes \(Drums 32, .* writes them all as one"):
        cut_primer(piece, band("one"), {"notes": 10}, 1000, print)
    assert len(band("all").decode(cut_primer(piece, band("all"), {"notes": 10}, 1000, print))) == 10
    merged = band("merge").decode(cut_primer(piece, band("merge"), {"notes": 10}, 1000, print))
    assert counts(merged.notes) == {0: 10}


@settings(max_examples=40)
@given(st.integers(1, 300), st.integers(0, 2**32 - 1), st.integers(0, 200))
def test_every_note_of_a_band_is_the_primers_or_new(length: int, seed: int, count: int) -> None:
    spec = get_registry().spec("tokenizer", "midilike")
    tokenizer = spec.build(spec.parse({"instruments": "all"}))
    primer = tokenizer.encode(parse_midi(pop(bars=2), "pop").performance)[:length]
    tokens = np.random.default_rng(seed).integers(len(tokenizer.vocabulary), size=count)
    sample, alone = separated(tokens, primer, tokenizer), tokenizer.decode(primer)
    whole = tokenizer.decode(np.concatenate([primer, tokens]))
    assert np.array_equal(sample.whole().canonical().notes, whole.canonical().notes)
    kept = ["pitch", "instrument", "velocity", "start"]  # an end may come with the new tokens
    assert sorted(sample.primer[kept].tolist()) == sorted(alone.notes[kept].tolist())


def test_the_choice_is_in_the_fingerprint_of_the_primer(load: Callable[..., StudySpec], pop_file: str) -> None:
    def of(choice: object) -> Any:
        settings = {"corpus.midi.instruments": choice, "primer.file": pop_file, "primer.notes": 3}
        layout = lay_out(load(settings, corpus=pop_file), get_registry(), "cpu")
        (stage,) = (stage for stage in layout.stages().values() if stage.kind == "prime")
        return stage

    assert "instruments" not in of("all").config, "primers of older homes are reused"
    assert of(["piano"]).config["instruments"] == "0,1,2,3,4,5,6,7"
    assert of(0).fingerprint == of("Acoustic Grand Piano").fingerprint != of("piano").fingerprint


def test_a_primer_of_a_band_is_refused_before_training(
    bench: Bench, load: Callable[..., StudySpec], pop_file: str
) -> None:
    result = bench.run(load({"primer.file": pop_file, "primer.notes": 3}))
    assert "primer 'pop': 5 instruments play its notes" in result.failures[0].error
    assert "train" not in result.ran


def test_what_a_choice_leaves_out_of_a_primer_is_a_count_and_no_problem(
    load: Callable[..., StudySpec], pop_file: str, tmp_path: Path
) -> None:
    settings = {"corpus.midi.instruments": "piano", "primer.file": pop_file, "primer.notes": 3}
    layout = lay_out(load(settings, corpus=pop_file), get_registry(), "cpu")
    (stage,) = (stage for stage in layout.stages().values() if stage.kind == "prime")
    (done,) = prime((stage,), Context(tmp_path / "home", "cpu", get_registry(), print, lambda: False))
    counted = "pop.mid: 56 of 72 notes left out by the instruments that the corpus chooses: Drums 32, "
    assert done.result["summary"].startswith(counted)
    assert list(done.result["problems"]) == []
