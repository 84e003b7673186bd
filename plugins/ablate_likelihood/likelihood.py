"""The negative log-likelihood of training pieces and held-out pieces under a trained model."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

import ablate
from ablate.errors import CorpusError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ablate.arrays import FloatArray

    Score = Callable[[ablate.Performance], FloatArray]


class Likelihood(ablate.ModelMetric):
    """The mean over tokens of ``-ln p(token | earlier tokens)``, the logarithm of the perplexity, in nats per token.

    All tokens of all pieces are pooled, so a long piece counts more than a short one. Each piece is read as it is in
    the corpus, before any augmenter, from its first token to its last: not in windows as in training, so contexts are
    longer here. Numbers of models with different tokenizers cannot be compared.

    The difference between held-out and training pieces is the generalisation gap; it grows as a model memorises its
    pieces.
    """

    def measure(
        self, score: Score, reference: Sequence[ablate.Performance], held_out: Sequence[ablate.Performance]
    ) -> ablate.Measurements:
        """Return the likelihood of training pieces and, if any are held out, of held-out pieces, and the gap.

        Returns:
            ``train`` and ``held_out``, both at least 0, lower is better, ``n`` is their tokens; ``gap``, held-out minus
            train, ``n`` is the sum of both. Without held-out pieces only ``train``.

        Raises:
            CorpusError: training or held-out pieces have no token to predict.
        """
        train = _value("train", score, reference)
        if not held_out:
            return ablate.Measurements((train,))
        unseen = _value("held_out", score, held_out)
        gap = ablate.Value(unseen.value - train.value, feature="gap", unit=train.unit, n=train.n + unseen.n)
        return ablate.Measurements((train, unseen, gap))


def _value(feature: str, score: Score, pieces: Sequence[ablate.Performance]) -> ablate.Value:
    nats = np.concatenate([np.empty(0), *map(score, pieces)])
    if not len(nats):
        which = "held-out pieces" if feature == "held_out" else "training pieces"
        raise CorpusError(f"the {which} have no token to predict: each has one token at most; choose longer pieces")
    return ablate.Value(float(nats.mean()), feature=feature, unit="nat/token", direction="lower", n=len(nats))
