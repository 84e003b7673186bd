"""The names of pieces: any text, also in MIDI files."""

from __future__ import annotations

import pytest

from ablate.music.midi import parse_midi
from ablate.music.performance import Performance


@pytest.mark.parametrize("name", ["Dvořák — Humoresque", "月光 第1楽章", "caf\udce9", "🎹" * 200, "Škoda\n\t\0", "é"])
def test_a_piece_of_any_name_is_written_as_midi(name: str) -> None:
    piece = Performance.from_notes([(60, 64, 0.0, 0.5)], name=name)
    assert len(parse_midi(piece.midi_bytes(), "piece.mid")[0]) == 1
    text = piece.to_pretty_midi().instruments[0].name
    assert text == name if max(name) <= "\xff" else text.isprintable() or "\n" in text
