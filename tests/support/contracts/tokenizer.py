"""Tokenizers: many that break their contract."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

import ablate
from ablate.testing.material import PitchTokenizer

counter = itertools.count()


def note(start: float) -> ablate.Performance:
    return ablate.Performance.from_notes([(60, 64, start, start + 0.5)])


class SameWords(PitchTokenizer):
    vocabulary = ("pitch",) * 128


class WordsAsNumbers(PitchTokenizer):
    vocabulary: Any = tuple(range(128))


class NoWords(PitchTokenizer):
    vocabulary = ()


class StartsOutside(PitchTokenizer):
    start_token = 128


class ShortIds(PitchTokenizer):
    def encode(self, performance: ablate.Performance) -> Any:
        return super().encode(performance).astype(np.int32)


class TallIds(PitchTokenizer):
    def encode(self, performance: ablate.Performance) -> Any:
        return super().encode(performance)[:, None]


class IdsOutside(PitchTokenizer):
    def encode(self, performance: ablate.Performance) -> Any:
        return super().encode(performance) + 1


class SortsInPlace(PitchTokenizer):
    def encode(self, performance: ablate.Performance) -> Any:
        performance.notes.sort(order="start")
        return super().encode(performance)


class RestlessIds(PitchTokenizer):
    def encode(self, performance: ablate.Performance) -> Any:
        return (super().encode(performance) + next(counter)) % 128


class FallsOnSilence(PitchTokenizer):
    def encode(self, performance: ablate.Performance) -> Any:
        return super().encode(performance)[performance.notes["start"] >= performance.notes["start"].min()]


class ForgetsAll(PitchTokenizer):
    def encode(self, performance: ablate.Performance) -> Any:
        return super().encode(performance)[:0]


class RefusesShort(PitchTokenizer):
    def decode(self, tokens: Any) -> ablate.Performance:
        if len(tokens) < 2:
            raise ValueError("two tokens at least")
        return super().decode(tokens)


class NegativeLengths(PitchTokenizer):
    def decode(self, tokens: Any) -> ablate.Performance:
        return ablate.Performance.from_notes([(60, 64, 1.0, 1.0 - int(t) / 100) for t in tokens])


class RestlessNotes(PitchTokenizer):
    def decode(self, tokens: Any) -> ablate.Performance:
        return note(next(counter))


class CoarseClock(PitchTokenizer):
    def times(self, tokens: Any) -> Any:
        return super().times(tokens).astype(np.float32)


class OneTimeMore(PitchTokenizer):
    def times(self, tokens: Any) -> Any:
        return 0.25 * np.arange(len(tokens) + 1)


class BackwardClock(PitchTokenizer):
    def times(self, tokens: Any) -> Any:
        return 0.25 * np.asarray(tokens)


class EndlessClock(PitchTokenizer):
    def times(self, tokens: Any) -> Any:
        return np.full(len(tokens), np.inf)


class ForesightedClock(PitchTokenizer):
    def times(self, tokens: Any) -> Any:
        return np.full(len(tokens), float(len(tokens)))


class HastyClock(PitchTokenizer):
    def clock(self, rows: int) -> Any:
        times = itertools.count(1)
        return lambda tokens: np.full(rows, 0.25 * next(times))


class CoarseRunningClock(PitchTokenizer):
    def clock(self, rows: int) -> Any:
        advance = super().clock(rows)
        return lambda tokens: advance(tokens).astype(np.float32)


class Anything(PitchTokenizer):
    """With a grammar that keeps the contract: every token may follow every other."""

    def possible(self, tokens: Any) -> Any:
        return np.ones((len(tokens), len(self.vocabulary)), bool)

    def grammar(self, rows: int) -> Any:
        return self.possible


class PossibleAsNumbers(Anything):
    def possible(self, tokens: Any) -> Any:
        return super().possible(tokens).astype(np.int64)


class OneWordMore(Anything):
    def possible(self, tokens: Any) -> Any:
        return np.ones((len(tokens), len(self.vocabulary) + 1), bool)


class NeverAgain(Anything):
    def possible(self, tokens: Any) -> Any:
        return np.arange(len(self.vocabulary)) != tokens[:, None]


class DeadEnd(Anything):
    def possible(self, tokens: Any) -> Any:
        return super().possible(tokens) & (tokens != 127)[:, None]


class SharedState(Anything):
    def possible(self, tokens: Any) -> Any:
        return super().possible(tokens) & (np.arange(len(self.vocabulary)) != tokens[-1] + 64)


class ClaimsInstruments(PitchTokenizer):
    instruments = True


class MergesDrumsToo(PitchTokenizer):
    merges = True


class SilentFlute(PitchTokenizer):
    def encode(self, performance: ablate.Performance) -> Any:
        return super().encode(performance)[performance.notes["instrument"] == 0]


class Learning(ablate.FittedTokenizer):
    """Learns nothing, and has no unused words; to make a tokenizer one that learns."""

    unused = 0

    def fit(self, performances: Any) -> bytes:
        return b"learned"

    def load(self, state: bytes) -> None:
        if state != b"learned":
            raise ValueError("not what fit() returns")


class Favourite(Anything, ablate.FittedTokenizer):
    """Keeps the contract: its last word is another one for the most frequent pitch of the pieces."""

    vocabulary: Any = (*PitchTokenizer.vocabulary, "favourite")
    learned: int | None = None

    @property
    def unused(self) -> Any:
        return int(self.learned is None)

    def encode(self, performance: ablate.Performance) -> Any:
        pitches = super().encode(performance)
        return np.where(pitches == self.learned, 128, pitches) if self.learned is not None else pitches

    def decode(self, tokens: Any) -> ablate.Performance:
        known = tokens if self.learned is not None else tokens[tokens < 128]
        return super().decode(np.where(known == 128, self.learned or 0, known))

    def fit(self, performances: Any) -> Any:
        pitches = np.concatenate([performance.notes["pitch"] for performance in performances])
        return b"favourite %3d" % np.bincount(pitches).argmax()

    def load(self, state: bytes) -> None:
        if len(state) != 13 or not state.startswith(b"favourite"):
            raise ValueError("no favourite")
        self.learned = int(state[9:])


class GrowsByLearning(Favourite):
    def load(self, state: bytes) -> None:
        super().load(state)
        self.vocabulary = (*Favourite.vocabulary, "another")


class LosesWords(Favourite):
    @property
    def unused(self) -> Any:
        return 0 if self.learned is None else 1


class CountsNothing(Favourite):
    unused: Any = -1


class HelplessBefore(Favourite):
    def decode(self, tokens: Any) -> ablate.Performance:
        if self.learned is None:
            raise ValueError("load first")
        return super().decode(tokens)


class SilentBefore(Favourite):
    def decode(self, tokens: Any) -> ablate.Performance:
        return super().decode(tokens if self.learned is not None else tokens[:0])


class LearnsAtOnce(Favourite):
    def fit(self, performances: Any) -> Any:
        state = super().fit(performances)
        self.load(state)
        return state


class LearnsText(Favourite):
    def fit(self, performances: Any) -> Any:
        return super().fit(performances).decode()


class KeepsTheFirst(Favourite):
    def load(self, state: bytes) -> None:
        if self.learned is None:
            super().load(state)


class LearnsFromWhatItKnows(Favourite):
    def fit(self, performances: Any) -> Any:
        return b"favourite %3d" % (60 if self.learned is None else 61)


class LearnsHashes(Favourite):
    # all 64 bits: one of 128 pitches would be the same in another process now and then
    def fit(self, performances: Any) -> Any:
        return b"%d" % hash("piano")

    def load(self, state: bytes) -> None:
        self.learned = int(state) % 128


class AcceptsAll(Favourite):
    def load(self, state: bytes) -> None:
        self.learned = 60


def learning(component: Any) -> Any:
    """Return a tokenizer as one that learns, with its fault."""
    return type(component.__name__, (Learning, component), {})


def built(component: Any, options: Any) -> Any:
    """Build a component; with a name, for other processes."""
    return component()


KEEPS = {"TokenizerContract": Anything, "FittedTokenizerContract": Favourite}
#: The contract, its test that must fail, the component, and what the message must say.
BREAKS: list[tuple[str, str, Any, str]] = [
    ("TokenizerContract", "test_vocabulary", SameWords, "same word"),
    ("TokenizerContract", "test_vocabulary", WordsAsNumbers, "not a string"),
    ("TokenizerContract", "test_vocabulary", NoWords, "vocabulary is empty"),
    ("TokenizerContract", "test_vocabulary", StartsOutside, "start token"),
    ("TokenizerContract", "test_encode", ShortIds, "int32"),
    ("TokenizerContract", "test_encode", TallIds, "dimensions"),
    ("TokenizerContract", "test_encode", IdsOutside, "out of range"),
    ("TokenizerContract", "test_encode", SortsInPlace, "changed in place"),
    ("TokenizerContract", "test_encode", RestlessIds, "other ids"),
    ("TokenizerContract", "test_encode", FallsOnSilence, "zero-size array"),
    ("TokenizerContract", "test_notes_survive", ForgetsAll, "is left after"),
    ("TokenizerContract", "test_instruments", ClaimsInstruments, r"'band' has instruments \[32, 73, 128\], and \[0\]"),
    ("TokenizerContract", "test_instruments", MergesDrumsToo, "'band' has other ids than the merged piece"),
    ("TokenizerContract", "test_instruments", SilentFlute, "no note of a flute"),
    ("TokenizerContract", "test_any_ids_decode", RefusesShort, "two tokens at least"),
    ("TokenizerContract", "test_any_ids_decode", NegativeLengths, "not valid"),
    ("TokenizerContract", "test_any_ids_decode", RestlessNotes, "other notes"),
    ("TokenizerContract", "test_times", CoarseClock, "float32"),
    ("TokenizerContract", "test_times", OneTimeMore, "times have shape"),
    ("TokenizerContract", "test_times", BackwardClock, "backwards"),
    ("TokenizerContract", "test_times", EndlessClock, "not finite"),
    ("TokenizerContract", "test_times", ForesightedClock, "later tokens"),
    ("TokenizerContract", "test_clock", HastyClock, "differs from times"),
    ("TokenizerContract", "test_clock", CoarseRunningClock, "float32"),
    ("TokenizerContract", "test_grammar", PossibleAsNumbers, "int64"),
    ("TokenizerContract", "test_grammar", OneWordMore, "129., not"),
    ("TokenizerContract", "test_grammar", NeverAgain, "the grammar forbids it"),
    ("TokenizerContract", "test_grammar", DeadEnd, "allows none"),
    ("TokenizerContract", "test_grammar", SharedState, "depends on other rows"),
]
BREAKS += [("FittedTokenizerContract", name, learning(component), message) for _, name, component, message in BREAKS]
BREAKS += [
    ("TokenizerContract", "test_learns", Favourite, "fitted=False, but the class says True"),
    ("FittedTokenizerContract", "test_learns", Anything, "fitted=True, but the class says False"),
    (
        "FittedTokenizerContract",
        "test_learning_keeps_the_number_of_words",
        GrowsByLearning,
        "129 words, now .* 130",
    ),
    ("FittedTokenizerContract", "test_learning_keeps_the_number_of_words", LosesWords, "more unused words"),
    ("FittedTokenizerContract", "test_learning_keeps_the_number_of_words", CountsNothing, "unused is -1"),
    ("FittedTokenizerContract", "test_it_is_complete_before_it_learns", HelplessBefore, "load first"),
    ("FittedTokenizerContract", "test_it_is_complete_before_it_learns", SilentBefore, "is left before learning"),
    ("FittedTokenizerContract", "test_only_load_changes_it", LearnsAtOnce, "only load.. may"),
    ("FittedTokenizerContract", "test_only_load_changes_it", LearnsText, "returned str"),
    ("FittedTokenizerContract", "test_only_load_changes_it", KeepsTheFirst, "did not replace"),
    ("FittedTokenizerContract", "test_equal_pieces_teach_the_same", LearnsFromWhatItKnows, "after load"),
    ("FittedTokenizerContract", "test_equal_pieces_teach_the_same", LearnsHashes, "in another process"),
    ("FittedTokenizerContract", "test_damage_is_refused", AcceptsAll, "accepted 0 bytes"),
]
