"""Several instruments: their tokens and their round trip."""

from __future__ import annotations

from collections import Counter
from typing import Any

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import assume, given, settings
from support.midilike_material import BAND, FEW, performances, token_sequences

from ablate import Performance
from ablate.errors import InvalidOptions
from ablate.music.performance import DRUMS
from ablate.testing import TokenizerContract
from ablate_midilike import ablate_tokenizers
from ablate_midilike.grid import GridTokenizer
from ablate_midilike.instruments import in_turn
from ablate_midilike.options import GridOptions

SPECS = {spec.name: spec for spec in ablate_tokenizers()}
GRID, ONE, MERGE = (GridTokenizer(GridOptions(instruments=which)) for which in ("all", "one", "merge"))
NARROW = GridTokenizer(GridOptions(**FEW, instruments="all"))
EACH = pytest.mark.parametrize("tokenizer", [GRID, NARROW], ids=["midilike", "narrow"])


class TestAll(TokenizerContract):
    spec = SPECS["midilike"]
    options = ({"instruments": "all"}, {"instruments": "merge"})
    within = 0.005
    pitches = (21, 108)


def words(tokenizer: Any, performance: Performance) -> list[str]:
    return [tokenizer.vocabulary[token] for token in tokenizer.encode(performance)]


def play(*spoken: str) -> list[tuple[int, float, float, int]]:
    """Pitch, start, end and instrument of the notes that tokens, given as words, are decoded as."""
    notes = GRID.decode(np.array([GRID.vocabulary.index(word) for word in spoken], np.int64)).notes
    return [(int(p), round(s, 6), round(e, 6), i) for p, _, s, e, i in notes.tolist()]


