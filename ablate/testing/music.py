"""The contracts of corpora, augmenters, tokenizers and metrics."""

# ruff: noqa: S101 - these are tests, though a plugin's author imports them

from __future__ import annotations

import math
import numbers
import typing
from typing import TYPE_CHECKING, Any

import numpy as np

from ablate.interfaces import Direction
from ablate.music.performance import Performance
from ablate.specs import AugmenterSpec, CorpusSpec, MetricSpec, ModelMetricSpec, TokenizerSpec
from ablate.testing.base import Contract
from ablate.testing.samples import performances, same

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ablate.arrays import Array
    from ablate.interfaces import Histogram, Measurements


class CorpusContract(Contract):
    """A corpus loads valid music, which its identity identifies."""

    record = CorpusSpec

    def test_identity(self, settings: Mapping[str, Any]) -> None:
        """Check that a corpus has the same identity every time it is built."""
        identity = self.build(settings).identity()
        assert isinstance(identity, str), "the identity is no text"
        assert identity.strip(), "the identity is empty"
        assert self.build(settings).identity() == identity, "the identity of an unchanged corpus changed"

    def test_load(self, settings: Mapping[str, Any]) -> None:
        """Check that there is at least one performance, each valid and with notes, and the same at every load."""
        loaded = list(self.build(settings).load())
        assert loaded, "the corpus holds no performance"
        for performance in loaded:
            performance.check()
            assert len(performance), f"{performance.name or 'a performance'} holds no note"
        again = list(self.build(settings).load())
        assert len(again) == len(loaded), "another load gave another number of performances"
        assert all(map(same, loaded, again)), "another load gave other music"


class AugmenterContract(Contract):
    """An augmenter makes valid, labelled performances, leaves its input alone, and draws from ``rng`` only."""

    record = AugmenterSpec

    def augmented(self, settings: Mapping[str, Any], performance: Performance) -> list[Performance]:
        """Return the results of a new augmenter for the performance, under a fixed seed."""
        return list(self.build(settings).augment(performance, np.random.default_rng(1)))

    def test_results_are_valid(self, settings: Mapping[str, Any]) -> None:
        """Check that there is at least one valid performance with notes, and that labels are finite numbers."""
        for performance in performances():
            results = self.augmented(settings, performance)
            assert results, f"nothing comes out for '{performance.name}'"
            for result in results:
                result.check()
                assert len(result), f"a result for '{performance.name}' holds no note"
                for label, value in result.labels.items():
                    assert isinstance(value, numbers.Real), f"label {label} is no number: {value!r}"
                    assert math.isfinite(value), f"label {label} is {value}"

    def test_input_is_left_alone(self, settings: Mapping[str, Any]) -> None:
        """Check that the augmenter does not change its input."""
        for performance, untouched in zip(performances(), performances(), strict=True):
            self.augmented(settings, performance)
            assert same(performance, untouched), f"'{performance.name}' was changed in place"

    def test_seed_decides(self, settings: Mapping[str, Any]) -> None:
        """Check that the same generator state gives the same results."""
        for performance in performances():
            one, other = self.augmented(settings, performance), self.augmented(settings, performance)
            assert len(one) == len(other), "the same seed gave another number of results"
            assert all(map(same, one, other)), "the same seed gave other results"


