from __future__ import annotations

import itertools
from typing import Any

import pytest
import torch

from ablate.errors import InvalidOptions
from ablate.testing import ModelContract
from ablate.testing.samples import ClockConditioner
from ablate_recurrent import ablate_models

(SPEC,) = ablate_models()


class TestContract(ModelContract):
    spec = SPEC
    options = (
        {"embedding": 12, "hidden": 20},
        {"embedding": 12, "hidden": 20, "layers": 3, "dropout": 0.4, "initial_state": "random"},
        {"embedding": 1, "hidden": 1},
    )


def built(conditioners: int = 0, seed: int = 0, **options: Any) -> Any:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        settings = {"embedding": 12, "hidden": 20, **options}
        return SPEC.build(SPEC.parse(settings), 30, [ClockConditioner() for _ in range(conditioners)])


TOKENS = torch.arange(12).reshape(2, 6)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("embedding", 0),
        ("hidden", 0),
        ("layers", 0),
        ("dropout", -0.1),
        ("dropout", 1.0),
        ("initial_state", "ones"),
        ("layers", 1.5),
        ("hidden", "256"),
        ("depth", 3),
    ],
)
def test_options_out_of_bounds_are_refused(name: str, value: Any) -> None:
    with pytest.raises(InvalidOptions) as caught:
        SPEC.parse({name: value})
    assert [key for key, _ in caught.value.problems] == [name]


def test_the_defaults_are_the_documented_size() -> None:
    model = SPEC.build(SPEC.parse({}), 388, [])
    lstm = 4 * 256 * (128 + 256 + 2)
    assert sum(weight.numel() for weight in model.parameters()) == 388 * 128 + lstm + 388 * (256 + 1)


@pytest.mark.parametrize("layers", [1, 3])
def test_it_is_embedding_lstm_and_projection(layers: int) -> None:
    """Against the equations of the LSTM, one cell and token at a time."""
    model = built(layers=layers).eval()
    weights = {name: weight.detach().double() for name, weight in model.named_parameters()}
    hidden = [torch.zeros(2, 20).double() for _ in range(layers)]
    memory = [torch.zeros(2, 20).double() for _ in range(layers)]
    logits = []
    for tokens_r in TOKENS.T:
        x = weights["embedding.weight"][tokens_r]
        for layer in range(layers):
            gates = x @ weights[f"lstm.weight_ih_l{layer}"].T + weights[f"lstm.bias_ih_l{layer}"]
            gates = gates + hidden[layer] @ weights[f"lstm.weight_hh_l{layer}"].T + weights[f"lstm.bias_hh_l{layer}"]
            take, forget, new, give = gates.split(20, dim=1)
            memory[layer] = forget.sigmoid() * memory[layer] + take.sigmoid() * new.tanh()
            x = hidden[layer] = give.sigmoid() * memory[layer].tanh()
        logits.append(x @ weights["projection.weight"].T + weights["projection.bias"])
    found, (h, c) = model(TOKENS, [])
    torch.testing.assert_close(found.double(), torch.stack(logits, dim=1), atol=1e-5, rtol=0)
    torch.testing.assert_close(h.double(), torch.stack(hidden), atol=1e-5, rtol=0)
    torch.testing.assert_close(c.double(), torch.stack(memory), atol=1e-5, rtol=0)


def test_conditioners_are_added_to_the_embedding() -> None:
    model = built(conditioners=2).eval()
    conditions = [torch.randn(2, 6, 2, generator=torch.Generator().manual_seed(i)) for i in range(2)]
    seen: list[torch.Tensor] = []
    model.lstm.register_forward_pre_hook(lambda module, inputs: seen.append(inputs[0]))
    model(TOKENS, conditions)
    added = [module(values) for module, values in zip(model.conditioners, conditions, strict=True)]
    torch.testing.assert_close(seen[0], model.embedding(TOKENS) + added[0] + added[1])
    with pytest.raises(ValueError, match="argument 2"):
        model(TOKENS, conditions[:1])


def test_conditioners_leave_the_draws_of_the_other_weights_as_they_are() -> None:
    bare, conditioned = built(layers=2).state_dict(), built(conditioners=2, layers=2).state_dict()
    assert bare.keys() < conditioned.keys()
    assert all(bare[name].equal(conditioned[name]) for name in bare)


def test_the_first_state_is_random_in_training_alone() -> None:
    model = built(initial_state="random")
    trained = [model.train()(TOKENS, [])[0] for _ in range(2)]
    assert not trained[0].equal(trained[1])
    evaluated = [model.eval()(TOKENS, [])[0] for _ in range(2)]
    assert evaluated[0].equal(evaluated[1])
    assert evaluated[0].equal(built().eval()(TOKENS, [])[0])
    zeros = built().train()
    assert zeros(TOKENS, [])[0].equal(zeros(TOKENS, [])[0])


def test_a_state_that_is_given_is_taken_in_training_too() -> None:
    model = built(initial_state="random").train()
    state = (torch.zeros(1, 2, 20), torch.zeros(1, 2, 20))
    assert model(TOKENS, [], state)[0].equal(model(TOKENS, [], state)[0])


def test_the_random_state_is_standard_normal() -> None:
    model = built(layers=2, initial_state="random").train()
    states: list[Any] = []
    model.lstm.register_forward_pre_hook(lambda module, inputs: states.append(inputs[1]))
    model(torch.zeros(500, 1, dtype=torch.int64), [])
    for part in states[0]:
        assert part.shape == (2, 500, 20)
        assert float(part.mean()) == pytest.approx(0, abs=0.03)
        assert float(part.std()) == pytest.approx(1, abs=0.03)


@pytest.mark.parametrize("layers", [1, 3])
def test_dropout_acts_after_the_embedding_and_after_each_layer(layers: int) -> None:
    model = built(layers=layers, dropout=0.5).train()
    assert model.lstm.dropout == (0.5 if layers > 1 else 0.0)  # between layers; torch has no last one
    inputs: list[torch.Tensor] = []
    for module in (model.lstm, model.projection):
        module.register_forward_pre_hook(lambda module, given: inputs.append(given[0]))
    model(TOKENS, [])
    shares = [float((values == 0).float().mean()) for values in inputs]
    assert shares == pytest.approx([0.5, 0.5], abs=0.15)
    model.eval()(TOKENS, [])
    assert all((values != 0).all() for values in inputs[2:])


def test_a_change_of_a_token_leaves_everything_before_it_bit_equal() -> None:
    model = built(layers=2).eval()
    logits, _ = model(TOKENS, [])
    for time, row in itertools.product(range(6), range(2)):
        changed = TOKENS.clone()
        changed[row, time] = 29
        other, _ = model(changed, [])
        assert other[row, :time].equal(logits[row, :time])
        assert not other[row, time].equal(logits[row, time])
        assert other[1 - row].equal(logits[1 - row])
