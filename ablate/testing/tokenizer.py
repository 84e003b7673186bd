"""The contract of tokenizers."""

# ruff: noqa: S101 - these are tests, though a plugin's author imports them

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from ablate.interfaces import FittedTokenizer
from ablate.music.instruments import counts, merged
from ablate.music.performance import Performance
from ablate.specs import TokenizerSpec
from ablate.testing.base import Contract
from ablate.testing.material import ensembles, equal_performances, performances

if TYPE_CHECKING:
    from collections.abc import Mapping

_FLUTE = 73


class TokenizerContract(Contract):
    """A tokenizer encodes any performance as valid ids, and decodes any ids to a valid performance.

    One that says that it writes instruments restores them, drums included.

    Attributes:
        within: largest error of starts and ends after encoding and decoding, in seconds, for notes within
            ``pitches``; None without such a bound.
        pitches: lowest and highest pitch to which ``within`` applies.
        learns: whether the contract is of tokenizers that learn (:class:`ablate.testing.FittedTokenizerContract`).
    """

    record = TokenizerSpec
    learns: ClassVar[bool] = False
    within: float | None = None
    pitches: tuple[int, int] = (0, 127)

    def test_learns(self, settings: Mapping[str, Any]) -> None:
        """Check that the record, the class and the contract agree on whether the tokenizer learns."""
        learns = isinstance(super().build(settings), FittedTokenizer)
        assert self.spec.fitted == learns, f"the record has fitted={self.spec.fitted}, but the class says {learns}"
        contract = "FittedTokenizerContract" if learns else "TokenizerContract"
        assert self.learns == learns, f"subclass {contract}: fitted is {self.spec.fitted}"

    def test_vocabulary(self, settings: Mapping[str, Any]) -> None:
        """Check that every id has a unique word, and that the start token is one of the ids."""
        tokenizer = self.build(settings)
        words = tokenizer.vocabulary
        assert words, "the vocabulary is empty"
        assert all(isinstance(word, str) and word.strip() for word in words), "a word is empty or not a string"
        assert len(set(words)) == len(words), "two ids have the same word"
        assert 0 <= tokenizer.start_token < len(words), "the start token is not in the vocabulary"

    def test_encode(self, settings: Mapping[str, Any]) -> None:
        """Check that ids are int64, in range and always the same, and that the performance is not changed."""
        tokenizer, empty = self.build(settings), Performance.from_notes([])
        for performance, original in zip((*performances(), empty), (*performances(), empty), strict=True):
            tokens = tokenizer.encode(performance)
            assert tokens.dtype == np.int64, f"ids are {tokens.dtype}, not int64"
            assert tokens.ndim == 1, f"ids have {tokens.ndim} dimensions, not one"
            assert ((tokens >= 0) & (tokens < len(tokenizer.vocabulary))).all(), "an id is out of range"
            assert equal_performances(performance, original), f"'{performance.name}' was changed in place"
            assert np.array_equal(tokens, self.build(settings).encode(original)), "encoding again gave other ids"

    def test_notes_survive(self, settings: Mapping[str, Any]) -> None:
        """Check that notes are left after encoding and decoding; with ``within``, that starts and ends agree."""
        tokenizer = self.build(settings)
        for performance in performances():
            decoded = tokenizer.decode(tokenizer.encode(performance))
            decoded.check()
            assert len(decoded), f"no note of '{performance.name}' is left after encoding and decoding"
            if self.within is not None:
                self._compare(performance, decoded, self.within)

    def _compare(self, original: Performance, decoded: Performance, within: float) -> None:
        low, high = self.pitches
        notes = original.notes[(original.notes["pitch"] >= low) & (original.notes["pitch"] <= high)]
        assert len(notes) == len(decoded), f"'{original.name}' had {len(notes)} notes, now {len(decoded)}"
        for field in ("start", "end"):
            before, after = (n[np.lexsort([n[field], n["pitch"]])] for n in (notes, decoded.notes))
            assert np.array_equal(before["pitch"], after["pitch"]), f"pitches of '{original.name}' changed"
            error = np.abs(before[field] - after[field]).max()
            article = "an" if field == "end" else "a"
            assert error <= within * (1 + 1e-9), f"{article} {field} in '{original.name}' is off by {error} s"

    def test_instruments(self, settings: Mapping[str, Any]) -> None:
        """Check that a tokenizer of instruments restores those of all notes that survive, and that others decode.

        A tokenizer without instruments gets music of one instrument; one that merges writes any music as
        :func:`ablate.music.instruments.merged` has it.
        """
        tokenizer = self.build(settings)
        assert not (tokenizer.instruments and tokenizer.merges), "it writes instruments, so it cannot merge them"
        for performance in ensembles():
            if tokenizer.instruments:
                self._check_instruments(performance, tokenizer.decode(tokenizer.encode(performance)))
            if tokenizer.merges:
                tokens, of_merged = (tokenizer.encode(each) for each in (performance, merged(performance).performance))
                assert np.array_equal(tokens, of_merged), f"'{performance.name}' has other ids than the merged piece"
        flute = performances()[0]
        flute.notes["instrument"] = _FLUTE
        decoded = tokenizer.decode(tokenizer.encode(flute))
        decoded.check()
        assert len(decoded), "no note of a flute is left after encoding and decoding"

    def _check_instruments(self, original: Performance, decoded: Performance) -> None:
        decoded.check()
        before, after = counts(original.notes), counts(decoded.notes)
        assert before.keys() == after.keys(), (
            f"'{original.name}' has instruments {list(before)}, and {list(after)} after encoding and decoding"
        )
        low, high = self.pitches
        if self.within is not None and ((original.notes["pitch"] >= low) & (original.notes["pitch"] <= high)).all():
            assert before == after, f"'{original.name}' has {before} notes of each instrument, now {after}"

    def test_any_ids_decode(self, settings: Mapping[str, Any]) -> None:
        """Check that any ids, as a model may generate them, decode to a valid performance, always the same."""
        tokenizer, rng = self.build(settings), np.random.default_rng(0)
        for length in (0, 1, 2, 10, 100, 1000):
            tokens = rng.integers(len(tokenizer.vocabulary), size=length)
            decoded = tokenizer.decode(tokens)
            decoded.check()
            assert equal_performances(decoded, self.build(settings).decode(tokens.copy())), (
                "decoding again gave other notes"
            )

    def test_times(self, settings: Mapping[str, Any]) -> None:
        """Check that each token has a finite time, never decreasing, that does not depend on later tokens."""
        tokenizer, rng = self.build(settings), np.random.default_rng(0)
        for length in (0, 1, 100):
            tokens = rng.integers(len(tokenizer.vocabulary), size=length)
            times = tokenizer.times(tokens)
            assert times.dtype == np.float64, f"times are {times.dtype}, not float64"
            assert times.shape == (length,), f"times have shape {times.shape} for {length} tokens"
            assert np.isfinite(times).all(), "a time is not finite"
            assert (np.diff(times, prepend=0.0) >= 0).all(), "the clock runs backwards, or starts below 0"
            half = tokenizer.times(tokens[: length // 2])
            assert np.array_equal(half, times[: length // 2]), "a time depends on later tokens"

    def test_clock(self, settings: Mapping[str, Any]) -> None:
        """Check that the running clock gives, token by token, the times of the whole sequences."""
        tokenizer, rng = self.build(settings), np.random.default_rng(0)
        tokens_rt = rng.integers(len(tokenizer.vocabulary), size=(3, 50))
        advance = tokenizer.clock(3)
        running_rt = np.stack([advance(column_r) for column_r in tokens_rt.T], axis=1)
        assert running_rt.dtype == np.float64, f"times of the running clock are {running_rt.dtype}, not float64"
        times_rt = np.stack([tokenizer.times(row_t) for row_t in tokens_rt])
        assert np.abs(running_rt - times_rt).max() <= 1e-9, "the running clock differs from times()"

    def test_grammar(self, settings: Mapping[str, Any]) -> None:
        """Check that a grammar allows every result of ``encode``, and always some token."""
        tokenizer, vocabulary = self.build(settings), len(self.build(settings).vocabulary)
        for performance in performances():
            tokens = tokenizer.encode(performance)
            follow = tokenizer.grammar(1)
            if follow is None:
                return
            for token, after in zip((tokenizer.start_token, *tokens[:-1]), tokens, strict=True):
                possible = follow(np.array([token]))
                assert possible.dtype == np.bool_, f"possible tokens are {possible.dtype}, not bool"
                shape = possible.shape
                assert shape == (1, vocabulary), f"possible tokens have shape {shape}, not {(1, vocabulary)}"
                word = tokenizer.vocabulary[after]
                assert possible[0, after], f"encode() writes '{word}' where the grammar forbids it"
        self._walk(tokenizer, vocabulary)

    def _walk(self, tokenizer: Any, vocabulary: int) -> None:
        """Check rows of arbitrary and of possible tokens: some token is always left, and rows are independent."""
        rng = np.random.default_rng(0)
        together, alone = tokenizer.grammar(2), tokenizer.grammar(1)
        tokens_r = np.full(2, tokenizer.start_token)
        for step in range(200):
            possible_rv = together(tokens_r)
            assert possible_rv.any(axis=1).all(), f"after {step} tokens the grammar allows none"
            assert np.array_equal(alone(tokens_r[:1])[0], possible_rv[0]), "the grammar of a row depends on other rows"
            choices = [np.arange(vocabulary), np.flatnonzero(possible_rv[1])]
            tokens_r = np.array([rng.choice(choice) for choice in choices])
