from __future__ import annotations

import collections
import copy
import itertools
import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.midilike_material import performances

from ablate import Performance
from ablate.errors import InvalidOptions
from ablate.music.midi import read_midi
from ablate.testing import FittedTokenizerContract
from ablate.testing.material import equal_performances
from ablate.testing.material import performances as material
from ablate_midilike import ablate_tokenizers
from ablate_midilike.bpe import BpeTokenizer, Text, merge
from ablate_midilike.grid import GridTokenizer
from ablate_midilike.options import BpeOptions, GridOptions

if TYPE_CHECKING:
    from pathlib import Path

    from ablate.arrays import IntArray

SPEC = {spec.name: spec for spec in ablate_tokenizers()}["midilike-bpe"]
#: Few pitches and steps, so that everything meets everything.
FEW: dict[str, Any] = {"step": 0.125, "longest_shift": 0.5, "velocity_bins": 2, "low": 60, "high": 64}


class TestDefaults(FittedTokenizerContract):
    spec = SPEC
    within = 0.005
    pitches = (21, 108)


class TestOptions(FittedTokenizerContract):
    spec = SPEC
    options = ({"vocabulary": 309}, {"vocabulary": 400, "step": 0.02, "low": 0, "high": 90})


def learned(settings: dict[str, Any], pieces: Any) -> BpeTokenizer:
    tokenizer: BpeTokenizer = SPEC.build(SPEC.parse(settings))
    tokenizer.load(tokenizer.fit(pieces))
    return tokenizer


def music(seed: int) -> Performance:
    """Notes at random, few enough that the same ones come again."""
    rng = np.random.default_rng(seed)
    start = np.cumsum(rng.integers(0, 3, 120)) * 0.125
    length = rng.integers(0, 4, 120) * 0.125
    return Performance.from_notes(
        (int(p), int(v), s, s + d)
        for p, v, s, d in zip(rng.integers(60, 65, 120), rng.choice([40, 90], 120), start, length, strict=True)
    )


LEARNED = learned({**FEW, "vocabulary": 120}, [music(seed) for seed in range(4)])
GRID = GridTokenizer(GridOptions(**FEW))


def test_merges_are_those_of_the_textbook() -> None:
    """The example of Wikipedia's article on byte-pair encoding: aaabdaaabac."""
    text = Text(np.array([0, 0, 0, 1, 3, 0, 0, 0, 1, 0, 2]))
    assert text.most_frequent_pair() == (0, 0)
    text.merge(0, 0, 4)  # Z
    assert text.tokens.tolist() == [4, 0, 1, 3, 4, 0, 1, 0, 2]
    assert text.most_frequent_pair() == (0, 1)
    text.merge(0, 1, 5)  # Y
    assert text.tokens.tolist() == [4, 5, 3, 4, 5, 0, 2]
    assert text.most_frequent_pair() == (4, 5)
    text.merge(4, 5, 6)  # X
    assert text.tokens.tolist() == [6, 3, 6, 0, 2]
    assert text.most_frequent_pair() is None


@given(st.lists(st.integers(-1, 2), max_size=40), st.integers(1, 6))
def test_the_counts_are_those_of_the_text(tokens: list[int], merges: int) -> None:
    """After every merge, the most frequent pair is the one that counting anew gives."""
    text = Text(np.array(tokens, np.int64))
    for new in range(3, 3 + merges):
        neighbours = [pair for pair in itertools.pairwise(text.tokens.tolist()) if -1 not in pair]
        count, pair = min(((-n, pair) for pair, n in collections.Counter(neighbours).items()), default=(0, None))
        assert text.most_frequent_pair() == (pair if count <= -2 else None)
        if count > -2:
            return
        text.merge(*pair, new)


@given(st.lists(st.integers(0, 2), max_size=30), st.integers(0, 2), st.integers(0, 2))
def test_a_merge_is_that_of_text(tokens: list[int], left: int, right: int) -> None:
    text = "".join("abc"[token] for token in tokens).replace("abc"[left] + "abc"[right], "X")
    assert merge(np.array(tokens, np.int64), left, right, 3).tolist() == ["abcX".index(letter) for letter in text]


def test_no_pair_goes_from_one_piece_to_the_next() -> None:
    assert Text(np.array([5, 6, -1, 7, 5, 6, -1, 7, -1, 7])).most_frequent_pair() == (5, 6)
    assert Text(np.array([6, -1, 7, 6, -1, 7, -1])).most_frequent_pair() is None


def test_the_material_is_worth_learning_from() -> None:
    assert not LEARNED.unused
    counts = [len(LEARNED.encode(music(seed))) / len(GRID.encode(music(seed))) for seed in range(8)]
    assert max(counts) < 0.6
    longest = max(word.count(" + ") for word in LEARNED.vocabulary)
    assert longest >= 4


@settings(deadline=None)
@given(performances(range(58, 67)))
def test_merging_loses_nothing(performance: Performance) -> None:
    tokens = LEARNED.encode(performance)
    parts, counts = LEARNED._parts.expand(tokens)
    assert parts.tolist() == GRID.encode(performance).tolist()
    assert len(counts) == len(tokens)
    assert equal_performances(LEARNED.decode(tokens), GRID.decode(parts))


