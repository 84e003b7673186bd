"""The corpus ``bach-prelude``."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import time

import numpy as np
import pytest

from ablate.errors import InvalidOptions
from ablate.music.corpus.inspect import summary_of
from ablate.music.midi import parse_midi
from ablate.testing import CorpusContract
from ablate_bach import ablate_corpora
from ablate_bach.options import PreludeOptions
from ablate_bach.render import render
from ablate_bach.score import score

(SPEC,) = ablate_corpora()


class TestContract(CorpusContract):
    spec = SPEC
    options = ({}, {"seed": 1, "tempo": 100}, {"rubato": 0, "timing_noise": 0, "velocity_noise": 0})


def test_the_score_has_its_notes() -> None:
    notes = score()
    assert len(notes) == 549
    assert (min(n.pitch for n in notes), max(n.pitch for n in notes)) == (36, 81)
    # Bars 1, 22 and 34 as pitches, and the last bar as a whole note.
    assert [n.pitch for n in notes[:8]] == [60, 64, 67, 72, 76, 67, 72, 76]
    assert [n.pitch for n in notes[21 * 16 : 21 * 16 + 5]] == [42, 48, 57, 60, 63]
    assert [n.pitch for n in notes[33 * 16 : 34 * 16]] == [
        36, 47, 67, 71, 74, 77, 74, 71, 74, 71, 67, 71, 62, 65, 64, 62,
    ]  # fmt: skip
    assert [(n.pitch, n.onset, n.length) for n in notes[-5:]] == [(p, 544, 16) for p in (36, 48, 64, 67, 72)]


def test_every_sixteenth_of_the_34_moving_bars_has_one_onset() -> None:
    assert [n.onset for n in score()[:-5]] == list(range(544))


def test_held_notes_last_to_the_end_of_their_group() -> None:
    lengths = [n.length for n in score()]
    assert lengths[:8] == [8, 7, 1, 1, 1, 1, 1, 1]
    assert lengths[32 * 16 : 32 * 16 + 3] == [16, 15, 1]


def test_the_performance_is_sound_and_two_minutes_long() -> None:
    (performance,) = SPEC.build(SPEC.parse({})).load()
    performance.check()
    summary = summary_of(performance)
    assert (summary.notes, summary.pitch_min, summary.pitch_max) == (549, 36, 81)
    assert 110 < summary.seconds < 140
    assert summary.velocity_min is not None
    assert summary.velocity_max is not None
    assert 40 <= summary.velocity_min < 50
    assert 70 < summary.velocity_max <= 85
    assert (summary.pedal_events, summary.overlapping_notes, summary.zero_length_notes) == (70, 0, 0)


def test_it_is_the_same_to_the_last_bit_everywhere() -> None:
    performance = render(PreludeOptions())
    # column by column, so that the digest does not depend on how the columns are arranged
    columns = [performance.notes[name] for name in ("pitch", "velocity", "start", "end")]
    columns += [performance.pedals[name] for name in ("time", "controller", "value")]
    data = b"".join(column.tobytes() for column in columns)
    assert hashlib.sha256(data).hexdigest() == "aa69d4f9f4df23e9fdfeb5ca2a845099ad95d2faf57398b3344d5c3d4ef867a5"


def test_it_survives_a_midi_file() -> None:
    performance = render(PreludeOptions())
    again = parse_midi(performance.midi_bytes(), "prelude.mid").performance
    assert sorted(again.notes[["pitch", "velocity"]].tolist()) == sorted(
        performance.notes[["pitch", "velocity"]].tolist()
    )
    assert again.seconds == pytest.approx(performance.seconds, abs=0.001)
    assert len(again.pedals) == len(performance.pedals)


def test_without_noise_and_rubato_it_is_in_strict_time() -> None:
    notes = render(PreludeOptions(tempo=60, rubato=0, timing_noise=0, velocity_noise=0)).notes
    np.testing.assert_array_equal(notes["start"][:-5], np.arange(544) / 4)


def test_phrase_ends_slow_down() -> None:
    onsets = render(PreludeOptions(timing_noise=0)).notes["start"]
    steps = np.diff(onsets[:545])
    assert (np.diff(steps[48:64]) > 0).all()  # bar 4, the end of the first phrase
    assert steps[543] > 1.2 * steps[500]  # before the closing chord


@pytest.mark.parametrize("tempo", [30.0, 160.0])
@pytest.mark.parametrize("noise", [0.0, 0.03])
@pytest.mark.parametrize("rubato", [0.0, 3.0])
def test_no_pitch_overlaps_itself_at_any_bounds(tempo: float, noise: float, rubato: float) -> None:
    for seed in range(5):
        performance = render(PreludeOptions(seed, tempo, rubato, noise, velocity_noise=10))
        summary = summary_of(performance)
        performance.check()
        assert (summary.overlapping_notes, summary.zero_length_notes) == (0, 0)
        moving = performance.notes[:-5]["start"]
        assert (np.diff(moving) > 0).all()


def test_the_noise_is_as_large_as_asked() -> None:
    even = render(PreludeOptions(timing_noise=0, velocity_noise=0)).notes
    uneven = render(PreludeOptions(timing_noise=0.01, velocity_noise=3)).notes
    late, louder = (uneven["start"] - even["start"])[8:-5], (uneven["velocity"] - even["velocity"])[:-5]
    assert late.std() == pytest.approx(0.01, rel=0.1)
    assert louder.std() == pytest.approx(3, rel=0.1)
    assert abs(late.mean()) < 0.001


def test_another_seed_plays_it_otherwise() -> None:
    assert not np.array_equal(render(PreludeOptions(seed=1)).notes, render(PreludeOptions(seed=2)).notes)
    first, second = (SPEC.build(SPEC.parse({"seed": seed})) for seed in (1, 2))
    assert first.identity() != second.identity()


@pytest.mark.parametrize("wrong", [{"tempo": 0}, {"timing_noise": 0.5}, {"seed": -1}, {"key": "D"}])
def test_options_are_checked(wrong: dict[str, object]) -> None:
    with pytest.raises(InvalidOptions):
        SPEC.parse(wrong)


def test_it_loads_in_an_instant() -> None:
    corpus = SPEC.build(PreludeOptions())
    corpus.load()
    seconds = []
    for _ in range(5):
        begin = time.perf_counter()
        corpus.load()
        seconds.append(time.perf_counter() - begin)
    assert min(seconds) < 0.02


def test_offering_it_imports_nothing_heavy() -> None:
    code = "import ablate_bach, sys; list(ablate_bach.ablate_corpora()); assert 'numpy' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
