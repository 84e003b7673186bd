"""The tokens of ``midilike``, with frequent neighbours merged into tokens of their own: byte-pair encoding.

Learning begins with the tokens of the training pieces. It merges the most frequent pair of neighbours into a new
token, everywhere, counts again, and repeats this until the vocabulary is full or no pair occurs twice. Of pairs that
occur equally often, the one with the smallest ids is merged first. Encoding repeats the merges in the order in which
they were learned. So nothing is lost: every token stands for a fixed sequence of the tokens of ``midilike``, and the
notes, the clock and the grammar are those of that sequence.

Two ways of merging can give the same sequence (first ``a b`` and then ``c``, or first ``b c``); they share one token.
"""

from __future__ import annotations

import collections
import heapq
import json
from typing import TYPE_CHECKING, Any

import numpy as np

import ablate
from ablate_midilike.grid import GridTokenizer
from ablate_midilike.instruments import InstrumentGrammar
from ablate_midilike.merged import MergedGrammar, MergedInstrumentGrammar, Parts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from ablate.arrays import FloatArray, IntArray
    from ablate_midilike.options import BpeOptions

#: Between two pieces while learning: not a token.
_GAP = -1
#: Bits of an id where two are written as one number.
_BITS = 32


class Merges:
    """Merges in the order in which they were learned.

    Args:
        base: the number of ids before any merge.

    Attributes:
        steps: of each merge the two ids, and the id that replaces them.
        sequences: of each id the ids without merges that it stands for.
    """

    def __init__(self, base: int) -> None:
        self.steps: list[tuple[int, int, int]] = []
        self.sequences: list[tuple[int, ...]] = [(token,) for token in range(base)]
        self._ids = {sequence: token for token, sequence in enumerate(self.sequences)}

    def add(self, left: int, right: int) -> None:
        """Add the merge of two ids."""
        sequence = self.sequences[left] + self.sequences[right]
        if sequence not in self._ids:
            self._ids[sequence] = len(self.sequences)
            self.sequences.append(sequence)
        self.steps.append((left, right, self._ids[sequence]))


class BpeTokenizer(ablate.FittedTokenizer):
    """``midilike-bpe``: first the words of ``midilike``, then those of the merges, then the unused ones."""

    def __init__(self, options: BpeOptions) -> None:
        self._base = GridTokenizer(options)
        self.instruments, self.merges = self._base.instruments, self._base.merges
        self._step, self._size = options.step, options.vocabulary
        self.start_token = self._base.start_token
        self._use(Merges(len(self._base.vocabulary)))

    def _use(self, merges: Merges) -> None:
        words = self._base.vocabulary
        self._merges, self.unused = merges, self._size - len(merges.sequences)
        names = (" + ".join(words[part] for part in sequence) for sequence in merges.sequences)
        self.vocabulary = (*names, *(f"unused {number}" for number in range(self.unused)))
        self._parts = Parts([*merges.sequences, *[()] * self.unused])
        self._moves_v = self._parts.sums(self._base.moves)

    def fit(self, performances: Sequence[ablate.Performance]) -> bytes:
        """Return the merges as JSON."""
        pieces = [np.append(self._base.encode(performance), _GAP) for performance in performances]
        merges, text = Merges(len(self._base.vocabulary)), Text(np.concatenate([np.empty(0, np.int64), *pieces]))
        while len(merges.sequences) < self._size and (pair := text.most_frequent_pair()):
            merges.add(*pair)
            text.merge(*merges.steps[-1])
        return _packed(len(self._base.vocabulary), [step[:2] for step in merges.steps])

    def load(self, state: bytes) -> None:
        """Use the merges that :meth:`fit` returned."""
        merges = Merges(len(self._base.vocabulary))
        for left, right in _unpacked(state, len(self._base.vocabulary)):
            if not (min(left, right) >= 0 and max(left, right) < len(merges.sequences) < self._size):
                raise ValueError("its merges are those of another vocabulary")
            merges.add(left, right)
        self._use(merges)

    def encode(self, performance: ablate.Performance) -> IntArray:
        """Return token ids, int64 [time]; the same for any order of the notes."""
        tokens = self._base.encode(performance)
        for step in self._merges.steps:
            tokens = merge(tokens, *step)
        return tokens

    def decode(self, tokens: IntArray) -> ablate.Performance:
        """Return the notes of the sequence that the tokens stand for; unused ids are left out."""
        return self._base.decode(self._parts.expand(tokens)[0])

    def times(self, tokens: IntArray) -> FloatArray:
        """Return the clock in seconds after the last part of each token, float64 [time]."""
        return np.asarray(np.cumsum(self._moves_v[tokens]) * self._step)

    def clock(self, rows: int) -> Callable[[IntArray], FloatArray]:
        """Return a running clock: whole steps, multiplied once."""
        steps_r = np.zeros(rows, np.int64)

        def advance(tokens_r: IntArray) -> FloatArray:
            nonlocal steps_r
            steps_r = steps_r + self._moves_v[tokens_r]
            return np.asarray(steps_r * self._step)

        return advance

    def grammar(self, rows: int) -> MergedGrammar:
        """Return the rules of ``midilike``: a merged token is possible where its parts are, one after another.

        The sequences that they allow are those that ``midilike`` can write, merged in any way.
        """
        base = self._base.grammar(rows)
        if isinstance(base, InstrumentGrammar):
            return MergedInstrumentGrammar(base, self._parts, self.start_token, rows)
        return MergedGrammar(base, self._parts, self.start_token, rows)