@given(st.lists(st.integers(0, 119), max_size=60))
def test_notes_and_clock_are_those_of_the_parts(ids: list[int]) -> None:
    tokens = np.array(ids, np.int64)
    parts, counts = LEARNED._parts.expand(tokens)
    assert equal_performances(LEARNED.decode(tokens), GRID.decode(parts))
    assert LEARNED.times(tokens).tolist() == GRID.times(parts)[np.cumsum(counts) - 1].tolist()


def test_unused_words_stand_for_nothing() -> None:
    tokenizer = learned({**FEW, "vocabulary": 5000}, [music(0)])
    assert tokenizer.vocabulary[-1] == f"unused {tokenizer.unused - 1}"
    first, count = len(tokenizer.vocabulary) - tokenizer.unused, len(tokenizer.vocabulary)
    tokens = tokenizer.encode(music(0))
    mixed = np.insert(tokens, [0, 5, len(tokens)], [count - 1, first, first])
    assert equal_performances(tokenizer.decode(mixed), tokenizer.decode(tokens))
    assert tokenizer.times(mixed)[0] == 0
    assert tokenizer.times(mixed)[-1] == tokenizer.times(tokens)[-1]
    possible = tokenizer.grammar(1)(np.array([tokenizer.start_token]))
    assert not possible[0, first:].any()


def possible_by_parts(state: Any, parts: IntArray) -> bool:
    """Try the parts one after another on a copy of the grammar of midilike."""
    state = copy.deepcopy(state)
    for part in parts:
        if not state.possible()[0, part]:
            return False
        state.read(np.array([0]), np.array([part]))
    return True


@pytest.mark.parametrize("seed", range(2))
def test_a_merged_token_is_possible_where_its_parts_are(seed: int) -> None:
    """Walk at random, now and then against the rules, and try every token in full."""
    rng, seen = np.random.default_rng(seed), np.zeros(2, int)
    follow, words = LEARNED.grammar(1), len(LEARNED.vocabulary)
    possible = follow(np.array([LEARNED.start_token]))[0]
    for _ in range(40):
        expected = [possible_by_parts(follow._base, LEARNED._parts.expand(np.array([t]))[0]) for t in range(words)]
        assert possible.tolist() == expected
        seen += np.bincount(possible[len(GRID.vocabulary) :], minlength=2)
        token = rng.integers(words) if rng.random() < 0.15 else rng.choice(np.flatnonzero(possible))
        possible = follow(np.array([token]))[0]
    assert seen.min() > 100


def test_rows_that_begin_with_a_primer_are_read_in_full() -> None:
    tokens = LEARNED.encode(music(1))
    many, one = LEARNED.grammar(2), LEARNED.grammar(1)
    one(np.array([LEARNED.start_token]))
    both = many(np.array([LEARNED.start_token, tokens[0]]))
    assert np.array_equal(both[1], one(tokens[:1])[0])


def test_what_is_learned_does_not_depend_on_the_order_of_the_pieces() -> None:
    pieces = [music(seed) for seed in range(4)]
    assert LEARNED.fit(pieces) == LEARNED.fit(pieces[::-1])


def test_nothing_can_be_learned_from_nothing() -> None:
    tokenizer = learned({}, [])
    assert tokenizer.unused == 1024 - 308
    assert len(tokenizer.encode(material()[0]))


def test_a_vocabulary_has_room_for_the_words_of_midilike() -> None:
    with pytest.raises(InvalidOptions, match="must be more than the 308 words"):
        SPEC.parse({"vocabulary": 308})
    assert SPEC.build(BpeOptions(vocabulary=309)).unused == 1


@pytest.mark.parametrize("merges", ["", ', "merges": [[1]]', ', "merges": [[1, 20]]', ', "merges": [[-1, 2]]', "]"])
def test_other_merges_are_refused(merges: str) -> None:
    state = f'{{"base": {len(GRID.vocabulary)}{merges}}}'.replace("20", str(len(GRID.vocabulary)))
    with pytest.raises(ValueError, match=r"damaged|another vocabulary|Expecting"):
        LEARNED.load(state.encode())


def test_more_merges_than_words_are_refused() -> None:
    state = LEARNED.fit([music(0)])
    assert len(json.loads(state)["merges"]) > 40
    with pytest.raises(ValueError, match="another vocabulary"):
        learned({**FEW, "vocabulary": 40}, []).load(state)


def test_real_pieces_take_fewer_tokens(smd_dir: Path) -> None:
    pieces = [read_midi(path) for path in sorted(smd_dir.glob("*.mid"))[:3]]
    tokenizer, grid = learned({}, pieces[:2]), GridTokenizer(GridOptions())
    assert not tokenizer.unused
    tokens, parts = tokenizer.encode(pieces[2]), grid.encode(pieces[2])
    assert len(tokens) < 0.8 * len(parts)
    assert equal_performances(tokenizer.decode(tokens), grid.decode(parts))
