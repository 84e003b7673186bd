from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from support.midilike_material import performances, token_sequences

from ablate.music.midi import read_midi
from ablate.testing import TokenizerContract
from ablate_midilike import ablate_tokenizers
from ablate_midilike.classic import ClassicTokenizer
from ablate_midilike.options import ClassicOptions

if TYPE_CHECKING:
    from pathlib import Path

    from ablate import Performance

SPEC = {spec.name: spec for spec in ablate_tokenizers()}["midilike-classic"]
GOLDEN = [
    "Bach_BWV871-02_002_20090916-SMD",
    "Bach_BWV875-02_002_20090916-SMD",
    "Bach_BWV888-01_008_20110315-SMD",
    "Bartok_SZ080-02_002_20110315-SMD",
    "Chopin_Op028-01_003_20100611-SMD",
    "Chopin_Op028-11_003_20100611-SMD",
    "Ravel_JeuxDEau_008_20110315-SMD",
    "Skryabin_Op008No8_003_20090916-SMD",
]


def classic(**settings: float) -> ClassicTokenizer:
    return ClassicTokenizer(ClassicOptions(**settings))


def play(*words: str, **settings: float) -> list[tuple[Any, ...]]:
    """The notes that tokens, given as words, are decoded as; times to the millisecond."""
    tokenizer = classic(**settings)
    tokens = np.array([tokenizer.vocabulary.index(word) for word in words])
    return [(int(p), int(v), round(s, 3), round(e, 3)) for p, v, s, e, _ in tokenizer.decode(tokens).notes.tolist()]


class TestContract(TokenizerContract):
    spec = SPEC
    options = ({}, {"min_length": 0.25, "default_length": 2.0, "velocity_scale": 0.8})


@pytest.mark.parametrize("piece", GOLDEN)
def test_tokens_and_decoded_notes_are_those_of_the_public_code(piece: str, smd_dir: Path, reference_dir: Path) -> None:
    golden = np.load(reference_dir / "eventseq_golden.npz")
    tokenizer = classic(min_length=0.25)
    tokens = tokenizer.encode(read_midi(smd_dir / f"{piece}.mid", reader="pretty_midi"))
    np.testing.assert_array_equal(tokens, golden[f"{piece}.tokens"])
    decoded, expected = tokenizer.decode(tokens).notes, golden[f"{piece}.notes"]
    np.testing.assert_array_equal(decoded["pitch"], expected[:, 0])
    np.testing.assert_array_equal(decoded["velocity"], expected[:, 1])
    np.testing.assert_allclose(decoded["start"], expected[:, 2], rtol=1e-6)  # stored as float32
    np.testing.assert_allclose(decoded["end"], expected[:, 3], rtol=1e-6)


def test_the_drift_over_all_pieces_is_the_one_known_of_the_scheme(smd_dir: Path) -> None:
    drifts, tokenizer = [], classic()
    for path in sorted(smd_dir.glob("*.mid")):
        original = read_midi(path)
        decoded = tokenizer.decode(tokenizer.encode(original))
        decoded.check()
        assert len(decoded) == len(original)
        without_leading_silence = np.ptp(original.notes["start"])
        drifts.append(decoded.notes["start"].max() / without_leading_silence - 1)
    assert len(drifts) == 50
    assert np.median(drifts) == pytest.approx(-0.077, abs=0.0005)
    assert min(drifts) == pytest.approx(-0.184, abs=0.0006)


SHIFTS = [1.15**k / 65 for k in range(32)]
VELOCITIES = [21 + k * 88 / 31 for k in range(31)]


def encode_note_by_note(performance: Performance) -> list[int]:
    """The scheme again, written down event by event."""
    events = []
    for pitch, velocity, start, end, _ in sorted(performance.notes.tolist(), key=lambda note: note[2]):
        if 21 <= pitch <= 108:
            level = min(max(velocity, 21), 108)
            events.append((start, 176 + sum(value < level for value in VELOCITIES)))
            events += [(start, pitch - 21), (end, 88 + pitch - 21)]
    events.sort(key=lambda event: event[0])
    tokens = []
    for (time, token), (following, _) in zip(events, [*events[1:], events[-1]] if events else [], strict=True):
        tokens.append(token)
        done = 0.0
        while following - time - done >= SHIFTS[0]:
            largest = max(k for k in range(32) if following - time - done >= SHIFTS[k])
            tokens.append(208 + largest)
            done += SHIFTS[largest]
    return tokens


def decode_token_by_token(tokens: list[int]) -> list[list[float]]:
    """The scheme again: one open note a pitch, with minimum length 0.05 s and default length 1 s."""
    time, velocity, notes = 0.0, 64.0, []
    open_notes: dict[int, list[float]] = {}
    for token in tokens:
        if token < 88:
            notes.append([token + 21, int(velocity), time, time + 1.0])
            open_notes[token] = notes[-1]
        elif token < 176:
            if token - 88 in open_notes:
                note = open_notes.pop(token - 88)
                note[3] = max(time, note[2] + 0.05)
        elif token < 208:
            velocity = VELOCITIES[min(token - 176, 30)]
        else:
            time += SHIFTS[token - 208]
    return notes


@given(performances())
def test_encoding_equals_the_scheme_written_note_by_note(performance: Performance) -> None:
    assert classic().encode(performance).tolist() == encode_note_by_note(performance)


@given(token_sequences(240))
def test_decoding_equals_the_scheme_written_token_by_token(tokens: np.ndarray) -> None:
    decoded = classic().decode(tokens)
    decoded.check()
    expected = decode_token_by_token(tokens.tolist())
    np.testing.assert_allclose(np.array(decoded.notes.tolist()).reshape(-1, 5)[:, :4], np.reshape(expected, (-1, 4)))


def test_the_families_stand_where_the_original_has_them() -> None:
    words = classic().vocabulary
    assert len(words) == 240
    assert (words[0], words[87], words[88], words[175]) == ("note_on 21", "note_on 108", "note_off 21", "note_off 108")
    assert (words[176], words[206], words[207]) == ("velocity 21", "velocity 106", "velocity 106+")
    assert (words[208], words[239]) == ("time_shift 0.0154 s", "time_shift 1.17 s")
    assert classic().start_token == 0


def test_a_note_off_ends_the_last_open_note_only_and_is_otherwise_ignored() -> None:
    shift = "time_shift 0.506 s"
    notes = play("note_off 60", "note_on 60", shift, "note_on 60", shift, "note_off 60", "note_off 60")
    assert notes == [(60, 64, 0.0, 1.0), (60, 64, 0.506, 1.013)]


def test_decoded_notes_have_a_minimum_and_a_default_length() -> None:
    words = ("note_on 60", "time_shift 0.0154 s", "note_off 60", "note_on 62")
    assert play(*words) == [(60, 64, 0.0, 0.05), (62, 64, 0.015, 1.015)]
    longer = play(*words, min_length=0.25, default_length=0.5)
    assert longer == [(60, 64, 0.0, 0.25), (62, 64, 0.015, 0.515)]
    assert play(*words[:3], min_length=0)[0][3] == 0.015


@pytest.mark.parametrize(("scale", "loud", "soft"), [(1.0, 106, 21), (0.8, 84, 16), (0.01, 1, 1), (3.0, 127, 63)])
def test_velocities_are_scaled_truncated_and_kept_in_range(scale: float, loud: int, soft: int) -> None:
    notes = play("velocity 106+", "note_on 60", "velocity 21", "note_on 62", velocity_scale=scale)
    assert [note[1] for note in notes] == [loud, soft]
