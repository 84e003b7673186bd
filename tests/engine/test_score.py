from __future__ import annotations

import numpy as np
import pytest
import torch
from support.engine_material import VOCABULARY, network

from ablate.engine import score
from ablate.engine.score import negative_log_likelihood
from ablate.errors import StageError
from ablate.testing.material import ClockConditioner


def test_it_is_the_models_own_cost_of_each_token(monkeypatch: pytest.MonkeyPatch) -> None:
    tokens = np.random.default_rng(0).integers(VOCABULARY, size=100)
    condition = np.random.default_rng(1).normal(size=(100, ClockConditioner().width)).astype(np.float32)
    model = network([ClockConditioner()])
    with torch.no_grad():
        logits, _ = model(torch.from_numpy(tokens)[None], [torch.from_numpy(condition)[None]])
    expected = -logits[0, :-1].double().log_softmax(-1)[torch.arange(99), torch.from_numpy(tokens[1:])].numpy()
    at_once = negative_log_likelihood(model, tokens, [condition])
    assert at_once.shape == (99,)
    np.testing.assert_allclose(at_once, expected, atol=1e-6)
    monkeypatch.setattr(score, "CHUNK", 7)
    np.testing.assert_allclose(negative_log_likelihood(model, tokens, [condition]), expected, atol=1e-5)


def test_logits_that_are_no_numbers_are_an_error() -> None:
    model = network()
    with torch.no_grad():
        model.projection.bias[3] = float("nan")
    with pytest.raises(StageError, match="logits are NaN"):
        negative_log_likelihood(model, np.arange(5), [])
