"""The rules of both tokenizers, and that they are neither too strict nor too lax."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from support.midilike_material import performances

from ablate import Performance
from ablate.music.midi import read_midi
from ablate_midilike.classic import ClassicTokenizer
from ablate_midilike.grid import GridTokenizer
from ablate_midilike.options import ClassicOptions, GridOptions

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from ablate import Tokenizer
    from ablate.arrays import BoolArray, IntArray

GRID, CLASSIC = GridTokenizer(GridOptions()), ClassicTokenizer(ClassicOptions())
#: Few pitches and steps, so that everything meets everything.
NARROW = GridTokenizer(GridOptions(step=0.1, longest_shift=0.3, velocity_bins=1, low=60, high=62))
EACH = pytest.mark.parametrize("tokenizer", [GRID, NARROW, CLASSIC], ids=["midilike", "narrow", "midilike-classic"])


def possible_after(tokenizer: Tokenizer, *words: str) -> set[str]:
    """The words that may follow these, which stand behind the start token."""
    tokens = [tokenizer.start_token, *map(tokenizer.vocabulary.index, words)]
    follow = grammar(tokenizer)
    for token in tokens:
        possible = follow(np.array([token]))[0]
    return {word for word, may in zip(tokenizer.vocabulary, possible, strict=True) if may}


def grammar(tokenizer: Tokenizer, rows: int = 1) -> Callable[[IntArray], BoolArray]:
    follow = tokenizer.grammar(rows)
    assert follow is not None
    return follow


def words_of(tokenizer: Tokenizer, *families: str) -> set[str]:
    return {word for word in tokenizer.vocabulary if word.startswith(families)}


def note_offs(tokenizer: Tokenizer, *words: str) -> set[str]:
    return {word for word in possible_after(tokenizer, *words) if word.startswith("note_off")}


def struck(*pitches: int, velocity: str = "velocity 66") -> list[str]:
    return [word for pitch in pitches for word in (velocity, f"note_on {pitch}")]


def test_silence_may_come_first_only_where_it_is_kept() -> None:
    assert possible_after(GRID) == words_of(GRID, "velocity", "time_shift")
    assert possible_after(CLASSIC) == words_of(CLASSIC, "velocity")


@EACH
def test_a_velocity_stands_before_every_note_on_and_nowhere_else(tokenizer: Tokenizer) -> None:
    velocity = next(iter(words_of(tokenizer, "velocity")))
    assert possible_after(tokenizer, velocity) == words_of(tokenizer, "note_on")
    assert not words_of(tokenizer, "note_on") & possible_after(tokenizer, *struck(62, velocity=velocity))


@pytest.mark.parametrize(("tokenizer", "shift"), [(GRID, "time_shift 0.01 s"), (CLASSIC, "time_shift 0.0154 s")])
def test_as_many_notes_of_a_pitch_may_end_as_sound(tokenizer: Tokenizer, shift: str) -> None:
    velocity = tokenizer.vocabulary[190]
    both, ended = [*struck(60, 60, 64, velocity=velocity), shift], "note_off 60"
    assert note_offs(tokenizer, *both) == {"note_off 60", "note_off 64"}
    assert note_offs(tokenizer, *both, ended) == {"note_off 60", "note_off 64"}
    assert note_offs(tokenizer, *both, ended, ended) == {"note_off 64"}


@EACH
def test_a_note_off_of_what_does_not_sound_is_passed_over(tokenizer: Tokenizer) -> None:
    velocity = next(iter(words_of(tokenizer, "velocity")))
    fed = ["note_off 60", "note_off 60", *struck(60, velocity=velocity)]
    assert note_offs(tokenizer, *fed) == {"note_off 60"}
    assert note_offs(tokenizer, *fed, "note_off 60") == set()


def test_after_a_shift_on_the_grid_another_follows_only_if_it_was_the_longest() -> None:
    shifts = words_of(GRID, "time_shift")
    assert possible_after(GRID, "time_shift 1 s") & shifts == shifts
    assert possible_after(GRID, "time_shift 1 s", "time_shift 0.99 s") & shifts == set()
    assert possible_after(GRID, "time_shift 0.01 s") == words_of(GRID, "velocity")


def test_after_a_classic_shift_only_what_fits_before_the_next_longer_one() -> None:
    shifts = [f"time_shift {1.15**k / 65:.3g} s" for k in range(32)]
    note = struck(60, velocity="velocity 21")

    def following(*written: int) -> int:
        after = possible_after(CLASSIC, *note, *(shifts[k] for k in written)) & set(shifts)
        assert after == set(shifts[: len(after)])
        return len(after)

    assert following(31) == following(31, 31) == 32
    # less than 15 % of the shift is left: room for those at least 14 bins below, because 1.15^-14 < 0.15 < 1.15^-13
    assert [following(k) for k in (13, 14, 30)] == [0, 1, 17]
    # the largest of these leaves 15 % - 1.15^-14 < 1 % of the first, too little for any; the next one leaves enough
    assert following(30, 16) == 0
    assert following(30, 15) == 2


def test_a_shift_that_should_not_be_there_begins_an_interval() -> None:
    shifts = words_of(GRID, "time_shift")
    assert possible_after(GRID, "time_shift 0.5 s", "time_shift 1 s") & shifts == shifts
    assert possible_after(GRID, "velocity 66", "time_shift 1 s") == shifts | words_of(GRID, "velocity")


def test_events_of_one_step_are_sorted_on_the_grid() -> None:
    chord = [*struck(60, 64, 67), "time_shift 0.5 s"]
    assert note_offs(GRID, *chord, "note_off 64") == {"note_off 67"}
    started = [*chord, *struck(62)]
    assert note_offs(GRID, *started) == {"note_off 62"}
    assert possible_after(GRID, *started, "velocity 66") == {f"note_on {pitch}" for pitch in range(62, 109)}
    assert possible_after(GRID, *started, "note_off 62") == words_of(GRID, "time_shift")
    assert note_offs(GRID, *started, "time_shift 0.01 s") == {f"note_off {pitch}" for pitch in (60, 62, 64, 67)}
    at_once = [*struck(60, 62, 62), "note_off 62"]
    assert possible_after(GRID, *at_once) == {"note_off 62"} | words_of(GRID, "time_shift")
    # a model without the grammar may go on in the same step: the order begins anew
    assert possible_after(GRID, *at_once, "velocity 66") == words_of(GRID, "note_on")


def test_the_start_token_stands_for_nothing_where_it_is_first_and_only_there() -> None:
    assert CLASSIC.vocabulary[CLASSIC.start_token] == "note_on 21"
    assert note_offs(CLASSIC) == set()
    assert note_offs(CLASSIC, "velocity 21", "note_on 21") == {"note_off 21"}
    assert possible_after(GRID, GRID.vocabulary[GRID.start_token]) == words_of(GRID, "note_on")


@EACH
@given(performance=performances())
@settings(max_examples=40)
def test_what_is_written_of_any_performance_is_possible(tokenizer: Tokenizer, performance: Performance) -> None:
    tokens = tokenizer.encode(performance)
    follow = grammar(tokenizer)
    for token, after in zip((tokenizer.start_token, *tokens), tokens, strict=False):
        assert follow(np.array([token]))[0, after]


@pytest.mark.parametrize("tokenizer", [GRID, CLASSIC], ids=["midilike", "midilike-classic"])
def test_what_is_written_of_real_performances_is_possible(tokenizer: Tokenizer, smd_dir: Path) -> None:
    written = [tokenizer.encode(read_midi(path))[:1000] for path in sorted(smd_dir.glob("*.mid"))]
    tokens_rt = np.array([[tokenizer.start_token, *tokens] for tokens in written if len(tokens) == 1000])
    assert len(tokens_rt) > 40
    follow, rows = grammar(tokenizer, len(tokens_rt)), np.arange(len(tokens_rt))
    for latest_r, next_r in zip(tokens_rt.T, tokens_rt.T[1:], strict=False):
        assert follow(latest_r)[rows, next_r].all()


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("tokenizer", [NARROW, CLASSIC], ids=["narrow", "midilike-classic"])
def test_what_is_possible_is_written_of_some_performance(tokenizer: Any, seed: int) -> None:
    tokens = walk(tokenizer, np.random.default_rng(seed), steps=150)
    played = on_the_grid(tokenizer, tokens) if tokenizer is NARROW else with_tiny_gaps(tokenizer, tokens)
    assert len(played) > 10
    assert [tokenizer.vocabulary[token] for token in tokenizer.encode(played)] == [
        tokenizer.vocabulary[token] for token in tokens
    ]


def walk(tokenizer: Tokenizer, rng: np.random.Generator, steps: int) -> list[int]:
    """Tokens that the grammar allows, at random, until ``steps`` are over and every note is ended."""
    follow, tokens = grammar(tokenizer), [tokenizer.start_token]
    sounding = 0
    while len(tokens) <= steps or sounding or event(tokenizer, tokens[-1]) != "note_off":
        possible = defaultdict(list)
        for token in np.flatnonzero(follow(np.array(tokens[-1:]))[0]):
            possible[event(tokenizer, token)].append(int(token))
        if len(tokens) <= steps:
            family = rng.choice(sorted(possible))
        else:  # end what sounds, after a time shift if need be; and if nothing does, a last note
            wanted = ["note_off", "note_on", *(["time_shift"] if sounding else []), "velocity"]
            family = next(family for family in wanted if possible[family])
        # half of the time one of the first few, so that pitches come back
        tokens.append(int(rng.choice(possible[family][: rng.choice([3, None])])))
        sounding += (family == "note_on") - int(family == "note_off")
    return tokens[1:]


def event(tokenizer: Tokenizer, token: int) -> str:
    return tokenizer.vocabulary[token].split()[0]


def on_the_grid(tokenizer: Tokenizer, tokens: list[int]) -> Performance:
    """A performance of which the narrow tokenizer should write these tokens."""
    step, notes, sounding = 0, [], defaultdict(list)
    for token in tokens:
        name, value = tokenizer.vocabulary[token].split()[:2]
        if name == "time_shift":
            step += round(float(value) / 0.1)
        elif name == "note_on":
            sounding[value].append(step)
        elif name == "note_off":
            started = sounding[value]
            # a note that started in this step, if there is one: notes of the steps before would have ended earlier
            notes.append((int(value), 64, 0.1 * started.pop(-1 if started[-1] == step else 0), 0.1 * step))
    return Performance.from_notes(notes)


def with_tiny_gaps(tokenizer: Tokenizer, tokens: list[int]) -> Performance:
    """The same for the classic tokenizer: no two events at one time, so that their order is given."""
    time, velocity, notes, sounding = 0.0, 0, [], defaultdict(list)
    for token in tokens:
        name, value = tokenizer.vocabulary[token].split()[:2]
        if name == "time_shift":
            time += 1.15 ** (token - 208) / 65
        elif name == "velocity":
            velocity = 108 if value == "106+" else int(value)
        else:
            time += 1e-7
            if name == "note_on":
                sounding[value].append((velocity, time))
            else:
                notes.append((int(value), *sounding[value].pop(), time))
    return Performance.from_notes(notes)


@EACH
def test_the_running_clock_is_the_clock_to_the_bit(tokenizer: Tokenizer) -> None:
    tokens_rt = np.random.default_rng(0).integers(len(tokenizer.vocabulary), size=(4, 500))
    advance = tokenizer.clock(4)
    running = [advance(column_r) for column_r in tokens_rt.T]
    np.testing.assert_array_equal(np.stack(running, axis=1), [tokenizer.times(row_t) for row_t in tokens_rt])
