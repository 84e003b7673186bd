from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import pytest
import torch

from ablate import product
from ablate.engine.generation.batching import BLOCK
from ablate.errors import InvalidOptions
from ablate.testing import ModelContract
from ablate.testing.material import ClockConditioner
from ablate_recurrent import ablate_models
from ablate_recurrent.unrolled import unrolled

if TYPE_CHECKING:
    from collections.abc import Iterator

SPECS = {spec.name: spec for spec in ablate_models()}
CELLS = pytest.mark.parametrize("cell", ["lstm", "gru"])
CONTRACT_OPTIONS = (
    {"embedding": 12, "hidden": 20},
    {"embedding": 12, "hidden": 20, "layers": 3, "dropout": 0.4, "initial_state": "random"},
    {"embedding": 1, "hidden": 1},
)


class TestLSTMContract(ModelContract):
    spec = SPECS["lstm"]
    options = CONTRACT_OPTIONS
    fusible = True


class TestGRUContract(ModelContract):
    spec = SPECS["gru"]
    options = CONTRACT_OPTIONS
    fusible = True


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> Iterator[None]:
    """As executors run: bits are promised for one thread."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def built(cell: str, conditioners: int = 0, seed: int = 0, **options: Any) -> Any:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        settings = {"embedding": 12, "hidden": 20, **options}
        return SPECS[cell].build(SPECS[cell].parse(settings), 30, [ClockConditioner() for _ in range(conditioners)])


def parts(state: Any) -> tuple[torch.Tensor, ...]:
    """The tensors of a state, of which an LSTM has two and a GRU one."""
    return state if isinstance(state, tuple) else (state,)


TOKENS = torch.arange(12).reshape(2, 6)


def test_both_models_are_offered() -> None:
    assert list(SPECS) == ["lstm", "gru"]


@CELLS
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
def test_options_out_of_bounds_are_refused(cell: str, name: str, value: Any) -> None:
    with pytest.raises(InvalidOptions) as caught:
        SPECS[cell].parse({name: value})
    assert [key for key, _ in caught.value.problems] == [name]


@pytest.mark.parametrize(("cell", "gates"), [("lstm", 4), ("gru", 3)])
def test_the_defaults_are_the_documented_size(cell: str, gates: int) -> None:
    model = SPECS[cell].build(SPECS[cell].parse({}), 388, [])
    recurrent = gates * 256 * (128 + 256 + 2)
    assert sum(weight.numel() for weight in model.parameters()) == 388 * 128 + recurrent + 388 * (256 + 1)


@pytest.mark.parametrize(("cell", "layers"), [("lstm", torch.nn.LSTM), ("gru", torch.nn.GRU)])
def test_weights_are_torchs_own_draws_in_this_order_and_under_these_names(cell: str, layers: Any) -> None:
    """Trained weights are kept under these names, and a seed's draws are part of old results."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        modules = {
            "embedding": torch.nn.Embedding(30, 12),
            cell: layers(12, 20, 2, batch_first=True),
            "projection": torch.nn.Linear(20, 30),
        }
    expected = {f"{name}.{key}": weight for name, own in modules.items() for key, weight in own.state_dict().items()}
    found = built(cell, layers=2).state_dict()
    assert list(found) == list(expected)
    assert all(found[name].equal(expected[name]) for name in expected)


@pytest.mark.parametrize("layers", [1, 3])
def test_it_is_embedding_lstm_and_projection(layers: int) -> None:
    """Against the equations of the LSTM, one cell and token at a time."""
    model = built("lstm", layers=layers).eval()
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


