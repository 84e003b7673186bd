"""Three readings of the copied runs of a sample (see :mod:`ablate_memorization.copies` for what a copied run is).

Where they come from, and what differs:

- The share of generated n-grams that stand in the training data is one minus the n-gram novelty of R. T. McCoy et al.,
  "How much do language models copy from their training data?" (TACL 11, 2023). There n-grams are of words and equal or
  not; here of notes, and intervals have a tolerance.
- N. Carlini et al., "Quantifying memorization across neural language models" (2022; ICLR 2023), call a sequence
  memorised if the model, given what came before it in the training data, greedily goes on with it to the letter. Here
  nothing is given, unless the study has a primer, and whatever the model plays is searched for in every piece.
- Z. Yin et al., "Measuring when a music generation algorithm copies too much" (SN Computer Science 3, 2022), take for
  a passage of a sample the best match in the reference of its points in time and pitch, and compare that with the same
  number for pieces by people. Their fingerprints of three notes also pass over small deviations, changes of tempo and
  other notes in between; there the notes of a match need not be successive, here they must be.

Read the numbers beside what pieces by people have in common, as Yin et al. do. Of the first 1,000 notes of each of the
50 pieces of the Saarland Music Data, 1.8 % of the 8-grams are in the other 49 pieces (at most 13 %), the longest run
has 11 notes (at most 22), and runs of 20 notes or more are in one piece only. It is repeated notes and scales that they
share, and much more of these when transposed: 14 % of the 8-grams in every fifth of the pieces, 1 % of the 16-grams.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

import ablate
from ablate.errors import CorpusError, NothingGenerated
from ablate_memorization.copies import CopyFinder

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ablate.interfaces import BoolArray, IntArray
    from ablate_memorization.options import LongestOptions

    Values = tuple[ablate.Value, ...]


class Memorization(ablate.Metric):
    """What is copied, from whichever reference piece it is.

    Args:
        options: what counts as the same notes.
        read: the values, from how long a copied run ends at each note of a sample, [notes].
    """

    def __init__(self, options: LongestOptions, read: Callable[[IntArray], Values]) -> None:
        self._options = options
        self._read = read
        self._indexed: tuple[Sequence[ablate.Performance], CopyFinder] | None = None

    def measure(self, generated: ablate.Performance, reference: Sequence[ablate.Performance]) -> ablate.Measured:
        """What ``read`` makes of the sample.

        The index of the reference is kept for the next sample that comes with the very same one.

        Raises:
            NothingGenerated: the sample holds no note.
            CorpusError: nor does the reference.
        """
        if not len(generated):
            raise NothingGenerated("the sample holds no note to measure")
        if not any(map(len, reference)):
            raise CorpusError("the reference holds no note to compare with")
        if self._indexed is None or self._indexed[0] is not reference:
            self._indexed = reference, CopyFinder(reference, self._options)
        return ablate.Measured(self._read(self._indexed[1].lengths(generated)))


def ngrams(lengths: IntArray, n: int) -> Values:
    """The share, 0 to 1, of the sample's n-grams of notes that stand in a reference piece; ``n`` counts the n-grams.

    0 for a sample of fewer notes than that.
    """
    copied = lengths[n - 1 :] >= n
    return (_share(copied),)


def longest(lengths: IntArray) -> Values:
    """The longest copied run in notes, and as a share, 0 to 1, of the sample's; ``n`` counts the sample's notes."""
    notes = int(lengths.max())
    return (
        ablate.Value("notes", notes, "notes", "none", len(lengths)),
        ablate.Value("share", notes / len(lengths), "1", "none", len(lengths)),
    )


def covered(lengths: IntArray, length: int) -> Values:
    """The share, 0 to 1, of the sample's notes in copied runs of ``length`` notes or more; ``n`` counts its notes."""
    ends = np.flatnonzero(lengths >= length)
    edges = np.zeros(len(lengths) + 1, np.int64)
    np.add.at(edges, ends - lengths[ends] + 1, 1)
    np.add.at(edges, ends + 1, -1)
    return (_share(edges[:-1].cumsum() > 0),)


def _share(marked: BoolArray) -> ablate.Value:
    return ablate.Value("share", float(marked.mean()) if len(marked) else 0.0, "1", "none", len(marked))
