"""What a corpus report says."""

from __future__ import annotations

import dataclasses
import json
import time
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.midi_bytes import midi, off, on, scale, track
from support.strategies import performances

from ablate.errors import CorpusError
from ablate.interfaces import Tokenizer
from ablate.music.corpus.inspect import inspect_corpus, summary_of
from ablate.music.corpus.read import read_corpus, read_files
from ablate.music.performance import PEDAL_DTYPE, Performance
from ablate.registry import get_registry

if TYPE_CHECKING:
    from pathlib import Path

    from ablate.arrays import FloatArray, IntArray


class Halves(Tokenizer):
    """Writes whole half seconds, velocities in steps of 8, no pitch above 72: a tokenizer with errors to count."""

    vocabulary = tuple(map(str, range(4096)))
    start_token = 0

    def encode(self, performance: Performance) -> IntArray:
        notes = performance.notes[performance.notes["pitch"] <= 72]
        columns = [
            notes["pitch"],
            notes["velocity"] // 8,
            np.rint(2 * notes["start"]),
            np.rint(2 * notes["end"]),
        ]
        return np.stack(columns, axis=-1).astype(np.int64).ravel()

    def decode(self, tokens: IntArray) -> Performance:
        rows = [(p, max(8 * v, 1), s / 2, e / 2) for p, v, s, e in tokens.reshape(-1, 4).tolist()]
        return Performance.from_notes(rows)

    def times(self, tokens: IntArray) -> FloatArray:
        return np.repeat(tokens[2::4] / 2, 4)


class Shifted(Halves):
    """Decodes all notes at other times: ``rate`` times as far from the start, and ``later`` by some seconds."""

    def __init__(self, rate: float, later: float) -> None:
        self._rate, self._later = rate, later

    def decode(self, tokens: IntArray) -> Performance:
        notes = super().decode(tokens).notes.copy()
        for field in ("start", "end"):
            notes[field] = self._rate * notes[field] + self._later
        return Performance(notes)


class Refuses(Halves):
    def encode(self, performance: Performance) -> IntArray:
        raise CorpusError(f"too long: {len(performance)} notes")


ODD = Performance.from_notes(
    [
        (20, 1, 0.0, 1.0),
        (60, 64, 0.0, 2.0),
        (60, 64, 0.0, 2.0),
        (60, 64, 1.0, 1.5),
        (60, 64, 1.75, 3.0),
        (60, 64, 3.0, 4.0),
        (109, 127, 3.0, 3.0),
    ],
    pedals=np.array([(0.0, 64, 127, 0), (1.0, 67, 0, 0)], PEDAL_DTYPE),
    name="odd",
)


def test_numbers_of_one_performance() -> None:
    summary = summary_of(ODD)
    assert dataclasses.asdict(summary) == {
        "notes": 7,
        "instruments": {0: 7},
        "seconds": 4.0,
        "pitch_min": 20,
        "pitch_max": 109,
        "velocity_min": 1,
        "velocity_max": 127,
        "pedal_events": 2,
        "duplicate_notes": 1,
        "zero_length_notes": 1,
        "out_of_range_notes": 2,
        "overlapping_notes": 3,  # the one at 1.75 s as well, over the first two
        "never_ended_notes": 0,
        "without_length_notes": 0,
        "late_notes": 0,
        "unchosen": {},
    }


def test_silence_has_no_range() -> None:
    summary = summary_of(Performance.from_notes([]))
    assert (summary.notes, summary.seconds, summary.pitch_min, summary.velocity_max) == (0, 0.0, None, None)


@given(performances())
def test_overlaps_and_duplicates_are_those_of_the_definition(performance: Performance) -> None:
    notes = sorted(performance.notes.tolist(), key=lambda n: (n[0], n[2], n[3]))
    overlapping = sum(any(e > note[2] for p, _, _, e, _ in notes[:i] if p == note[0]) for i, note in enumerate(notes))
    assert summary_of(performance).overlapping_notes == overlapping
    assert summary_of(performance).duplicate_notes == len(notes) - len(set(notes))


def test_totals_add_up_and_ranges_widen() -> None:
    other = Performance.from_notes([(50, 30, 0.0, 2.0)], name="other")
    report = inspect_corpus([ODD, other])
    assert [file.name for file in report.files] == ["odd", "other"]
    assert (report.total.notes, report.total.seconds, report.unreadable) == (8, 6.0, 0)
    assert (report.total.pitch_min, report.total.pitch_max) == (20, 109)
    assert report.round_trip is None


def test_an_unreadable_file_is_reported_beside_the_others(tmp_path: Path) -> None:
    (tmp_path / "good.mid").write_bytes(scale())
    (tmp_path / "bad.mid").touch()
    report = inspect_corpus(read_files(tmp_path))
    bad, good = report.files
    assert (bad.summary, bad.problems) == (None, ("is empty; get a whole copy of it",))
    assert (report.unreadable, report.total.notes, good.problems) == (1, 8, ())


def test_an_empty_corpus_is_all_zero() -> None:
    report = inspect_corpus([], Halves())
    assert (report.files, report.total.notes, report.total.pitch_min, report.round_trip) == ((), 0, None, None)