@pytest.mark.parametrize("layers", [1, 3])
def test_it_is_embedding_gru_and_projection(layers: int) -> None:
    """Against the equations of the GRU, one cell and token at a time."""
    model = built("gru", layers=layers).eval()
    weights = {name: weight.detach().double() for name, weight in model.named_parameters()}
    hidden = [torch.zeros(2, 20).double() for _ in range(layers)]
    logits = []
    for tokens_r in TOKENS.T:
        x = weights["embedding.weight"][tokens_r]
        for layer in range(layers):
            seen = x @ weights[f"gru.weight_ih_l{layer}"].T + weights[f"gru.bias_ih_l{layer}"]
            known = hidden[layer] @ weights[f"gru.weight_hh_l{layer}"].T + weights[f"gru.bias_hh_l{layer}"]
            (seen_r, seen_z, seen_n), (known_r, known_z, known_n) = seen.split(20, dim=1), known.split(20, dim=1)
            keep = (seen_z + known_z).sigmoid()
            new = (seen_n + (seen_r + known_r).sigmoid() * known_n).tanh()
            x = hidden[layer] = (1 - keep) * new + keep * hidden[layer]
        logits.append(x @ weights["projection.weight"].T + weights["projection.bias"])
    found, h = model(TOKENS, [])
    torch.testing.assert_close(found.double(), torch.stack(logits, dim=1), atol=1e-5, rtol=0)
    torch.testing.assert_close(h.double(), torch.stack(hidden), atol=1e-5, rtol=0)


@CELLS
def test_conditioners_are_added_to_the_embedding(cell: str) -> None:
    model = built(cell, conditioners=2).eval()
    conditions = [torch.randn(2, 6, 2, generator=torch.Generator().manual_seed(i)) for i in range(2)]
    seen: list[torch.Tensor] = []
    model.get_submodule(cell).register_forward_pre_hook(lambda module, inputs: seen.append(inputs[0]))
    model(TOKENS, conditions)
    added = [module(values) for module, values in zip(model.conditioners, conditions, strict=True)]
    torch.testing.assert_close(seen[0], model.embedding(TOKENS) + added[0] + added[1])
    with pytest.raises(ValueError, match="argument 2"):
        model(TOKENS, conditions[:1])


@CELLS
def test_conditioners_leave_the_draws_of_the_other_weights_as_they_are(cell: str) -> None:
    bare, conditioned = built(cell, layers=2).state_dict(), built(cell, conditioners=2, layers=2).state_dict()
    assert bare.keys() < conditioned.keys()
    assert all(bare[name].equal(conditioned[name]) for name in bare)


@CELLS
def test_the_first_state_is_random_in_training_alone(cell: str) -> None:
    model = built(cell, initial_state="random")
    trained = [model.train()(TOKENS, [])[0] for _ in range(2)]
    assert not trained[0].equal(trained[1])
    evaluated = [model.eval()(TOKENS, [])[0] for _ in range(2)]
    assert evaluated[0].equal(evaluated[1])
    assert evaluated[0].equal(built(cell).eval()(TOKENS, [])[0])
    zeros = built(cell).train()
    assert zeros(TOKENS, [])[0].equal(zeros(TOKENS, [])[0])


@CELLS
def test_a_state_that_is_given_is_taken_in_training_too(cell: str) -> None:
    model = built(cell, initial_state="random").train()
    _, state = model(TOKENS, [])
    assert model(TOKENS, [], state)[0].equal(model(TOKENS, [], state)[0])


@CELLS
def test_the_random_state_is_standard_normal(cell: str) -> None:
    model = built(cell, layers=2, initial_state="random").train()
    states: list[Any] = []
    model.get_submodule(cell).register_forward_pre_hook(lambda module, inputs: states.append(inputs[1]))
    model(torch.zeros(500, 1, dtype=torch.int64), [])
    drawn = parts(states[0])
    assert len(drawn) == {"lstm": 2, "gru": 1}[cell]
    for part in drawn:
        assert part.shape == (2, 500, 20)
        assert float(part.mean()) == pytest.approx(0, abs=0.03)
        assert float(part.std()) == pytest.approx(1, abs=0.03)
    assert not drawn[0].equal(drawn[-1]) or len(drawn) == 1


