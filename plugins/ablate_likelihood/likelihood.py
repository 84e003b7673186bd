"""The negative log-likelihood of training, validation and test pieces under a trained model."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, NamedTuple

import ablate
from ablate.errors import CorpusError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from ablate.arrays import FloatArray

    Score = Callable[[ablate.Performance], FloatArray]


class _Cost(NamedTuple):
    """The nats of some pieces, and what they are divided by."""

    nats: float
    tokens: int
    notes: int
    seconds: float


class Likelihood(ablate.ModelMetric):
    """The mean of ``-ln p(token | earlier tokens)``, in nats per note, per second and per token.

    The nats of all pieces are added up, and divided by the number of their notes, by their duration in seconds, or by
    the number of their tokens, so a long piece counts more than a short one. Each piece is read as it is in the corpus,
    before any augmenter, from its first token to its last: not in windows as in training, so contexts are longer here.
    The first token of a piece is not predicted, so its nats are in none of the sums.

    Nats per token (the logarithm of the perplexity) depend on what a token is: a tokenizer that joins several tokens
    into one has more nats in each token, also for a better model. They are declared as comparable within a tokenizer
    only. Nats per note and per second have the same unit for every tokenizer. A tokenizer that loses a part of the
    music (fine timing, velocities, drums) has less to predict, so compare its round trip too: the notes of a piece are
    all notes that the corpus has, of every instrument, and with those that the tokenizer leaves out.

    ``gap`` is the cost of the test pieces minus that of the training pieces (of the validation pieces, if there are no
    test pieces); it grows as a model memorises its pieces.
    """

    def measure(
        self,
        score: Score,
        train: Sequence[ablate.Performance],
        validation: Sequence[ablate.Performance],
        test: Sequence[ablate.Performance],
    ) -> ablate.Measurements:
        """Return the likelihood of each part of the split that has pieces, and the gap.

        Returns:
            For ``test``, ``validation`` and ``train``, in this order and where there are pieces: ``PART_per_note``,
            ``PART_per_second`` and ``PART`` (per token), all at least 0, lower is better; then ``gap_per_note``,
            ``gap_per_second`` and ``gap``, where pieces are held out. ``n`` is the number of predicted tokens. Of the
            unseen pieces and of the gap, the values per second and per token are details; of the training pieces all
            are, unless no pieces are held out.

        Raises:
            CorpusError: pieces of a part have no token to predict, no note, or no duration.
        """
        parts = {"test": test, "validation": validation, "train": train}
        costs = {name: _cost(name, score, pieces) for name, pieces in parts.items() if pieces}
        main, *details = costs
        values = [*_values(main, costs[main])]
        for name in details:
            values += (dataclasses.replace(value, detail=True) for value in _values(name, costs[name]))
        return ablate.Measurements((*values, *(_gaps(costs[main], costs["train"]) if details else ())))


def _cost(name: str, score: Score, pieces: Sequence[ablate.Performance]) -> _Cost:
    nats = [score(piece) for piece in pieces]
    # a piece without a token to predict has no cost, so its notes and seconds do not count either
    counted = [piece for piece, each in zip(pieces, nats, strict=True) if len(each)]
    cost = _Cost(
        float(sum(each.sum() for each in nats)),
        sum(map(len, nats)),
        sum(map(len, counted)),
        sum(piece.seconds for piece in counted),
    )
    words = {"train": "training pieces", "validation": "validation pieces", "test": "test pieces"}[name]
    if not cost.tokens:
        raise CorpusError(f"the {words} have no token to predict: each has one token at most; choose longer pieces")
    if not (cost.notes and cost.seconds):
        raise CorpusError(f"the {words} have no notes, or no duration; choose others")
    return cost


def _values(name: str, cost: _Cost) -> Iterator[ablate.Value]:
    """Yield the cost per note, per second and per token; the latter two as details."""
    per_note = ablate.Value(
        cost.nats / cost.notes, feature=f"{name}_per_note", unit="nat/note", direction="lower", n=cost.tokens
    )
    yield per_note
    feature = f"{name}_per_second"
    yield dataclasses.replace(per_note, value=cost.nats / cost.seconds, feature=feature, unit="nat/s", detail=True)
    per_token = cost.nats / cost.tokens
    yield dataclasses.replace(
        per_note, value=per_token, feature=name, unit="nat/token", within="tokenizer", detail=True
    )


def _gaps(unseen: _Cost, train: _Cost) -> Iterator[ablate.Value]:
    """Yield the costs of unseen pieces minus those of the training pieces."""
    for one, other in zip(_values("gap", unseen), _values("gap", train), strict=True):
        yield dataclasses.replace(one, value=one.value - other.value, direction="none", n=one.n + other.n)
