"""Merges of tokens with instruments among them: nothing is lost, and the grammar is that of the parts."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from support.midilike_material import FEW

from ablate import Performance
from ablate.music.performance import DRUMS
from ablate.testing import FittedTokenizerContract
from ablate.testing.material import equal_performances
from ablate_midilike import ablate_tokenizers
from ablate_midilike.grid import GridTokenizer
from ablate_midilike.options import GridOptions

if TYPE_CHECKING:
    from ablate.arrays import IntArray

SPECS = {spec.name: spec for spec in ablate_tokenizers()}
GRID = GridTokenizer(GridOptions(instruments="all"))
NARROW = GridTokenizer(GridOptions(**FEW, instruments="all"))
STRUCK = ("velocity 66", "note_on 60")


class TestMerges(FittedTokenizerContract):
    spec = SPECS["midilike-bpe"]
    options = ({"instruments": "all", "vocabulary": 500},)
    within = 0.005
    pitches = (21, 108)


def music(seed: int) -> Performance:
    """Notes of three instruments at random, few enough that the same ones come again."""
    rng = np.random.default_rng(seed)
    start = np.cumsum(rng.integers(0, 3, 120)) * 0.125
    columns = (
        rng.integers(60, 63, 120),
        start,
        start + rng.integers(0, 4, 120) * 0.125,
        rng.choice([0, 5, DRUMS], 120),
    )
    return Performance.from_notes((int(p), 64, s, e, int(i)) for p, s, e, i in zip(*columns, strict=True))


@pytest.fixture(scope="module")
def learned() -> Any:
    spec = SPECS["midilike-bpe"]
    tokenizer: Any = spec.build(spec.parse({**FEW, "vocabulary": 240, "instruments": "all"}))
    tokenizer.load(tokenizer.fit([music(seed) for seed in range(4)]))
    assert not tokenizer.unused
    assert sum(word.count("instrument") > 1 for word in tokenizer.vocabulary) > 3
    assert tokenizer.instruments
    return tokenizer


def test_merging_loses_nothing(learned: Any) -> None:
    for seed in range(4, 12):
        tokens = learned.encode(music(seed))
        parts, counts = learned._parts.expand(tokens)
        assert parts.tolist() == NARROW.encode(music(seed)).tolist()
        assert len(tokens) < 0.7 * len(parts)
        assert equal_performances(learned.decode(tokens), NARROW.decode(parts))
        assert learned.times(tokens).tolist() == NARROW.times(parts)[np.cumsum(counts) - 1].tolist()


def test_a_merged_token_is_possible_where_its_parts_are(learned: Any) -> None:
    """Follow a piece, now and then against the rules, and try every merged token in full."""
    rng, seen = np.random.default_rng(0), np.zeros(2, int)
    merged = range(len(NARROW.vocabulary), len(learned.vocabulary))
    follow, one_by_one = learned.grammar(1), NARROW.grammar(1)
    piece = learned.encode(music(20))
    possible = follow(np.array([learned.start_token]))[0]
    one_by_one(np.array([NARROW.start_token]))
    for token in piece[:30]:
        expected = [possible_by_parts(one_by_one, learned._parts.expand(np.array([m]))[0]) for m in merged]
        assert possible[len(NARROW.vocabulary) :].tolist() == expected
        seen += np.bincount(expected, minlength=2)
        read = rng.integers(len(learned.vocabulary)) if rng.random() < 0.15 else token
        possible = follow(np.array([read]))[0]
        for part in learned._parts.expand(np.array([read]))[0]:
            one_by_one.read(np.array([0]), np.array([part]))
    assert seen.min() > 100


def possible_by_parts(grammar: Any, parts: IntArray) -> bool:
    """Try the parts one after another on a grammar of its own that starts from the same state."""
    trial = NARROW.grammar(1)
    for name in ("sounding_rk", "fresh_rk", "rank_r", "room_r", "after_velocity_r", "instrument_r", "first_r"):
        setattr(trial, name, getattr(grammar, name).copy())
    for part in parts:
        if not trial.possible()[0, part]:
            return False
        trial.read(np.array([0]), np.array([part]))
    return True


HIGHER, LATER = ("velocity 66", "note_on 62"), "time_shift 0.5 s"
#: Its first note is of the instrument in force; only if that is 0, its note-off has a note to end.
RETURNS = (*STRUCK, "instrument 5", *STRUCK, LATER, "instrument 0", "note_off 60")
#: Its note-off could only end a note that started in an earlier step, and would come too late for that.
CROSSES = (*STRUCK, "instrument 5", *HIGHER, "note_off 60")


@pytest.mark.parametrize(
    ("words", "before", "may"),
    [
        (RETURNS, (), True),
        (RETURNS, ("instrument 1", *STRUCK), False),
        (CROSSES, ("instrument 5", *STRUCK, LATER, "instrument 0", *STRUCK, LATER), False),
        ((*CROSSES[:-1], "note_off 62"), (), True),
    ],
)
def test_sounding_and_fresh_notes_are_counted_by_instrument(
    words: tuple[str, ...], before: tuple[str, ...], *, may: bool
) -> None:
    spec, base = SPECS["midilike-bpe"], len(GRID.vocabulary)
    parts = [GRID.vocabulary.index(word) for word in words]
    steps = [(base + number - 1 if number else parts[0], part) for number, part in enumerate(parts[1:])]
    tokenizer: Any = spec.build(spec.parse({"instruments": "all"}))
    tokenizer.load(json.dumps({"base": base, "merges": steps}).encode())
    longest = tokenizer.vocabulary.index(" + ".join(words))
    follow = tokenizer.grammar(1)
    for word in (GRID.vocabulary[GRID.start_token], *before):
        possible = follow(np.array([tokenizer.vocabulary.index(word)]))
    assert possible[0, longest] == may
    assert possible[0, longest - 1]
