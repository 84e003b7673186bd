"""Files that were once read wrongly, with the right values; tests beside this one make inputs like them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from ablate.errors import CorpusError
from ablate.music.midi import Reading, parse_midi

if TYPE_CHECKING:
    from pathlib import Path

    from ablate.music.midi import Reader

READERS: tuple[Reader, ...] = ("ablate", "pretty_midi")
REST = "bytes after the end-of-track event are ignored"
#: File, number of notes, time of the first note (or None), end of the last one, problems.
RIGHT = [
    ("tempo_in_2nd_track_realistic_duet", 64, None, 16.25, []),
    ("tempo_in_2nd_track_2prog_unison", 16, (0.0, 0.41667), None, []),
    ("keysig_mode255_2prog_unison", 16, (0.0, 0.20833), None, []),
    ("padding_2prog_staggered", 16, None, None, [f"track 1: 2 {REST}"]),
    ("empty_track_2prog_staggered", 16, None, None, ["track 1: no events"]),
    ("div_32767_10min_1prog_zero_len", 600, None, None, ["1 of 601 notes left out: 1 without length"]),
    ("div_32767_10min_1prog", 600, None, None, []),
    (
        "running_status_over_sysex",
        8,
        None,
        None,
        ["track 1: running status across a meta event or sysex, read as most players do"],
    ),
    ("sysex_two_packets_spec_example", 8, (0.5, 0.70833), None, []),
    ("sysex_split_F0_F7", 8, (0.0, 0.20833), None, []),
    ("escape_F7_mid_song_noteon", 8, None, 1.95833, ["track 1: channel messages in escapes (F7) are ignored"]),
    ("header_says_2_has_3", 16, None, None, ["has 3 tracks; its header gives 2, all are read"]),
    ("never_ended_20000_same_pitch", 1, None, None, ["20,000 of 20,001 notes left out: 20,000 never ended"]),
    ("never_ended_1000_same_pitch", 1, None, None, ["1,000 of 1,001 notes left out: 1,000 never ended"]),
    ("never_ended_1of3", 2, None, None, ["1 of 3 notes left out: 1 never ended"]),
    ("zero_length_then_later_note", 2, None, None, ["1 of 3 notes left out: 1 without length"]),
    ("padding_after_eot", 8, None, None, [f"track 1: 2 {REST}"]),
    ("events_after_eot", 4, None, None, ["1 of 5 notes left out: 1 after the end of its track", f"track 1: 14 {REST}"]),
    ("repeat_off_on_off_on_same_tick", 4, (0.0, 0.5), 1.0, []),
    ("off_in_other_track", 2, (0.0, 0.5), 1.0, []),
    ("tempo_zero_after_last_note", 8, None, None, ["1 tempo of 0 ignored; no note depends on it"]),
    ("empty_track_chunk", 8, None, None, ["track 1: no events"]),
    ("eot_very_late", 8, None, None, []),
]


def read(cases_dir: Path, name: str, reader: Reader = "ablate", **options: object) -> Reading:
    return parse_midi((cases_dir / f"midi/{name}.mid").read_bytes(), name, reader, **options)  # type: ignore[arg-type]


@pytest.mark.parametrize("reader", READERS)
def test_known_files(cases_dir: Path, reader: Reader) -> None:
    for name, count, first, last, problems in RIGHT:
        reading = read(cases_dir, name, reader)
        notes = reading.performance.canonical().notes
        assert len(notes) == count, name
        if first:
            np.testing.assert_allclose(notes[["start", "end"]][0].tolist(), first, atol=1e-5, err_msg=name)
        if last:
            assert notes["end"].max() == pytest.approx(last, abs=1e-5), name
        assert list(reading.problems) == problems, name


def test_known_refusals(cases_dir: Path) -> None:
    with pytest.raises(CorpusError, match="holds no notes: 8 without length"):
        read(cases_dir, "all_zero_length")
    with pytest.raises(CorpusError, match=r"has a pause of 4\.3 years after 0\.5 s"):
        read(cases_dir, "delta_max_gap_div1")
    assert len(read(cases_dir, "delta_max_gap_div1", longest_pause=1e9).performance) == 2


def test_known_pedals(cases_dir: Path) -> None:
    both = read(cases_dir, "pedal_piano_holds_flute_too", sustain="extend").performance.notes
    flute = both[both["instrument"] == 73]
    np.testing.assert_allclose(flute["end"] - flute["start"], 0.104167, atol=1e-5)
    assert len(flute) == 16
    assert set(both["end"][both["instrument"] == 0].tolist()) == {8.0}
    assert read(cases_dir, "pedal_in_separate_track", sustain="extend").performance.notes["end"].tolist() == [2.0]
    reset = read(cases_dir, "reset_all_controllers_121", sustain="extend").performance.notes
    assert dict(reset[["pitch", "end"]].tolist()) == {60: 1.0, 64: 1.25, 67: 5.0}
