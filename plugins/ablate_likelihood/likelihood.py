"""The negative log-likelihood that a trained model gives to pieces, seen and unseen."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

import ablate
from ablate.errors import CorpusError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ablate.interfaces import FloatArray

    Score = Callable[[ablate.Performance], FloatArray]


class Likelihood(ablate.ModelMetric):
    """The mean over tokens of ``-ln p(token | those before it)``, the logarithm of the perplexity, in nats a token.

    All tokens of all pieces are pooled, so that a long piece counts for more than a short one. Each piece is read as it
    stands in the corpus, before any augmenter, from its first token to its last: not in windows as in training, so a
    model meets longer contexts here than it learned from. Tokens are what one tokenizer makes of music: numbers of
    models with different tokenizers do not compare.

    The gap between the two is the generalisation gap; it grows as a model learns its pieces by heart.
    """

    def measure(
        self, score: Score, reference: Sequence[ablate.Performance], held_out: Sequence[ablate.Performance]
    ) -> ablate.Measured:
        """The pieces learned from as ``train``; if any are held out, these as ``held_out``, and the difference.

        Returns:
            ``train`` and ``held_out``, both 0 or more, lower is better, ``n`` their tokens; ``gap``, held-out minus
            train, ``n`` both their tokens. Without held-out pieces ``train`` alone.

        Raises:
            CorpusError: no piece of either has a token to predict.
        """
        train = _value("train", score, reference)
        if not held_out:
            return ablate.Measured((train,))
        unseen = _value("held_out", score, held_out)
        gap = ablate.Value("gap", unseen.value - train.value, train.unit, "none", train.n + unseen.n)
        return ablate.Measured((train, unseen, gap))


def _value(feature: str, score: Score, pieces: Sequence[ablate.Performance]) -> ablate.Value:
    nats = np.concatenate([np.empty(0), *map(score, pieces)])
    if not len(nats):
        which = "held-out pieces" if feature == "held_out" else "pieces to learn from"
        raise CorpusError(f"the {which} have no token to predict: each is of one token at most; take longer ones")
    return ablate.Value(feature, float(nats.mean()), "nat/token", "lower", len(nats))
