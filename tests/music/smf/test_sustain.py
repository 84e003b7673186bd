"""The sustain pedal, written into the notes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from support.strategies import performances

from ablate.music.corpus.inspect import summary_of
from ablate.music.midi import read_midi
from ablate.music.performance import PEDAL_DTYPE, Performance
from ablate.music.smf.sustain import held_ends

if TYPE_CHECKING:
    from pathlib import Path

Pedal = tuple[float, int, int]


def apply_sustain(performance: Performance) -> Performance:
    """Hold the notes of a performance, all of one channel."""
    notes, pedals = performance.notes.copy(), performance.pedals[performance.pedals["controller"] == 64]
    last = max(notes["end"].max(initial=0.0), pedals["time"].max(initial=0.0))
    columns = (notes[name] for name in ("pitch", "start", "end"))
    notes["end"] = held_ends(*columns, pedals["time"], pedals["value"], last)
    return performance.replace(notes=notes)


def ends(notes: list[tuple[int, int, float, float]], pedals: list[Pedal]) -> list[float]:
    performance = Performance.from_notes(notes, pedals=np.array([(*event, 0) for event in pedals], PEDAL_DTYPE))
    extended: list[float] = apply_sustain(performance).notes["end"].tolist()
    return extended


@pytest.mark.parametrize(
    ("pedals", "expected"),
    [
        pytest.param([], 1.0, id="no pedal"),
        pytest.param([(0.5, 64, 127), (3.0, 64, 0)], 3.0, id="held to the release"),
        pytest.param([(0.5, 64, 64), (3.0, 64, 63)], 3.0, id="64 is down, 63 is up"),
        pytest.param([(0.5, 64, 63), (3.0, 64, 0)], 1.0, id="not down enough"),
        pytest.param([(1.0, 64, 127), (3.0, 64, 0)], 3.0, id="down with the release of the key"),
        pytest.param([(0.5, 64, 127), (1.0, 64, 0)], 1.0, id="up with the release of the key"),
        pytest.param([(1.5, 64, 127), (3.0, 64, 0)], 1.0, id="down too late"),
        pytest.param([(0.5, 67, 127), (3.0, 67, 0)], 1.0, id="the soft pedal holds nothing"),
        pytest.param([(0.5, 64, 127), (4.0, 67, 0)], 2.0, id="never released: to the last event"),
        pytest.param([(0.5, 64, 127), (2.0, 64, 100), (5.0, 64, 0)], 5.0, id="moved but not released"),
        pytest.param(
            [(0.5, 64, 127), (3.0, 64, 0), (3.0, 64, 127), (5.0, 64, 0)], 5.0, id="the last of a moment counts"
        ),
    ],
)
def test_a_note_under_the_pedal(pedals: list[Pedal], expected: float) -> None:
    assert ends([(60, 64, 0.0, 1.0), (72, 64, 1.9, 2.0)], pedals)[0] == expected


def test_the_same_pitch_struck_again_ends_a_held_note() -> None:
    notes = [(60, 64, 0.0, 1.0), (60, 64, 2.0, 2.5), (62, 64, 0.0, 1.0)]
    assert ends(notes, [(0.5, 64, 127), (3.0, 64, 0)]) == [2.0, 3.0, 3.0]


def slowly(performance: Performance) -> list[float]:
    """The definition, note by note."""
    notes, pedals = performance.notes, performance.pedals[performance.pedals["controller"] == 64]
    if not len(notes) or not len(pedals):
        return list(notes["end"])
    last = max(notes["end"].max(), pedals["time"].max())

    def down(moment: float) -> bool:
        until = pedals[pedals["time"] <= moment]
        return bool(len(until) and until["value"][-1] >= 64)

    result = []
    for note in notes:
        releases = [t for t in pedals["time"] if t > note["end"] and not down(t)]
        onsets = [n["start"] for n in notes if n["pitch"] == note["pitch"] and n["start"] > note["start"]]
        until = min([*releases, *onsets, last])
        result.append(max(note["end"], until) if down(note["end"]) else note["end"])
    return result


@given(performances())
def test_the_same_as_note_by_note(performance: Performance) -> None:
    assert apply_sustain(performance).notes["end"].tolist() == slowly(performance)


@given(performances())
def test_only_ends_change_and_only_forward(performance: Performance) -> None:
    extended = apply_sustain(performance)
    for column in ("pitch", "velocity", "start"):
        np.testing.assert_array_equal(extended.notes[column], performance.notes[column])
    assert (extended.notes["end"] >= performance.notes["end"]).all()
    np.testing.assert_array_equal(extended.pedals, performance.pedals)


@given(performances())
def test_twice_is_the_same_as_once(performance: Performance) -> None:
    once = apply_sustain(performance)
    np.testing.assert_array_equal(apply_sustain(once).notes, once.notes)


@given(performances(overlaps=False))
def test_no_new_overlaps(performance: Performance) -> None:
    assert summary_of(apply_sustain(performance)).overlapping_notes == 0


def test_a_real_performance_rings_longer(smd_dir: Path) -> None:
    performance = read_midi(smd_dir / "Chopin_Op028-15_006_20100611-SMD.mid")
    before, after = performance.notes, apply_sustain(performance).notes
    assert (after["end"] - after["start"]).mean() > 1.5 * (before["end"] - before["start"]).mean()