def on_grid(notes: np.ndarray, step: float, bins: int) -> Counter[tuple[int, ...]]:
    start, end = (np.rint(notes[field] / step).astype(int) for field in ("start", "end"))
    rows = np.stack([notes["instrument"], notes["pitch"], notes["velocity"].astype(int) * bins // 128, start, end])
    return Counter(map(tuple, rows.T.tolist()))


def test_a_band_has_these_tokens() -> None:
    """The instrument in force goes on first, then come the others by number; a voice ends before it starts again."""
    band = Performance.from_notes(
        [
            *((60, 64, 0.0, 0.5, 0), (64, 64, 0.0, 0.5, 0), (36, 90, 0.0, 0.001, DRUMS), (40, 80, 0.0, 0.5, 33)),
            *((40, 80, 0.5, 1.0, 33), (60, 64, 0.5, 1.0, 0), (38, 90, 0.5, 1.0, DRUMS), (60, 64, 0.75, 1.0, 33)),
        ]
    )
    assert words(GRID, band) == [
        *("velocity 66", "note_on 60", "velocity 66", "note_on 64"),
        *("instrument 33", "velocity 82", "note_on 40"),
        *("instrument 128", "velocity 90", "note_on 36", "note_off 36"),
        *("time_shift 0.5 s", "velocity 90", "note_on 38"),
        *("instrument 0", "note_off 60", "note_off 64", "velocity 66", "note_on 60"),
        *("instrument 33", "note_off 40", "velocity 82", "note_on 40"),
        *("time_shift 0.25 s", "velocity 66", "note_on 60"),
        *("time_shift 0.25 s", "note_off 40", "note_off 60"),
        *("instrument 0", "note_off 60", "instrument 128", "note_off 38"),
    ]


def test_instruments_have_the_last_words_and_the_others_keep_their_ids() -> None:
    assert GRID.vocabulary[: len(ONE.vocabulary)] == ONE.vocabulary == MERGE.vocabulary
    assert GRID.vocabulary[len(ONE.vocabulary) :] == tuple(f"instrument {number}" for number in range(129))
    assert [(each.instruments, each.merges) for each in (GRID, ONE, MERGE)] == [
        (True, False),
        (False,) * 2,
        (False, True),
    ]


@given(performances())
@settings(max_examples=50)
def test_a_piece_for_the_piano_has_the_same_tokens_with_any_option(performance: Performance) -> None:
    one = ONE.encode(performance).tolist()
    assert one == GRID.encode(performance).tolist() == MERGE.encode(performance).tolist()


@EACH
@given(performance=performances(instruments=BAND))
@settings(max_examples=40)
def test_starts_and_ends_of_each_instrument_are_within_half_a_step(tokenizer: Any, performance: Performance) -> None:
    options = tokenizer._options
    decoded = tokenizer.decode(tokenizer.encode(performance)).notes
    notes = performance.notes
    notes = notes[(notes["pitch"] >= options.low) & (notes["pitch"] <= options.high)]
    for field in ("start", "end"):
        before, after = (n[np.lexsort([n[field], n["pitch"], n["instrument"]])] for n in (notes, decoded))
        for same in ("pitch", "instrument"):
            np.testing.assert_array_equal(before[same], after[same])
        np.testing.assert_allclose(after[field], before[field], rtol=1e-12, atol=options.step / 2 * (1 + 1e-9))
    again = tokenizer.encode(Performance(decoded))  # nested notes have exchanged their ends, and do not do so again
    np.testing.assert_array_equal(tokenizer.encode(tokenizer.decode(again)), again)


@EACH
@given(performance=performances(pitches=range(59, 64), instruments=BAND), random=st.randoms(use_true_random=False))
@settings(max_examples=40)
def test_without_nested_notes_nothing_but_the_grid_is_lost_and_no_order_of_notes_counts(
    tokenizer: Any, performance: Performance, random: Any
) -> None:
    options = tokenizer._options
    notes = performance.notes[
        (performance.notes["pitch"] >= options.low) & (performance.notes["pitch"] <= options.high)
    ]
    expected = on_grid(notes, options.step, options.velocity_bins)
    assume(not any(a[:2] == b[:2] and a[3] < b[3] and b[4] < a[4] for a in expected for b in expected))
    tokens = tokenizer.encode(performance)
    decoded = tokenizer.decode(tokens)
    assert on_grid(decoded.notes, options.step, options.velocity_bins) == expected
    np.testing.assert_array_equal(tokenizer.encode(decoded), tokens)
    order = list(range(len(performance)))
    random.shuffle(order)
    np.testing.assert_array_equal(tokenizer.encode(performance.replace(notes=performance.notes[order])), tokens)


def turns_one_by_one(step: list[int], instrument: list[int]) -> list[int]:
    """The order of turns again, event by event."""
    order: list[int] = []
    in_force = 0
    for each in sorted(set(step)):
        events = [at for at, its in enumerate(step) if its == each]
        order += sorted(events, key=lambda at: (instrument[at] != in_force, instrument[at]))
        in_force = instrument[order[-1]]
    return order


@given(st.lists(st.tuples(st.integers(0, 6), st.sampled_from(BAND)), max_size=40))
def test_turns_are_those_of_the_rule_written_event_by_event(events: list[tuple[int, int]]) -> None:
    events = sorted(events, key=lambda event: event[0])
    step, instrument = [event[0] for event in events], [event[1] for event in events]
    got = in_turn(np.array(step, np.int64), np.array(instrument, np.int64))
    assert got.tolist() == turns_one_by_one(step, instrument)


@given(
    token_sequences(437)
    | st.lists(st.sampled_from([*range(36, 40), *range(124, 128), 300, 308, 341, 436])).map(np.array)
)
def test_any_ids_decode_to_notes_of_the_instrument_in_force(ids: np.ndarray) -> None:
    tokens = ids.astype(np.int64)
    decoded = GRID.decode(tokens)
    decoded.check()
    in_force, expected = 0, []
    for token in tokens.tolist():
        in_force = token - 308 if token >= 308 else in_force
        expected += [in_force] if token < 88 else []
    assert decoded.notes["instrument"].tolist() == expected
    assert decoded.seconds <= (GRID.times(tokens)[-1] if len(tokens) else 0)


def test_a_note_is_ended_and_struck_again_only_by_its_own_instrument() -> None:
    begin, other = ("note_on 60", "time_shift 0.5 s"), ("instrument 40", "note_on 60", "time_shift 0.5 s")
    assert play(*begin, *other, "note_off 60", "time_shift 0.25 s") == [(60, 0.0, 1.25, 0), (60, 0.5, 1.0, 40)]
    assert play(*begin, *other, "instrument 0", "note_off 60") == [(60, 0.0, 1.0, 0), (60, 0.5, 1.0, 40)]
    assert play(*begin, "instrument 40", "note_off 60", "time_shift 0.5 s") == [(60, 0.0, 1.0, 0)]


@given(performances(pitches=range(20, 110, 3), instruments=BAND))
@settings(max_examples=40)
def test_merged_instruments_are_those_with_pitches_as_one(performance: Performance) -> None:
    pitched = performance.notes[performance.notes["instrument"] != DRUMS].copy()
    pitched["instrument"] = 0
    assert MERGE.encode(performance).tolist() == ONE.encode(Performance(pitched)).tolist()
    assert not MERGE.decode(MERGE.encode(performance)).notes["instrument"].any()


def test_the_vocabulary_has_room_for_instruments() -> None:
    with pytest.raises(InvalidOptions, match="must be more than the 437 words"):
        SPECS["midilike-bpe"].parse({"vocabulary": 437, "instruments": "all"})
    assert SPECS["midilike-bpe"].parse({"vocabulary": 400, "instruments": "merge"})
