"""The corpora ``folk-tunes`` and ``folk-piano``."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from typing import TYPE_CHECKING

import numpy as np
import pytest

from ablate.errors import InvalidOptions
from ablate.music.instruments import counts
from ablate.music.midi import parse_midi
from ablate.testing import CorpusContract
from ablate_folk import ablate_corpora
from ablate_folk.arrange import BASS, CLARINET, DRUMS, FLUTE, GUITAR, VERSES, arrangement
from ablate_folk.melodies import WRITTEN
from ablate_folk.options import FolkOptions, PianoOptions
from ablate_folk.pianist import FolkPiano
from ablate_folk.piano import MIDDLE_C, setting
from ablate_folk.render import FolkTunes, arranged
from ablate_folk.tunes import chord_at, tunes

if TYPE_CHECKING:
    from ablate.music.performance import Performance
    from ablate_folk.tunes import Tune

SPEC, PIANO = ablate_corpora()


class TestContract(CorpusContract):
    spec = SPEC
    options = ({}, {"seed": 1, "tempo": 1.5}, {"timing_noise": 0, "velocity_noise": 0})


class TestPianoContract(CorpusContract):
    spec = PIANO
    options = ({}, {"seed": 1, "tempo": 1.5}, {"timing_noise": 0, "velocity_noise": 0, "rubato": 0})


@pytest.fixture(scope="module")
def pieces() -> list[Performance]:
    return list(FolkTunes(FolkOptions()).load())


@pytest.mark.parametrize("tune", tunes(), ids=lambda tune: tune.name)
def test_every_bar_is_full_and_has_a_chord(tune: Tune) -> None:
    bars = [bar.split() for bar in WRITTEN[tune.name].melody.split("|")[:-1]]
    assert [sum(int(word.split(".")[1]) for word in bar) for bar in bars] == [tune.bar] * len(bars)
    assert tune.length == tune.bar * len(bars)
    ends = [chord.onset + chord.length for chord in tune.chords]
    assert [chord.onset for chord in tune.chords] == [0, *ends[:-1]]
    assert sum(tune.phrases) == len(bars)


@pytest.mark.parametrize("tune", tunes(), ids=lambda tune: tune.name)
def test_melodies_fit_their_chords(tune: Tune) -> None:
    """On the first beat of most bars, the melody has a tone of the chord: chords and bars are not shifted."""
    tones = {chord.onset: chord.tones for chord in tune.chords}
    strong = [note.pitch % 12 in tones[note.onset] for note in tune.melody if note.onset in tones]
    assert sum(strong) >= 0.6 * len(strong)


def test_melodies_begin_as_they_are_known() -> None:
    begins = {tune.name: [note.pitch for note in tune.melody[:7]] for tune in tunes()}
    assert begins == {
        "auld-lang-syne": [60, 65, 65, 65, 69, 67, 65],
        "scarborough-fair": [64, 64, 71, 71, 71, 66, 67],
        "greensleeves": [69, 72, 74, 76, 78, 76, 74],
        "sakura": [69, 69, 71, 69, 69, 71, 69],
        "ah-vous-dirai-je": [60, 60, 67, 67, 69, 69, 67],
        "au-clair-de-la-lune": [67, 67, 67, 69, 71, 69, 67],
        "korobeiniki": [76, 71, 72, 74, 72, 71, 69],
        "new-britain": [62, 67, 71, 67, 71, 69, 67],
        "drunken-sailor": [69, 69, 69, 69, 69, 69, 69],
        "yankee-doodle": [72, 72, 74, 76, 72, 76, 74],
        "london-bridge": [67, 69, 67, 65, 64, 65, 67],
        "when-the-saints": [60, 64, 65, 67, 60, 64, 65],
    }


def test_pieces_have_five_instruments(pieces: list[Performance]) -> None:
    assert [piece.name for piece in pieces] == [tune.name for tune in arranged()]
    assert [len(piece) for piece in pieces] == [742, 569, 559, 630]
    assert 240 < sum(piece.seconds for piece in pieces) < 255
    for piece in pieces:
        piece.check()
        assert set(counts(piece.notes)) == {FLUTE, CLARINET, GUITAR, BASS, DRUMS} == set(piece.track_names)


def test_the_melody_goes_from_the_flute_to_the_clarinet() -> None:
    for tune in arranged():
        notes = arrangement(tune)
        for verse, (instrument, octave) in enumerate(((FLUTE, 12), (CLARINET, 0))):
            part = [
                (n.pitch - octave, n.onset - verse * tune.length, n.length) for n in notes if n.instrument == instrument
            ]
            assert set(tune.melody) <= set(part)
        assert max(note.onset for note in notes) < VERSES * tune.length
        above = [n for n in notes if n.instrument == FLUTE and n.onset >= tune.length]
        below = {n.onset: n.pitch for n in notes if n.instrument == CLARINET and n.onset >= tune.length}
        assert all(note.pitch > below[note.onset] for note in above), "the second voice stays above the melody"


def test_it_is_the_same_to_the_last_bit_everywhere(pieces: list[Performance]) -> None:
    columns = [p.notes[name] for p in pieces for name in ("pitch", "velocity", "start", "end", "instrument")]
    digest = hashlib.sha256(b"".join(column.tobytes() for column in columns)).hexdigest()
    assert digest == "2ee4f0cd56c9a5c6bd038e4eecf453397bdd726055faad88bc6fff3f0245e2bb"


def test_it_survives_a_midi_file(pieces: list[Performance]) -> None:
    for piece in pieces:
        again = parse_midi(piece.midi_bytes(), f"{piece.name}.mid").performance.notes
        assert len(again) == len(piece)
        both = [np.sort(notes, order=["instrument", "pitch", "start"]) for notes in (again, piece.notes)]
        for name in ("instrument", "pitch", "velocity"):
            np.testing.assert_array_equal(both[0][name], both[1][name])
        for name in ("start", "end"):
            np.testing.assert_allclose(both[0][name], both[1][name], atol=0.0003, rtol=0)


@pytest.mark.parametrize("tempo", [0.5, 2.0])
def test_no_pitch_of_an_instrument_overlaps_itself(tempo: float) -> None:
    for piece in FolkTunes(FolkOptions(5, tempo, timing_noise=0.03, velocity_noise=10)).load():
        piece.check()
        notes = np.sort(piece.notes, order=["instrument", "pitch", "start"])
        same = (notes["instrument"][1:] == notes["instrument"][:-1]) & (notes["pitch"][1:] == notes["pitch"][:-1])
        assert (notes["start"][1:] > notes["end"][:-1])[same].all()
        assert (notes["end"] > notes["start"]).all()


def test_noise_and_tempo_are_as_asked() -> None:
    even, uneven, fast = (
        FolkTunes(FolkOptions(tempo=tempo, timing_noise=noise, velocity_noise=0)).load()[0].notes
        for tempo, noise in ((1.0, 0.0), (1.0, 0.01), (2.0, 0.0))
    )
    sixteenth = 60 / 116 / 4
    np.testing.assert_allclose(even["start"] / sixteenth, np.rint(even["start"] / sixteenth), atol=1e-3)
    assert even["start"][-1] == pytest.approx(2 * fast["start"][-1], abs=1e-3)
    order = ["instrument", "pitch", "start"]
    late = (np.sort(uneven, order=order)["start"] - np.sort(even, order=order)["start"])[uneven["instrument"] >= 0]
    drums = np.sort(even, order=order)["instrument"] == DRUMS
    assert late[~drums].std() == pytest.approx(0.01, rel=0.1)
    assert late[drums].std() == pytest.approx(0.005, rel=0.1)


def test_another_seed_plays_it_otherwise() -> None:
    first, second = (SPEC.build(SPEC.parse({"seed": seed})) for seed in (1, 2))
    assert first.identity() != second.identity()
    assert not np.array_equal(first.load()[0].notes, second.load()[0].notes)


@pytest.mark.parametrize("wrong", [{"tempo": 0}, {"timing_noise": 0.5}, {"seed": -1}, {"key": "D"}])
def test_options_are_checked(wrong: dict[str, object]) -> None:
    with pytest.raises(InvalidOptions):
        SPEC.parse(wrong)


def test_offering_it_imports_nothing_heavy() -> None:
    code = "import ablate_folk, sys; list(ablate_folk.ablate_corpora()); assert 'numpy' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.fixture(scope="module")
def piano() -> list[Performance]:
    return list(FolkPiano(PianoOptions()).load())


@pytest.mark.parametrize("tune", tunes(), ids=lambda tune: tune.name)
def test_hands_stay_apart_and_play_the_tune(tune: Tune) -> None:
    notes = setting(tune)
    melody = [note for note in notes if note.melodic]
    (raised,) = {note.pitch - written.pitch for note, written in zip(melody, 2 * tune.melody, strict=True)}
    assert raised in (0, 12)
    assert [n.onset for n in melody[len(tune.melody) :]] == [n.onset + tune.length for n in tune.melody]
    sounding = {note.onset: note.pitch for note in melody}
    for note in notes:
        assert note.pitch % 12 in chord_at(tune, note.onset % tune.length).tones or note.melodic
        assert note.onset + note.length <= 2 * tune.length
        if note.pitch >= MIDDLE_C and not note.melodic:
            assert note.pitch <= sounding[note.onset] - 3, "the second voice stays below the melody"
    roots = {n.onset: n.pitch for n in notes if n.pitch < MIDDLE_C and n.onset < tune.length}
    assert all(roots[chord.onset] % 12 == chord.tones[0] for chord in tune.chords)
    assert any(n.pitch >= MIDDLE_C and not n.melodic for n in notes)


def test_twelve_pieces_for_piano(piano: list[Performance]) -> None:
    assert [len(piece) for piece in piano] == [400, 292, 372, 351, 284, 360, 436, 277, 260, 251, 230, 320]
    assert 660 < sum(piece.seconds for piece in piano) < 670
    for piece in piano:
        piece.check()
        assert set(counts(piece.notes)) == {0}
        notes = np.sort(piece.notes, order=["pitch", "start"])
        same = notes["pitch"][1:] == notes["pitch"][:-1]
        assert (notes["start"][1:] > notes["end"][:-1])[same].all()


def test_the_pianist_is_the_same_to_the_last_bit_everywhere(piano: list[Performance]) -> None:
    columns = [p.notes[name] for p in piano for name in ("pitch", "velocity", "start", "end")]
    columns += [p.pedals[name] for p in piano for name in ("time", "value")]
    digest = hashlib.sha256(b"".join(column.tobytes() for column in columns)).hexdigest()
    assert digest == "3d354f354d17ce64e00ef70799a1414884aa4ba4cc30763bec34e3b47d60f113"


def test_the_pianist_slows_at_the_end_and_brings_the_melody_out(piano: list[Performance]) -> None:
    strict = FolkPiano(PianoOptions(rubato=0, timing_noise=0)).load()
    assert all(free.seconds > plain.seconds for free, plain in zip(piano, strict, strict=True))
    for piece in piano:
        low = piece.notes["pitch"] < MIDDLE_C
        assert piece.notes["velocity"][~low].mean() > piece.notes["velocity"][low].mean() + 8