class TokenizerContract(Contract):
    """A tokenizer writes any performance as valid ids, and reads any ids as a valid performance.

    Attributes:
        within: how far starts and ends may be off after encoding and decoding, in seconds, for notes within
            ``pitches``; None where nothing is promised.
        pitches: lowest and highest pitch for which ``within`` is promised.
    """

    record = TokenizerSpec
    within: float | None = None
    pitches: tuple[int, int] = (0, 127)

    def test_vocabulary(self, settings: Mapping[str, Any]) -> None:
        """Check that every id has a different word, and that the start token is one of the ids."""
        tokenizer = self.build(settings)
        words = tokenizer.vocabulary
        assert words, "the vocabulary is empty"
        assert all(isinstance(word, str) and word.strip() for word in words), "a word is empty or no text"
        assert len(set(words)) == len(words), "two ids have the same word"
        assert 0 <= tokenizer.start_token < len(words), "the start token is not in the vocabulary"

    def test_encode(self, settings: Mapping[str, Any]) -> None:
        """Check that ids are int64, in range and the same every time, and that the performance is not changed."""
        tokenizer, empty = self.build(settings), Performance.from_notes([])
        for performance, untouched in zip((*performances(), empty), (*performances(), empty), strict=True):
            tokens = tokenizer.encode(performance)
            assert tokens.dtype == np.int64, f"ids are {tokens.dtype}, not int64"
            assert tokens.ndim == 1, "ids have more than one dimension"
            assert ((tokens >= 0) & (tokens < len(tokenizer.vocabulary))).all(), "an id is out of range"
            assert same(performance, untouched), f"'{performance.name}' was changed in place"
            assert np.array_equal(tokens, self.build(settings).encode(untouched)), "encoding again gave other ids"

    def test_notes_survive(self, settings: Mapping[str, Any]) -> None:
        """Check that notes survive encoding and decoding; with ``within``, every start and end of each pitch."""
        tokenizer = self.build(settings)
        for performance in performances():
            decoded = tokenizer.decode(tokenizer.encode(performance))
            decoded.check()
            assert len(decoded), f"nothing is left of '{performance.name}'"
            if self.within is not None:
                self._compare(performance, decoded, self.within)

    def _compare(self, original: Performance, decoded: Performance, within: float) -> None:
        low, high = self.pitches
        notes = original.notes[(original.notes["pitch"] >= low) & (original.notes["pitch"] <= high)]
        assert len(notes) == len(decoded), f"'{original.name}' had {len(notes)} notes, now {len(decoded)}"
        for field in ("start", "end"):
            before, after = (n[np.lexsort([n[field], n["pitch"]])] for n in (notes, decoded.notes))
            assert np.array_equal(before["pitch"], after["pitch"]), f"pitches of '{original.name}' changed"
            off = np.abs(before[field] - after[field]).max()
            assert off <= within * (1 + 1e-9), f"a {field} in '{original.name}' is off by {off} s"

    def test_any_ids_decode(self, settings: Mapping[str, Any]) -> None:
        """Check that any sequence of ids is decoded to a valid performance, the same every time."""
        tokenizer, rng = self.build(settings), np.random.default_rng(0)
        for length in (0, 1, 2, 10, 100, 1000):
            tokens = rng.integers(len(tokenizer.vocabulary), size=length)
            decoded = tokenizer.decode(tokens)
            decoded.check()
            assert same(decoded, self.build(settings).decode(tokens.copy())), "decoding again gave other notes"

    def test_times(self, settings: Mapping[str, Any]) -> None:
        """Check that the clock has one finite time for each token, never runs backwards, and is causal."""
        tokenizer, rng = self.build(settings), np.random.default_rng(0)
        for length in (0, 1, 100):
            tokens = rng.integers(len(tokenizer.vocabulary), size=length)
            times = tokenizer.times(tokens)
            assert times.dtype == np.float64, f"times are {times.dtype}, not float64"
            assert times.shape == (length,), f"{times.shape} times for {length} tokens"
            assert np.isfinite(times).all(), "a time is not finite"
            assert (np.diff(times, prepend=0.0) >= 0).all(), "the clock runs backwards, or starts below 0"
            half = tokenizer.times(tokens[: length // 2])
            assert np.array_equal(half, times[: length // 2]), "a time depends on later tokens"

    def test_clock(self, settings: Mapping[str, Any]) -> None:
        """Check that the running clock returns, token by token, the times of the whole sequences."""
        tokenizer, rng = self.build(settings), np.random.default_rng(0)
        tokens_rt = rng.integers(len(tokenizer.vocabulary), size=(3, 50))
        advance = tokenizer.clock(3)
        running_rt = np.stack([advance(column_r) for column_r in tokens_rt.T], axis=1)
        assert running_rt.dtype == np.float64, f"times are {running_rt.dtype}, not float64"
        times_rt = np.stack([tokenizer.times(row_t) for row_t in tokens_rt])
        assert np.abs(running_rt - times_rt).max() <= 1e-9, "the running clock differs from the times"

    def test_grammar(self, settings: Mapping[str, Any]) -> None:
        """Check that the grammar, if there is one, allows the tokens of ``encode``, and always allows a token."""
        tokenizer, vocabulary = self.build(settings), len(self.build(settings).vocabulary)
        for performance in performances():
            tokens = tokenizer.encode(performance)
            follow = tokenizer.grammar(1)
            if follow is None:
                return
            for token, after in zip((tokenizer.start_token, *tokens[:-1]), tokens, strict=True):
                possible = follow(np.array([token]))
                assert possible.dtype == np.bool_, f"possible tokens are {possible.dtype}, not bool"
                assert possible.shape == (1, vocabulary), f"{possible.shape} for one row of {vocabulary} words"
                assert possible[0, after], f"'{tokenizer.vocabulary[after]}' is written, and called impossible"
        self._walk(tokenizer, vocabulary)

    def _walk(self, tokenizer: Any, vocabulary: int) -> None:
        """Check with any tokens, then with allowed ones, that a token is always allowed and rows are independent."""
        rng = np.random.default_rng(0)
        together, alone = tokenizer.grammar(2), tokenizer.grammar(1)
        tokens_r = np.full(2, tokenizer.start_token)
        for step in range(200):
            possible_rv = together(tokens_r)
            assert possible_rv.any(axis=1).all(), f"after {step} tokens none is possible"
            assert np.array_equal(alone(tokens_r[:1])[0], possible_rv[0]), "a row depends on the rows beside it"
            choices = [np.arange(vocabulary), np.flatnonzero(possible_rv[1])]
            tokens_r = np.array([rng.choice(choice) for choice in choices])


class _AnyMetricContract(Contract):
    """The part of the contract that both kinds of metric share."""

    def measured(self, settings: Mapping[str, Any]) -> list[Measurements]:
        """Return the metric's values in a few cases that may be compared."""
        raise NotImplementedError

    def test_values(self, settings: Mapping[str, Any]) -> None:
        """Check that values are finite, with a feature, a unit, a direction and a count, even for a single note."""
        for measured in self.measured(settings):
            assert measured.values, "no value"
            features = [value.feature for value in measured.values]
            assert len(set(features)) == len(features), "two values have the same feature"
            for value in measured.values:
                assert value.feature.strip(), "a feature has no name"
                assert math.isfinite(value.value), f"{value.feature} is {value.value}"
                assert value.direction in typing.get_args(Direction), f"unknown direction {value.direction!r}"
                assert value.unit.strip(), f"{value.feature} has no unit; a pure number's is '1'"
                assert value.n >= 0, f"{value.feature} rests on {value.n} observations"

    def test_features_are_fixed(self, settings: Mapping[str, Any]) -> None:
        """Check that features, units and directions do not depend on the sample: they are columns of one table."""
        columns = {tuple((v.feature, v.unit, v.direction) for v in m.values) for m in self.measured(settings)}
        assert len(columns) == 1, "features, units or directions differ between samples"

    def test_histograms(self, settings: Mapping[str, Any]) -> None:
        """Check that histograms have increasing edges and, in each bin, a finite count that is not negative."""
        for measured in self.measured(settings):
            for histogram in measured.histograms:
                self._check_histogram(histogram)

    def _check_histogram(self, histogram: Histogram) -> None:
        assert (np.diff(histogram.edges) > 0).all(), f"edges of {histogram.feature} do not increase"
        for counts in (histogram.reference, histogram.generated):
            assert len(counts) == len(histogram.edges) - 1, f"{histogram.feature}: counts do not fit the edges"
            assert all(math.isfinite(c) and c >= 0 for c in counts), f"{histogram.feature}: a count is negative"


class MetricContract(_AnyMetricContract):
    """A metric gives finite numbers, always under the same features, for any sample with a note."""

    record = MetricSpec

    def measured(self, settings: Mapping[str, Any]) -> list[Measurements]:
        """Return the values of each sample performance, with all of them as the reference."""
        metric = self.build(settings)
        return [metric.measure(sample, performances()) for sample in performances()]

    def test_copied_share(self, settings: Mapping[str, Any]) -> None:
        """Check that the feature that the record names as the copied share is there and is a share."""
        feature = self.spec.copied_share
        if not feature:
            return
        for result in self.measured(settings):
            shares = [value for value in result.values if value.feature == feature]
            assert shares, f"copied_share is '{feature}', but the metric has no such feature"
            is_share = shares[0].unit == "1" and 0 <= shares[0].value <= 1
            assert is_share, f"'{feature}' is {shares[0].value} {shares[0].unit}; a share is from 0 to 1, in unit '1'"

    def test_same_again(self, settings: Mapping[str, Any]) -> None:
        """Check that a second measurement is the same, and that neither sample nor reference is changed."""
        metric, sample, reference = self.build(settings), performances()[0], performances()
        first = metric.measure(sample, reference)
        assert metric.measure(sample, reference) == first, "measuring again gave other numbers"
        assert self.build(settings).measure(sample, reference) == first, "a new metric gave other numbers"
        assert self._untouched((sample, *reference)), "sample or reference was changed in place"

    def _untouched(self, given: Sequence[Performance]) -> bool:
        return all(map(same, given, (performances()[0], *performances())))


class ModelMetricContract(_AnyMetricContract):
    """A metric of models gives finite numbers, always the same for the same likelihoods."""

    record = ModelMetricSpec

    def measured(self, settings: Mapping[str, Any]) -> list[Measurements]:
        """Return the values for a model to which every token costs one nat, and for one with different costs."""
        metric, pieces = self.build(settings), performances()
        return [metric.measure(score, pieces[:2], pieces[2:]) for score in (_one_nat, _uneven)]

    def test_nothing_held_out(self, settings: Mapping[str, Any]) -> None:
        """Check that there are values even without held-out pieces."""
        assert self.build(settings).measure(_one_nat, performances(), []).values, "no value"

    def test_same_again(self, settings: Mapping[str, Any]) -> None:
        """Check that a second measurement is the same."""
        assert self.measured(settings) == self.measured(settings), "measuring again gave other numbers"


def _one_nat(performance: Performance) -> Array:
    return np.ones(2 * len(performance))


def _uneven(performance: Performance) -> Array:
    return np.linspace(0.0, 5.0, 2 * len(performance))
