"""Music before the network: corpora, augmenters and tokenizers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import numpy as np

    from ablate.arrays import BoolArray, FloatArray, IntArray
    from ablate.music.performance import Performance


class Corpus(ABC):
    """A set of performances.

    Attributes:
        problems: of the last ``load``, such as files that were left out, one line each; the study's report lists them.
        left_out: the numbers of ``files`` and ``notes`` that the last ``load`` left out; ``study run`` and the report
            state them.
        left_out_why: the reason for a part of them that an option asks for, behind the numbers: ``'504 notes by
            corpus.midi.instruments = "piano": Drums 504'``. Such a loss is no problem.
    """

    problems: tuple[str, ...] = ()
    left_out: Mapping[str, int] = MappingProxyType({})
    left_out_why: str = ""

    @abstractmethod
    def identity(self) -> str:
        """Return a text that changes whenever the performances would (for files: a digest of their contents)."""

    @abstractmethod
    def load(self) -> Sequence[Performance]:
        """Return the performances, at least one, each with at least one note and best with a name of its own.

        Pieces that share a name are numbered. A name may begin with folders (``"chopin/op-10/etude-1"``), which a
        study can split by.

        Raises:
            CorpusError: a file cannot be used; the message names it.
        """


class Augmenter(ABC):
    """Labelled variations of a performance."""

    @abstractmethod
    def augment(self, performance: Performance, rng: np.random.Generator) -> Sequence[Performance]:
        """Return the performances that replace ``performance`` in training, each with labels that describe it.

        ``rng`` is the only source of randomness; it belongs to this performance and replicate.
        """


class Tokenizer(ABC):
    """Performances as token ids, and back.

    Attributes:
        vocabulary: one unique word for each token id (``"note_on 60"``).
        start_token: the id before the first token of a sequence without a primer.
        instruments: whether it writes and restores the instrument of every note, drums (128) included. It may depend
            on the options. A tokenizer without it gets music of one instrument only, unless it merges; the caller
            gives the notes that it decodes that instrument.
        merges: whether it writes the notes of all pitched instruments as those of one, and leaves out drums.
    """

    vocabulary: tuple[str, ...]
    start_token: int
    instruments: bool = False
    merges: bool = False

    @abstractmethod
    def encode(self, performance: Performance) -> IntArray:
        """Return token ids, int64 [time], every id below ``len(vocabulary)``."""

    @abstractmethod
    def decode(self, tokens: IntArray) -> Performance:
        """Return the performance of *any* sequence of valid ids; a model may generate any, so there are no errors."""

    @abstractmethod
    def times(self, tokens: IntArray) -> FloatArray:
        """Return the clock in seconds at each token, float64 [time], never decreasing."""

    def clock(self, rows: int) -> Callable[[IntArray], FloatArray]:
        """Return a running clock for ``rows`` sequences that grow by one token at each call.

        Returns:
            A function from the next token of every row, int64 [rows], to the clock in seconds at those tokens, float64
            [rows]: the last entry of :meth:`times` for each sequence so far. It stores the sequences.

        The default calls :meth:`times` with the whole sequences at every call, which takes longer with every token;
        override it with a faster one where possible.
        """
        import numpy as np

        sequences: list[IntArray] = [np.empty(0, np.int64)] * rows

        def advance(tokens: IntArray) -> FloatArray:
            for row, token in enumerate(tokens):
                sequences[row] = np.append(sequences[row], token)
            return np.array([self.times(sequence)[-1] for sequence in sequences], np.float64)

        return advance

    def grammar(self, rows: int) -> Callable[[IntArray], BoolArray] | None:
        """Return the rules of possible next tokens for ``rows`` sequences; None allows every token, always.

        Returns:
            A function from the latest token of every row, int64 [rows], to the possible next tokens, bool
            [rows, vocabulary], at least one in every row. It stores the state of the sequences. The first token of a
            sequence is either the start token or the first one of a primer.
        """
        del rows
        return None


class FittedTokenizer(Tokenizer):
    """A tokenizer that is fitted on the training pieces, such as byte-pair encoding.

    It is complete before it has learned anything, and after :meth:`load` it uses what was learned. The options alone
    decide the number of words in ``vocabulary``, so that models can be built, timed and fused before anything is
    learned. A word that nothing was learned for, before :meth:`load` or because the pieces offered too little, has an
    id that ``encode`` never writes and that decodes to nothing.

    Attributes:
        unused: the number of words that nothing was learned for.
    """

    unused: int

    @abstractmethod
    def fit(self, performances: Sequence[Performance]) -> bytes:
        """Return what these pieces teach, as the contents of a file that :meth:`load` reads.

        The tokenizer itself does not change. The pieces are those of the training split, as they are in the corpus,
        before any augmenter. The same pieces and options always give the same bytes: there is no randomness, and
        nothing may depend on the order of a set or on the number of threads. A piece may have no notes.

        Raises:
            ValueError: it cannot be fitted on these pieces; the message contains the reason.
        """

    @abstractmethod
    def load(self, state: bytes) -> None:
        """Use what :meth:`fit` returned, in place of what was loaded before.

        Raises:
            ValueError: these are not the bytes that ``fit`` returns under these options.
        """