class Text:
    """Tokens with the number of times that each two of them are neighbours; merging a pair changes few of the numbers.

    Args:
        tokens: of all pieces, with -1 between two pieces.
    """

    def __init__(self, tokens: IntArray) -> None:
        self.tokens = tokens
        self._counts: collections.Counter[int] = collections.Counter()
        #: pairs by their count when it last changed; those with another count by now are ignored
        self._heap: list[tuple[int, int]] = []
        self._count(np.arange(len(tokens) - 1), 1)

    def _count(self, at: IntArray, sign: int) -> None:
        """Add the pairs at these positions to the counts, or subtract them."""
        at = np.unique(at[(at >= 0) & (at < len(self.tokens) - 1)])
        left, right = self.tokens[at], self.tokens[at + 1]
        pairs, counts = np.unique((left << _BITS | right)[(left != _GAP) & (right != _GAP)], return_counts=True)
        for pair, count in zip(pairs.tolist(), counts.tolist(), strict=True):
            self._counts[pair] += sign * count
            heapq.heappush(self._heap, (-self._counts[pair], pair))

    def most_frequent_pair(self) -> tuple[int, int] | None:
        """Return the two neighbours that occur most often, at least twice; of several, those with the smallest ids."""
        while self._heap:
            count, pair = self._heap[0]
            if -count == self._counts[pair]:
                return divmod(pair, 1 << _BITS) if -count >= 2 else None
            heapq.heappop(self._heap)
        return None

    def merge(self, left: int, right: int, merged: int) -> None:
        """Merge a pair everywhere, as :func:`merge` does."""
        at = places(self.tokens, left, right)
        self._count(np.concatenate([at - 1, at, at + 1]), -1)
        self.tokens = replaced(self.tokens, at, merged)
        at = at - np.arange(len(at))
        self._count(np.concatenate([at - 1, at]), 1)


def merge(tokens: IntArray, left: int, right: int, merged: int) -> IntArray:
    """Return the tokens with ``merged`` in place of each ``left right``; of pairs that overlap, the first is merged."""
    return replaced(tokens, places(tokens, left, right), merged)


def places(tokens: IntArray, left: int, right: int) -> IntArray:
    """Return the positions of the pairs to merge: of those that overlap, every second one."""
    at = np.flatnonzero((tokens[:-1] == left) & (tokens[1:] == right))
    if left == right and len(at):
        begins = np.diff(at, prepend=-2) > 1
        run = at[begins][np.cumsum(begins) - 1]
        at = at[(at - run) % 2 == 0]
    return at


def replaced(tokens: IntArray, at: IntArray, merged: int) -> IntArray:
    """Return the tokens with ``merged`` in place of the two at each of the positions."""
    if not len(at):
        return tokens
    tokens = tokens.copy()
    tokens[at] = merged
    return np.delete(tokens, at + 1)


def _packed(base: int, merges: Iterable[tuple[int, int]]) -> bytes:
    return json.dumps({"base": base, "merges": list(merges)}).encode()


def _unpacked(state: bytes, base: int) -> list[tuple[int, int]]:
    """Return the merges.

    Raises:
        ValueError: the bytes are damaged, or belong to options with another number of ids.
    """
    data: Any = json.loads(state)
    if not isinstance(data, dict) or data.get("base") != base:
        raise ValueError("its merges are those of another vocabulary")
    try:
        return [(int(left), int(right)) for left, right in data["merges"]]
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError("the list of merges is damaged") from error