def test_errors_of_a_round_trip() -> None:
    performance = Performance.from_notes(
        [(60, 65, 0.0, 1.0), (60, 71, 1.1, 2.3), (62, 64, 1.9, 3.0), (80, 64, 2.0, 3.0)]
    )
    trip = inspect_corpus([performance], Halves()).files[0].round_trip
    assert trip is not None
    assert (trip.tokens, trip.notes, trip.decoded_notes, trip.lost_notes) == (12, 4, 3, 1)
    assert trip.tokens_per_note == 3.0
    assert trip.clipped == 0.5  # pitch 80 is lost, and velocity 71 becomes 64
    assert trip.velocity_error is not None
    assert (trip.velocity_error.max, trip.velocity_error.mean) == (7, pytest.approx(8 / 3))
    assert trip.onset_error is not None
    assert (trip.onset_error.max, trip.onset_error.mean) == (pytest.approx(0.1), pytest.approx(0.2 / 3))
    assert trip.duration_error is not None
    assert trip.duration_error.max == pytest.approx(0.3)
    assert (trip.drift_seconds, trip.drift_percent) == (0.0, 0.0)
    assert trip.explained_by_drift is None


@pytest.mark.parametrize(
    ("rate", "later", "rest"), [(0.9, 0.0, 0.0), (1.05, 0.0, 0.0), (1.0, 0.5, None), (1.0, 0.0, None)]
)
def test_errors_that_grow_with_the_time_are_drift_and_a_shift_is_none(
    rate: float, later: float, rest: float | None
) -> None:
    piece = Performance.from_notes([(60, 64, 0.5 * k, 0.5 * k + 0.5) for k in range(40)])
    trip = inspect_corpus([piece], Shifted(rate, later)).round_trip
    assert trip is not None
    assert trip.explained_by_drift == (rest if rest is None else pytest.approx(rest, abs=1e-9))


def test_drift_of_several_files_is_median_and_worst() -> None:
    files = [Performance.from_notes([(60, 64, onset, onset + 1.0)]) for onset in (1.1, 2.1, 3.0)]
    trip = inspect_corpus(files, Halves()).round_trip
    assert trip is not None
    assert trip.drift_seconds == pytest.approx(-0.1)
    assert trip.drift_percent == pytest.approx(-100 * 0.1 / 2.1)
    assert trip.worst_drift_percent == pytest.approx(-100 * 0.1 / 1.1)


def test_nothing_decoded_has_no_errors() -> None:
    trip = inspect_corpus([Performance.from_notes([(80, 64, 0.0, 1.0)])], Halves()).round_trip
    assert trip is not None
    assert (trip.clipped, trip.onset_error, trip.drift_seconds) == (1.0, None, None)


def test_a_tokenizer_that_refuses_is_a_problem_of_the_file() -> None:
    report = inspect_corpus([ODD], Refuses())
    assert report.files[0].problems == ("cannot be tokenized: too long: 7 notes",)
    assert report.round_trip is None


@given(performances())
def test_every_report_is_json(performance: Performance) -> None:
    report = inspect_corpus([performance], Halves())
    text = json.dumps(dataclasses.asdict(report), allow_nan=False)
    assert json.loads(text)["total"]["notes"] == len(performance)


def test_all_of_smd_in_well_under_a_second(smd_dir: Path) -> None:
    performances = read_corpus(smd_dir).performances
    begin = time.perf_counter()
    report = inspect_corpus(performances)
    assert time.perf_counter() - begin < 1.0
    total = report.total
    assert (len(report.files), total.notes, total.pedal_events) == (50, 151_207, 391_693)
    assert (total.duplicate_notes, total.overlapping_notes, total.out_of_range_notes) == (3320, 3327, 0)


@given(st.lists(st.integers(0, 40), min_size=1, max_size=10))
def test_tokens_in_pauses_are_counted(pauses: list[int]) -> None:
    """Of a pause of n seconds, all time shifts but the last one end in it."""
    notes, clock = [], 0.0
    for pause in pauses:
        notes.append((60, 64, clock + pause, clock + pause + 1.0))
        clock += pause + 1.0
    spec = get_registry().spec("tokenizer", "midilike")
    report = inspect_corpus([Performance.from_notes(notes)], spec.build(spec.parse({})))
    assert report.round_trip is not None
    assert report.round_trip.pause_tokens == sum(max(0, pause - 1) for pause in pauses)
    told = any("are pauses" in problem for problem in report.files[0].problems)
    assert told == (report.round_trip.pause_tokens > report.round_trip.tokens / 2)


def test_what_is_left_out_is_counted_by_kind(tmp_path: Path) -> None:
    events = [(0, on(10)), (0, on(60)), (0, on(62)), (0, off(62)), (480, off(60)), (0, off(10))]
    (tmp_path / "odd.mid").write_bytes(midi(track([*events, (0, on(70))])))
    (tmp_path / "bad.mid").write_bytes(b"MThd")
    spec = get_registry().spec("tokenizer", "midilike")
    report = inspect_corpus(read_files(tmp_path), spec.build(spec.parse({})))
    facts = json.loads(json.dumps(dataclasses.asdict(report)))
    total = facts["total"]
    assert [total[f"{kind}_notes"] for kind in ("never_ended", "without_length", "late")] == [1, 1, 0]
    assert (total["notes"], total["out_of_range_notes"], facts["unreadable"]) == (2, 1, 1)
    assert facts["unwritten"] == {"total": 2, "pitches": {"10": 1}, "instruments": {}, "merged": []}
    assert [file["unwritten"] for file in facts["files"]] == [None, facts["unwritten"]]
