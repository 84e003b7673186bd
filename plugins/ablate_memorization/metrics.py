"""Three metrics of the copied passages of a sample; :mod:`ablate_memorization.copies` defines a copied passage.

Sources, and differences from them:

- The share of generated n-grams that occur in the training data is one minus the n-gram novelty of R. T. McCoy et al.,
  "How much do language models copy from their training data?" (TACL 11, 2023). There, n-grams consist of words and
  must be equal; here, they consist of notes, and intervals have a tolerance.
- N. Carlini et al., "Quantifying memorization across neural language models" (2022; ICLR 2023), call a sequence
  memorised if the model continues a prompt from the training data greedily with exactly this sequence. Here there is
  no prompt, unless the study has a primer, and every generated note is searched for in every piece.
- Z. Yin et al., "Measuring when a music generation algorithm copies too much" (SN Computer Science 3, 2022), take for
  a passage of a sample the best match in the reference of its points in time and pitch, and compare it with the same
  number for human pieces. Their fingerprints of three notes also tolerate small deviations, changes of tempo and other
  notes in between; there the notes of a match need not be successive, here they must be.

Compare the numbers with those of human pieces, as Yin et al. do. Of the first 1,000 notes of each of the 50 pieces of
the Saarland Music Data, 1.8 % of the 8-grams are in the other 49 pieces (at most 13 %), the longest passage has 11
notes (at most 22), and passages of 20 notes or more are in one piece only. The pieces share repeated notes and scales,
and many more of them when transposed: 14 % of the 8-grams in every fifth of the pieces, 1 % of the 16-grams.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

import ablate
from ablate.errors import CorpusError, NothingGenerated
from ablate_memorization.copies import part_of
from ablate_memorization.searches import Pieces, searches_in

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ablate.arrays import BoolArray, IntArray
    from ablate_memorization.options import LongestOptions

    Values = tuple[ablate.Value, ...]


class Memorization(ablate.Metric):
    """The copied part of a sample, from any reference piece.

    Args:
        options: which notes count as the same.
        read: computes the values from the length of the copied passage that ends at each note of a sample, [notes].
    """

    def __init__(self, options: LongestOptions, read: Callable[[IntArray], Values]) -> None:
        self._options = options
        self._read = read
        self._reference: Pieces | None = None

    def measure(self, generated: ablate.Performance, reference: Sequence[ablate.Performance]) -> ablate.Measurements:
        """Return the values of the sample.

        The index of the reference is kept for the next samples, and the search in it for the other two metrics: see
        :mod:`ablate_memorization.searches`.

        Raises:
            NothingGenerated: the sample has no notes of the part that is searched.
            CorpusError: the reference has none.
        """
        if lack := self._lack(generated):
            raise NothingGenerated(f"the sample has no {lack} to measure")
        if lack := self._lack(*reference):
            raise CorpusError(f"the reference has no {lack} to compare with")
        if self._reference is None or self._reference.pieces is not reference:
            self._reference = Pieces(reference)
        return ablate.Measurements(self._read(searches_in(self._reference, self._options).lengths(generated)))

    def _lack(self, *pieces: ablate.Performance) -> str:
        """Return the name of the notes that no piece has; empty where one has notes of the part."""
        part = self._options.part
        if any(len(part_of(piece.notes, part)) for piece in pieces):
            return ""
        names = {"pitched": "pitched notes", "drums": "drum notes"}
        return names[part] if any(map(len, pieces)) else "notes"


def ngrams(lengths: IntArray, n: int) -> Values:
    """Return the share, 0 to 1, of the sample's n-grams of notes that occur in a reference piece.

    The value's ``n`` counts the n-grams; a sample of fewer than ``n`` notes has the share 0.
    """
    copied = lengths[n - 1 :] >= n
    return (_share(copied),)


def longest(lengths: IntArray) -> Values:
    """Return the longest copied passage, in notes and as a share, 0 to 1; ``n`` counts the sample's notes."""
    notes = int(lengths.max())
    return (
        ablate.Value(notes, feature="notes", unit="notes", n=len(lengths)),
        ablate.Value(notes / len(lengths), feature="share", n=len(lengths), share=True),
    )


def covered(lengths: IntArray, length: int) -> Values:
    """Return the share, 0 to 1, of notes in copied passages of at least ``length``; ``n`` counts the sample's notes."""
    ends = np.flatnonzero(lengths >= length)
    edges = np.zeros(len(lengths) + 1, np.int64)
    np.add.at(edges, ends - lengths[ends] + 1, 1)
    np.add.at(edges, ends + 1, -1)
    return (_share(edges[:-1].cumsum() > 0),)


def _share(mask: BoolArray) -> ablate.Value:
    return ablate.Value(float(mask.mean()) if len(mask) else 0.0, feature="share", n=len(mask), share=True)
