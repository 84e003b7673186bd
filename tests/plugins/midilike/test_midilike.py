from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import assume, given
from support.midilike_material import performances, token_sequences

from ablate import Performance
from ablate.errors import InvalidOptions
from ablate.music.midi import read_midi
from ablate.testing import TokenizerContract
from ablate_midilike import ablate_tokenizers
from ablate_midilike.grid import GridTokenizer
from ablate_midilike.options import GridOptions

if TYPE_CHECKING:
    from pathlib import Path

SPEC = {spec.name: spec for spec in ablate_tokenizers()}["midilike"]
OPTIONS = st.sampled_from(
    [
        GridOptions(),
        GridOptions(step=0.0125, longest_shift=0.5, velocity_bins=127),
        GridOptions(step=0.001, longest_shift=0.001, velocity_bins=1),
        GridOptions(step=0.3, longest_shift=3.0, velocity_bins=7, low=0, high=127),
    ]
)


def grid(**settings: Any) -> GridTokenizer:
    return GridTokenizer(GridOptions(**settings))


def words(*notes: tuple[int, int, float, float], **settings: Any) -> list[str]:
    tokenizer = grid(**settings)
    return [tokenizer.vocabulary[token] for token in tokenizer.encode(Performance.from_notes(notes))]


def play(*spoken: str, **settings: Any) -> list[tuple[int, float, float]]:
    """Pitch, start and end of the notes that tokens, given as words, are decoded as."""
    tokenizer = grid(**settings)
    notes = tokenizer.decode(np.array([tokenizer.vocabulary.index(word) for word in spoken], np.int64)).notes
    return [(int(p), round(s, 6), round(e, 6)) for p, _, s, e, _ in notes.tolist()]


def on_grid(notes: np.ndarray, step: float) -> list[tuple[int, int, int, int]]:
    steps = (np.rint(notes[field] / step).astype(int).tolist() for field in ("start", "end"))
    return list(zip(notes["pitch"].tolist(), notes["velocity"].tolist(), *steps, strict=True))


class TestDefaults(TokenizerContract):
    spec = SPEC
    within = 0.005
    pitches = (21, 108)


class TestCoarse(TokenizerContract):
    spec = SPEC
    options = ({"step": 0.1, "longest_shift": 0.1, "low": 0, "high": 127, "velocity_bins": 1},)
    within = 0.05


@given(performances(), OPTIONS)
def test_starts_and_ends_of_each_pitch_are_within_half_a_step(performance: Performance, options: GridOptions) -> None:
    tokenizer = GridTokenizer(options)
    decoded = tokenizer.decode(tokenizer.encode(performance)).notes
    notes = performance.notes
    notes = notes[(notes["pitch"] >= options.low) & (notes["pitch"] <= options.high)]
    for field in ("start", "end"):
        before, after = (n[np.lexsort([n[field], n["pitch"]])] for n in (notes, decoded))
        np.testing.assert_array_equal(before["pitch"], after["pitch"])
        np.testing.assert_allclose(after[field], before[field], rtol=1e-12, atol=options.step / 2 * (1 + 1e-9))