@CELLS
@pytest.mark.parametrize("layers", [1, 3])
def test_dropout_acts_after_the_embedding_and_after_each_layer(cell: str, layers: int) -> None:
    model = built(cell, layers=layers, dropout=0.5).train()
    recurrent = model.get_submodule(cell)
    assert recurrent.dropout == (0.5 if layers > 1 else 0.0)  # between layers; torch has no last one
    inputs: list[torch.Tensor] = []
    for module in (recurrent, model.projection):
        module.register_forward_pre_hook(lambda module, given: inputs.append(given[0]))
    model(TOKENS, [])
    shares = [float((values == 0).float().mean()) for values in inputs]
    assert shares == pytest.approx([0.5, 0.5], abs=0.15)
    model.eval()(TOKENS, [])
    assert all((values != 0).all() for values in inputs[2:])


@CELLS
def test_a_change_of_a_token_leaves_everything_before_it_bit_equal(cell: str) -> None:
    model = built(cell, layers=2).eval()
    logits, _ = model(TOKENS, [])
    for time, row in itertools.product(range(6), range(2)):
        changed = TOKENS.clone()
        changed[row, time] = 29
        other, _ = model(changed, [])
        assert other[row, :time].equal(logits[row, :time])
        assert not other[row, time].equal(logits[row, time])
        assert other[1 - row].equal(logits[1 - row])


def stepped(model: Any, tokens_rt: torch.Tensor) -> torch.Tensor:
    """The logits of a generation's steps, one token a row at each."""
    logits, state = [], None
    with torch.inference_mode():
        for tokens_r in tokens_rt.T:
            logits_rtv, state = model(tokens_r[:, None], [], state)
            logits.append(logits_rtv)
    return torch.cat(logits, dim=1)


@CELLS
@pytest.mark.parametrize(
    "options",
    [{"layers": 2}, {"embedding": 33, "hidden": 71, "layers": 3}, {"embedding": 128, "hidden": 256}],
    ids=["small", "odd", "default"],
)
def test_a_row_of_a_block_is_bit_equal_whatever_rows_are_beside_it(cell: str, options: dict[str, int]) -> None:
    model = built(cell, **options).eval()
    with torch.no_grad():
        for weight in model.parameters():
            weight.mul_(3)  # far from even predictions
    tokens_rt = torch.randint(30, (BLOCK, 12), generator=torch.Generator().manual_seed(0))
    logits = stepped(model, tokens_rt)
    for shift in (1, 7, 16):
        assert stepped(model, tokens_rt.roll(shift, 0)).equal(logits.roll(shift, 0))  # elsewhere
    idle_rt = torch.zeros_like(tokens_rt)
    idle_rt[:5] = tokens_rt[:5]
    assert stepped(model, idle_rt)[:5].equal(logits[:5])  # beside others


@CELLS
def test_it_runs_under_autocast_as_in_training(cell: str) -> None:
    model = built(cell, conditioners=1, layers=2).train()
    conditions = [torch.ones(2, 6, 2)]
    exact, _ = model(TOKENS, conditions)
    with torch.autocast("cpu", torch.bfloat16):
        logits, _ = model(TOKENS, conditions)
    assert torch.allclose(logits.float(), exact, atol=0.03)
    assert not logits.float().equal(exact)
    logits.float().square().sum().backward()
    assert all(bool(weight.grad.isfinite().all()) for weight in model.parameters())


# Large layers in bf16


def trained(layers: torch.nn.LSTM, how: str, state: Any = None) -> tuple[torch.Tensor, Any, list[torch.Tensor]]:
    """Outputs, state and gradients of input and weights: of torch in float32, of torch or ours in bf16."""
    layers.zero_grad()
    generator = torch.Generator().manual_seed(1)
    inputs = torch.randn(5, 11, 17, generator=generator, requires_grad=True)
    with torch.autocast("cpu", torch.bfloat16, enabled=how != "exact"):
        hidden, state = unrolled(layers, inputs, state) if how == "ours" else layers(inputs, state)
    (hidden.float() * torch.linspace(-1, 1, hidden.numel()).view_as(hidden)).sum().backward()
    return hidden.detach().float(), state, [inputs.grad, *(weight.grad.clone() for weight in layers.parameters())]


