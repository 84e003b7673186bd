"""The surprise of a trained model at each token of a performance, for metrics of models."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ablate.blame import about
from ablate.engine.score import negative_log_likelihoods
from ablate.engine.training.windows import Example
from ablate.study.work.components import build_conditioners, observed, stage_tokenizer, trained_model
from ablate.study.work.doing import doing
from ablate.study.work.returned import checked_tokens

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ablate.arrays import FloatArray
    from ablate.music.performance import Performance
    from ablate.study.stage import Stage
    from ablate.study.work.messages import Context


class Scorer:
    """Computes minus the log-probability of each token of a performance but the first, in nats.

    Metrics ask for one performance after another, and a model reads several at once in little more time than one. So
    at the first question about a piece of a set, all pieces of this set are scored together. A score does not depend
    on what it is computed with, see :mod:`ablate.engine.score`.

    Args:
        stage: the measurement, which reads the weights of a finished training.
        context: of the stage.
        sets: the sets of pieces that a metric is likely to ask for.
    """

    def __init__(self, stage: Stage, context: Context, sets: Sequence[Sequence[Performance]]) -> None:
        train = stage.inputs["weights"]
        config = train.config
        self._about = context.registry.spec("model", config["model"]["name"]).about
        self._model = trained_model(config, context.home / train.artifact, context.device, context.registry)
        self._tokenizer = stage_tokenizer(stage, context)
        self._conditioners = build_conditioners(config, context.registry)
        self._device, self._precision = context.device, config["training"]["precision"]
        # by identity, which is unique as long as the pieces are kept
        self._set_of = {id(piece): pieces for pieces in sets for piece in pieces}
        self._scores: dict[int, FloatArray] = {}

    def __call__(self, performance: Performance) -> FloatArray:
        """Return the score, float64 [tokens - 1]; it is empty for a performance of less than two tokens."""
        key = id(performance)
        if key not in self._set_of:
            return self._score([performance])[0]
        if key not in self._scores:
            pieces = self._set_of[key]
            self._scores |= zip(map(id, pieces), self._score(pieces), strict=True)
        return self._scores[key]

    def _score(self, performances: Sequence[Performance]) -> list[FloatArray]:
        examples = []
        for performance in performances:
            with doing(about(self._tokenizer)):
                tokens = checked_tokens(self._tokenizer.encode(performance), self._tokenizer)
            conditions = observed(performance, tokens, self._tokenizer, self._conditioners) if len(tokens) else ()
            examples.append(Example(tokens, conditions))
        with doing(self._about):
            return negative_log_likelihoods(self._model, examples, self._device, self._precision)