@given(performances(pitches=range(21, 109)), OPTIONS)
def test_without_nested_notes_every_note_keeps_its_own_end_and_velocity(
    performance: Performance, options: GridOptions
) -> None:
    tokenizer = GridTokenizer(options)
    notes = on_grid(performance.notes, options.step)
    assume(not any(a[0] == b[0] and a[2] < b[2] and b[3] < a[3] for a in notes for b in notes))
    tokens = tokenizer.encode(performance)
    decoded = tokenizer.decode(tokens)
    bins = options.velocity_bins
    assert Counter((p, v * bins // 128, s, e) for p, v, s, e in notes) == Counter(
        (p, v * bins // 128, s, e) for p, v, s, e in on_grid(decoded.notes, options.step)
    )
    np.testing.assert_array_equal(tokenizer.encode(decoded), tokens)


@given(performances(), st.randoms(use_true_random=False))
def test_the_order_of_the_notes_plays_no_part(performance: Performance, random: Any) -> None:
    order = list(range(len(performance)))
    random.shuffle(order)
    shuffled = performance.replace(notes=performance.notes[order])
    np.testing.assert_array_equal(grid().encode(shuffled), grid().encode(performance))


@given(token_sequences(308), OPTIONS)
def test_any_ids_decode_to_notes_no_longer_than_the_sequence(tokens: np.ndarray, options: GridOptions) -> None:
    tokenizer = GridTokenizer(options)
    tokens = tokens % len(tokenizer.vocabulary)
    decoded = tokenizer.decode(tokens)
    decoded.check()
    assert len(decoded) == (tokens < options.high - options.low + 1).sum()
    assert decoded.seconds <= (tokenizer.times(tokens)[-1] if len(tokens) else 0)


def test_every_note_of_all_pieces_keeps_its_ends_within_half_a_step(smd_dir: Path) -> None:
    tokenizer, paths = grid(), sorted(smd_dir.glob("*.mid"))
    assert len(paths) == 50
    for path in paths:
        original = read_midi(path).notes
        decoded = tokenizer.decode(tokenizer.encode(Performance(original))).notes
        centred = (original["velocity"] // 4) * 4 + 2
        rounded = zip(original["pitch"], centred, *(np.rint(original[f] / 0.01) for f in ("start", "end")), strict=True)
        assert Counter(on_grid(decoded, 0.01)) == Counter((int(p), int(v), int(s), int(e)) for p, v, s, e in rounded)
        assert abs(decoded["start"].max() - original["start"].max()) <= 0.005 * (1 + 1e-6)


@pytest.mark.parametrize("bins", range(1, 128))
def test_velocities_are_within_half_a_bin(bins: int) -> None:
    velocities = np.arange(1, 128)
    tokenizer = grid(velocity_bins=bins)
    played = Performance.from_notes((60, v, float(v), v + 0.5) for v in velocities)
    decoded = tokenizer.decode(tokenizer.encode(played)).notes["velocity"]
    assert np.abs(decoded - velocities).max() <= (np.ceil(64 / bins) if bins < 127 else 0)
    assert len(set(decoded.tolist())) == bins


def test_events_of_one_step_end_notes_before_they_start_others_and_pauses_take_several_shifts() -> None:
    assert words((60, 64, 0.004, 0.5), (64, 127, 0.0, 0.5), (60, 1, 0.496, 2.64)) == [
        *("velocity 66", "note_on 60", "velocity 126", "note_on 64", "time_shift 0.5 s"),
        *("note_off 60", "note_off 64", "velocity 2", "note_on 60"),
        *("time_shift 1 s", "time_shift 1 s", "time_shift 0.14 s", "note_off 60"),
    ]


def test_silence_before_the_first_note_is_kept() -> None:
    assert words((60, 64, 1.25, 1.5))[:2] == ["time_shift 1 s", "time_shift 0.25 s"]


def test_a_note_shorter_than_the_grid_survives_without_length() -> None:
    spoken = words((60, 64, 0.998, 1.001), (60, 64, 0.5, 1.0))
    assert spoken[-4:] == ["note_off 60", "velocity 66", "note_on 60", "note_off 60"]
    assert play(*spoken) == [(60, 0.5, 1.0), (60, 1.0, 1.0)]


def test_crossing_notes_keep_their_ends_and_nested_ones_exchange_them() -> None:
    assert play(*words((60, 64, 0.0, 1.0), (60, 64, 0.5, 1.5))) == [(60, 0.0, 1.0), (60, 0.5, 1.5)]
    assert play(*words((60, 64, 0.0, 1.5), (60, 64, 0.5, 1.0))) == [(60, 0.0, 1.0), (60, 0.5, 1.5)]


def test_a_note_left_open_ends_when_struck_again_and_does_not_shift_the_pairing_after_it() -> None:
    pair = ("note_on 60", "time_shift 0.5 s", "note_off 60", "time_shift 0.5 s")
    assert play("note_on 60", "time_shift 0.1 s", *pair, *pair) == [
        (60, 0.0, 0.1),
        (60, 0.1, 0.6),
        (60, 1.1, 1.6),
    ]
    assert play("note_off 60", *pair, "note_off 60", *pair) == [(60, 0.0, 0.5), (60, 1.0, 1.5)]


def test_a_note_never_ended_lasts_to_the_end_but_not_longer_than_the_option_says() -> None:
    assert play("note_on 60", "time_shift 0.3 s") == [(60, 0.0, 0.3)]
    assert play("note_on 60", *["time_shift 1 s"] * 9) == [(60, 0.0, 2.0)]
    assert play("note_on 60", *["time_shift 1 s"] * 9, longest_open=0.5) == [(60, 0.0, 0.5)]


def test_the_clock_stays_on_the_grid_in_long_pieces() -> None:
    tokenizer = grid()
    tokens = np.full(100_000, tokenizer.vocabulary.index("time_shift 0.07 s"))
    assert tokenizer.times(tokens)[-1] == 700_000 * 0.01


def test_the_start_token_is_the_velocity_that_decoding_starts_from() -> None:
    tokenizer = grid(velocity_bins=16)
    note_on = tokenizer.vocabulary.index("note_on 60")
    for tokens in ([note_on], [tokenizer.start_token, note_on]):
        assert tokenizer.decode(np.array(tokens)).notes["velocity"].tolist() == [68]


@pytest.mark.parametrize(
    ("settings", "key"),
    [
        ({"step": 0.3}, "longest_shift"),
        ({"step": 0.5, "longest_shift": 0.1}, "longest_shift"),
        ({"low": 60, "high": 59}, "low"),
    ],
)
def test_options_that_do_not_fit_together_are_refused(settings: dict[str, Any], key: str) -> None:
    with pytest.raises(InvalidOptions) as refused:
        SPEC.parse(settings)
    assert [name for name, _ in refused.value.problems] == [key]