@pytest.mark.parametrize("layers", [1, 3])
@pytest.mark.parametrize("start", ["zeros", "given"])
def test_unrolled_layers_compute_what_torch_computes_and_all_gradients(layers: int, start: str) -> None:
    torch.manual_seed(0)
    lstm = torch.nn.LSTM(17, 24, layers, batch_first=True)
    state = (torch.randn(layers, 5, 24), torch.randn(layers, 5, 24)) if start == "given" else None
    exact, rounded, ours = (trained(lstm, how, state) for how in ("exact", "torch's", "ours"))

    def off(found: torch.Tensor, wanted: torch.Tensor) -> float:
        return float((found - wanted.detach()).norm() / wanted.detach().norm())

    assert off(ours[0], exact[0]) < 1.5 * off(rounded[0], exact[0]) < 0.02
    for found, usual, wanted in zip(ours[2], rounded[2], exact[2], strict=True):
        assert off(found, wanted) < 1.5 * off(usual, wanted) < 0.02
    for found, wanted in zip(ours[1], exact[1], strict=True):
        assert off(found, wanted) < 0.02
        assert not found.requires_grad


def test_unrolled_layers_use_memory_again_only_after_their_backward_pass() -> None:
    torch.manual_seed(0)
    lstm = torch.nn.LSTM(17, 24, 2, batch_first=True)
    inputs = [torch.randn(5, time, 17) for time in (9, 9, 12, 9)]

    def loss(values: torch.Tensor) -> torch.Tensor:
        with torch.autocast("cpu", torch.bfloat16):
            return unrolled(lstm, values, None)[0].float().square().sum()

    def gradients(*losses: torch.Tensor) -> list[torch.Tensor]:
        lstm.zero_grad()
        for each in losses:
            each.backward()
        return [weight.grad.clone() for weight in lstm.parameters()]

    one_by_one = [gradients(loss(values)) for values in inputs]
    losses = [loss(values) for values in inputs]  # all forward passes before the first backward pass
    for each, expected in zip(losses, one_by_one, strict=True):
        assert all(found.equal(wanted) for found, wanted in zip(gradients(each), expected, strict=True))
    again = loss(inputs[0])
    again.backward(retain_graph=True)
    with pytest.raises(RuntimeError, match="once only"):
        again.backward()


def test_unrolled_layers_drop_between_layers_alone() -> None:
    torch.manual_seed(0)
    lstm = torch.nn.LSTM(17, 24, 2, batch_first=True, dropout=0.5).train()
    assert not trained(lstm, "ours")[0].equal(trained(lstm, "ours")[0])
    single = torch.nn.LSTM(17, 24, 1, batch_first=True).train()
    assert trained(single, "ours")[0].equal(trained(single, "ours")[0])


@pytest.mark.parametrize(("hidden", "precision", "uses"), [(512, "bf16", 1), (511, "bf16", 0), (512, "fp32", 0)])
def test_large_lstms_train_unrolled_in_bf16_alone(
    hidden: int, precision: str, uses: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[int] = []
    monkeypatch.setattr("ablate_recurrent.network.unrolled", lambda *given: calls.append(1) or unrolled(*given))
    model = built("lstm", hidden=hidden, layers=2).train()
    with torch.autocast("cpu", torch.bfloat16, enabled=precision == "bf16"):
        logits, _ = model(TOKENS, [])
    logits.float().square().sum().backward()
    assert len(calls) == uses
    assert all(bool(weight.grad.isfinite().all()) for weight in model.parameters())
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
        model(TOKENS, [])
    assert len(calls) == uses, "without gradients there is nothing to win"


@CELLS
def test_without_packed_products_plain_ones_take_their_place(cell: str, monkeypatch: pytest.MonkeyPatch) -> None:
    model, state, logits = built(cell, layers=2).eval(), None, []
    monkeypatch.setattr(product, "_can_pack", lambda dtype: False)
    stepper = model.stepper("fp32")
    with torch.inference_mode():
        for tokens_r in TOKENS.T:
            logits_rv, state = stepper(tokens_r, [], state)
            logits.append(logits_rv)
    assert torch.allclose(torch.stack(logits, dim=1), model(TOKENS, [])[0], atol=1e-5)
