"""The rules of instruments are neither too strict nor too lax."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from support.midilike_material import BAND, FEW, performances

from ablate import Performance
from ablate_midilike.grid import GridTokenizer
from ablate_midilike.options import GridOptions

GRID = GridTokenizer(GridOptions(instruments="all"))
NARROW = GridTokenizer(GridOptions(**FEW, instruments="all"))
EACH = pytest.mark.parametrize("tokenizer", [GRID, NARROW], ids=["midilike", "narrow"])


def words(tokenizer: Any, performance: Performance) -> list[str]:
    return [tokenizer.vocabulary[token] for token in tokenizer.encode(performance)]


def possible_after(*spoken: str) -> set[str]:
    """The words that may follow these, which stand behind the start token."""
    follow = GRID.grammar(1)
    for token in [GRID.start_token, *map(GRID.vocabulary.index, spoken)]:
        possible = follow(np.array([token]))[0]
    return {word for word, may in zip(GRID.vocabulary, possible, strict=True) if may}


def family(*names: str) -> set[str]:
    return {word for word in GRID.vocabulary if word.startswith(names)}


STRUCK = ("velocity 66", "note_on 60")


def test_the_grammar_changes_instruments_in_their_order_and_for_an_event_only() -> None:
    changes = family("instrument")
    assert possible_after() == (family("velocity", "time_shift") | changes) - {"instrument 0"}
    assert possible_after("instrument 5") == family("velocity")
    assert possible_after("instrument 5", "velocity 66") == family("note_on")
    assert possible_after("instrument 5", *STRUCK) & changes == {f"instrument {number}" for number in range(6, 129)}
    later = ("instrument 5", *STRUCK, "time_shift 0.5 s")
    assert possible_after(*later) & changes == changes - {"instrument 5"}
    assert possible_after(*later, "instrument 2", *STRUCK) & changes == changes - {
        f"instrument {number}" for number in (0, 1, 2, 5)
    }
    # one that should not be there begins anew
    assert possible_after(*later, "instrument 2", "instrument 5", *STRUCK) & changes == changes - {"instrument 5"}


def test_the_grammar_ends_notes_of_the_instrument_in_force_only() -> None:
    both = (*STRUCK, "instrument 5", "velocity 66", "note_on 64", "time_shift 0.5 s")
    offs = family("note_off")
    assert possible_after(*both) & offs == {"note_off 64"}
    assert possible_after(*both, "instrument 0") & offs == {"note_off 60"}
    assert possible_after(*both, "instrument 0", *STRUCK) & offs == {"note_off 60"}
    assert possible_after(*both, "instrument 7") & offs == set()


@EACH
@given(performance=performances(instruments=BAND))
@settings(max_examples=30)
def test_what_is_written_of_any_performance_is_possible(tokenizer: Any, performance: Performance) -> None:
    tokens = tokenizer.encode(performance)
    follow = tokenizer.grammar(1)
    for token, after in zip((tokenizer.start_token, *tokens), tokens, strict=False):
        assert follow(np.array([token]))[0, after]


@pytest.mark.parametrize("seed", range(4))
def test_what_is_possible_is_written_of_some_performance(seed: int) -> None:
    tokens = walk(np.random.default_rng(seed), steps=200)
    played = performance_of(tokens)
    assert len(played) > 10
    assert len(set(played.notes["instrument"].tolist())) > 3
    assert words(NARROW, played) == [NARROW.vocabulary[token] for token in tokens]


def walk(rng: np.random.Generator, steps: int) -> list[int]:
    """Tokens that the grammar allows, at random, until ``steps`` are over and every note is ended."""
    follow, tokens, in_force = NARROW.grammar(1), [NARROW.start_token], 0
    sounding: Counter[int] = Counter()
    while len(tokens) <= steps or sounding.total() or event(tokens[-1])[0] != "note_off":
        possible = defaultdict(list)
        for token in np.flatnonzero(follow(np.array(tokens[-1:]))[0]):
            possible[event(token)[0]].append(int(token))
        if len(tokens) <= steps:
            name = rng.choice(sorted(possible))
        else:  # end what sounds, of another instrument or after a time shift if need be; if nothing does, a last note
            possible["instrument"] = [token for token in possible["instrument"] if sounding[event(token)[1]]]
            wanted = ["note_off", "note_on", "instrument", *(["time_shift"] if sounding.total() else []), "velocity"]
            name = next(name for name in wanted if possible[name])
        # half of the time one of the first few, so that pitches and instruments come back
        tokens.append(int(rng.choice(possible[name][: rng.choice([3, None])])))
        in_force = event(tokens[-1])[1] if name == "instrument" else in_force
        sounding[in_force] += (name == "note_on") - int(name == "note_off")
    return tokens[1:]


def event(token: int) -> tuple[str, int]:
    name, value = NARROW.vocabulary[token].split()[:2]
    return name, round(float(value) / 0.125) if name == "time_shift" else int(value)


def performance_of(tokens: list[int]) -> Performance:
    """A performance of which the narrow tokenizer should write these tokens."""
    step, in_force, notes, sounding = 0, 0, [], defaultdict(list)
    for name, value in map(event, tokens):
        voice = (in_force, value)
        if name == "time_shift":
            step += value
        elif name == "instrument":
            in_force = value
        elif name == "note_on":
            sounding[voice].append(step)
        elif name == "note_off":
            # a note that started in this step, if there is one: notes of the steps before would have ended earlier
            start = sounding[voice].pop(-1 if sounding[voice][-1] == step else 0)
            notes.append((value, 64, 0.125 * start, 0.125 * step, in_force))
    return Performance.from_notes(notes)
