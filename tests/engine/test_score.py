from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from support.engine_material import VOCABULARY, network

from ablate.engine import score
from ablate.engine.score import CHUNK, ROWS, negative_log_likelihoods
from ablate.engine.training.windows import Example
from ablate.errors import StageError
from ablate.registry import get_registry
from ablate.testing.material import ClockConditioner

if TYPE_CHECKING:
    from collections.abc import Iterator


def pieces(lengths: list[int], width: int = ClockConditioner().width) -> list[Example]:
    rng = np.random.default_rng(0)
    return [
        Example(rng.integers(VOCABULARY, size=length), (rng.normal(size=(length, width)).astype(np.float32),))
        for length in lengths
    ]


def one_by_one(model: Any, piece: Example) -> Any:
    """The losses of a piece alone, read at once, in double precision after the logits."""
    tokens = torch.from_numpy(piece.tokens)
    with torch.no_grad():
        logits, _ = model(tokens[None], [torch.from_numpy(values)[None] for values in piece.conditions])
    return -logits[0, :-1].double().log_softmax(-1)[torch.arange(len(tokens) - 1), tokens[1:]].numpy()


@pytest.mark.parametrize("chunk", [256, 7])
def test_it_is_the_models_own_cost_of_each_token(chunk: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(score, "CHUNK", chunk)
    model = network([ClockConditioner()])
    music = pieces([100, 2, 300, 0, 1, 40, 7, 101])
    losses = negative_log_likelihoods(model, music)
    assert [len(each) for each in losses] == [99, 1, 299, 0, 0, 39, 6, 100]
    for piece, own in zip(music, losses, strict=True):
        if len(own):
            np.testing.assert_allclose(own, one_by_one(model, piece), atol=1e-5)


def test_the_model_is_asked_on_its_device(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a GPU this also turns TF32 off."""
    inside: list[str] = []

    @contextlib.contextmanager
    def on_device(device: str) -> Iterator[None]:
        inside.append(device)
        yield
        inside.append("left")

    class Table(torch.nn.Module):
        def forward(self, tokens: torch.Tensor, conditions: Any, state: Any = None) -> tuple[torch.Tensor, Any]:
            assert inside == ["cpu"]
            return torch.zeros(*tokens.shape, VOCABULARY), state

    monkeypatch.setattr(score, "on_device", on_device)
    (losses,) = negative_log_likelihoods(Table(), pieces([20]))
    assert losses == pytest.approx(np.log(VOCABULARY))
    assert inside == ["cpu", "left"]


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
@pytest.mark.parametrize("name", ["lstm", "gru", "transformer"])
def test_a_pieces_numbers_do_not_depend_on_the_others(name: str, precision: str) -> None:
    spec = get_registry().spec("model", name)
    torch.manual_seed(0)
    options = {"embedding": 32, "layers": 2}
    model = spec.build(spec.parse(options), VOCABULARY, [ClockConditioner()]).eval()
    music = pieces([300, 30, 260, 520, 12, 100])
    assert len(music) > ROWS
    assert len(music[3].tokens) > 2 * CHUNK
    together = negative_log_likelihoods(model, music, precision=precision)
    for index in range(len(music)):
        (alone,) = negative_log_likelihoods(model, music[index : index + 1], precision=precision)
        assert np.array_equal(alone, together[index])
    backwards = negative_log_likelihoods(model, music[:3][::-1], precision=precision)
    assert all(np.array_equal(*each) for each in zip(backwards[::-1], together[:3], strict=True))


@pytest.mark.parametrize("name", ["lstm", "gru", "transformer"])
def test_in_bf16_the_mean_is_nearly_that_in_fp32(name: str) -> None:
    spec = get_registry().spec("model", name)
    torch.manual_seed(0)
    model = spec.build(spec.parse({}), VOCABULARY, []).eval()
    with torch.no_grad():
        model.projection.weight.mul_(20)  # predictions far from even
    music = [Example(each.tokens) for each in pieces([1001] * 3)]
    exact, rounded = (negative_log_likelihoods(model, music, precision=p) for p in ("fp32", "bf16"))
    for one, other in zip(exact, rounded, strict=True):
        assert not np.array_equal(one, other)
        assert abs(one.mean() - other.mean()) < 1e-3 * one.mean()


def test_logits_that_are_no_numbers_are_an_error() -> None:
    model = network()
    with torch.no_grad():
        model.projection.bias[3] = float("nan")
    with pytest.raises(StageError, match="logits are NaN"):
        negative_log_likelihoods(model, [Example(np.arange(5))])
