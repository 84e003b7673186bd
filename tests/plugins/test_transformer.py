from __future__ import annotations

import cmath
import itertools
import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from support.engine_material import RECIPE
from torch.utils._python_dispatch import TorchDispatchMode

from ablate.engine.generation.batching import BLOCK
from ablate.engine.training.job import TrainingJob, TrainingSeeds
from ablate.engine.training.train import train
from ablate.engine.training.windows import Example
from ablate.errors import InvalidOptions
from ablate.settings import TrainingSettings
from ablate.testing import ModelContract
from ablate.testing.material import ClockConditioner
from ablate_transformer import ablate_models
from ablate_transformer.attention import AT_ONCE, NEAR

if TYPE_CHECKING:
    from collections.abc import Iterator

(SPEC,) = ablate_models()
SMALL: dict[str, Any] = {"embedding": 16, "layers": 2, "heads": 2}
VOCABULARY = 30


class TestContract(ModelContract):
    """Sequences of six tokens, so that some of the contexts are shorter than they are."""

    spec = SPEC
    options = (
        SMALL,
        {"embedding": 12, "layers": 3, "heads": 2, "feedforward": 1, "context": 3, "dropout": 0.4},
        {"embedding": 2, "layers": 1, "heads": 1, "context": 1},
    )


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> Iterator[None]:
    """As executors run: bits are promised for one thread."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def built(conditioners: int = 0, seed: int = 0, **options: Any) -> Any:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        settings = SPEC.parse({**SMALL, **options})
        return SPEC.build(settings, VOCABULARY, [ClockConditioner() for _ in range(conditioners)]).eval()


def lively(model: Any) -> Any:
    """The network with weights so large that every part of it shows in the logits."""
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for weight in model.parameters():
            weight.normal_(std=0.4, generator=generator)
    return model


def tokens(rows: int, time: int, seed: int = 0) -> torch.Tensor:
    return torch.randint(VOCABULARY, (rows, time), generator=torch.Generator().manual_seed(seed))


def stepped(model: Any, tokens_rt: torch.Tensor) -> torch.Tensor:
    """The logits of a generation's steps, one token a row at each."""
    logits, state = [], None
    with torch.inference_mode():
        for tokens_r in tokens_rt.T:
            logits_rtv, state = model(tokens_r[:, None], [], state)
            logits.append(logits_rtv)
    return torch.cat(logits, dim=1)


# Options


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("embedding", 0),
        ("embedding", 128.0),
        ("layers", 0),
        ("heads", 0),
        ("feedforward", 0),
        ("context", 0),
        ("dropout", -0.1),
        ("dropout", 1.0),
        ("hidden", 256),
    ],
)
def test_options_out_of_bounds_are_refused(name: str, value: Any) -> None:
    with pytest.raises(InvalidOptions) as caught:
        SPEC.parse({name: value})
    assert [key for key, _ in caught.value.problems] == [name]


@pytest.mark.parametrize(
    ("embedding", "heads", "divides"), [(128, 5, 10), (12, 4, 8), (6, 2, 4), (5, 1, 2), (4, 8, 16)]
)
def test_heads_of_no_or_odd_width_are_refused(embedding: int, heads: int, divides: int) -> None:
    with pytest.raises(InvalidOptions) as caught:
        SPEC.parse({"embedding": embedding, "heads": heads})
    ((key, message),) = caught.value.problems
    assert key == ""
    assert message == (
        f"embedding = {embedding} does not give heads = {heads} an even width each; "
        f"choose an embedding that {divides} divides"
    )


# The network


def test_the_defaults_are_the_documented_size() -> None:
    model = SPEC.build(SPEC.parse({}), 388, [])
    width, wide = 128, 512
    layer = 4 * (width * width + width) + 2 * 2 * width + 2 * width * wide + wide + width
    assert sum(weight.numel() for weight in model.parameters()) == 388 * 128 + 2 * layer + 2 * 128 + 388 * (128 + 1)


@pytest.mark.parametrize("options", [{}, {"layers": 1, "heads": 4}, {"layers": 3, "heads": 1, "context": 4}])
def test_it_is_a_transformer_with_rotary_positions(options: dict[str, int]) -> None:
    """Against the equations, a token, head and pair at a time, the pairs as complex numbers."""
    model = lively(built(**options))
    row = tokens(1, 9)
    found, _ = model(row, [])
    torch.testing.assert_close(found[0].double(), by_hand(model, row[0].tolist()), atol=1e-4, rtol=1e-4)


def by_hand(model: Any, row: list[int]) -> torch.Tensor:
    weights = {name: weight.detach().double() for name, weight in model.named_parameters()}
    stream = [0.02 * weights["embedding.weight"][token] for token in row]
    for layer in range(model.options.layers):
        own = {key.removeprefix(f"layers.{layer}."): weight for key, weight in weights.items()}
        attended = attended_by_hand(own, [normed(own, "attention_norm", x) for x in stream], model.options)
        stream = [x + mapped(own, "gather", y) for x, y in zip(stream, attended, strict=True)]
        for time, x in enumerate(stream):
            wide = mapped(own, "widen", normed(own, "feedforward_norm", x))
            wide = wide * 0.5 * (1 + torch.erf(wide / math.sqrt(2)))
            stream[time] = x + mapped(own, "narrow", wide)
    return torch.stack([mapped(weights, "projection", normed(weights, "norm", x)) for x in stream])


def mapped(weights: dict[str, torch.Tensor], name: str, x: torch.Tensor) -> torch.Tensor:
    return weights[f"{name}.weight"] @ x + weights[f"{name}.bias"]


def normed(weights: dict[str, torch.Tensor], name: str, x: torch.Tensor) -> torch.Tensor:
    standard = (x - x.mean()) / (x.var(correction=0) + 1e-5).sqrt()
    return standard * weights[f"{name}.weight"] + weights[f"{name}.bias"]


def attended_by_hand(weights: dict[str, torch.Tensor], stream: list[torch.Tensor], options: Any) -> list[torch.Tensor]:
    width, size = options.embedding, options.embedding // options.heads
    spread = [mapped(weights, "spread", x) for x in stream]
    results = []
    for time in range(len(stream)):
        heads = []
        for head in range(options.heads):
            query, key, value = (
                slice(part * width + head * size, part * width + (head + 1) * size) for part in range(3)
            )
            seen = range(max(0, time - options.context + 1), time + 1)
            turned_query = turned_by_hand(spread[time][query], time)
            scores = [dot(turned_query, turned_by_hand(spread[other][key], other)) for other in seen]
            shares = torch.tensor(scores).double().div(math.sqrt(size)).softmax(0)
            heads.append(sum(share * spread[other][value] for share, other in zip(shares, seen, strict=True)))
        results.append(torch.cat(heads))
    return results


def turned_by_hand(x: torch.Tensor, position: int) -> list[complex]:
    half = len(x) // 2
    return [complex(x[i], x[i + half]) * cmath.exp(1j * position * 10_000 ** (-2 * i / len(x))) for i in range(half)]


def dot(one: list[complex], other: list[complex]) -> float:
    return sum((a * b.conjugate()).real for a, b in zip(one, other, strict=True))


def test_weights_begin_as_in_gpt_2() -> None:
    model = built(embedding=128, layers=8)
    for name, tensor in model.named_parameters():
        weight = tensor.detach()
        if "norm" in name:
            assert bool((weight == (1 if name.endswith("weight") else 0)).all()), name
        elif name.endswith("bias"):
            assert not bool(weight.any()), name
        else:
            adds, embeds = name.endswith(("gather.weight", "narrow.weight")), name == "embedding.weight"
            std = 1 if embeds else 0.02 / 4 if adds else 0.02
            assert float(weight.mean()) == pytest.approx(0, abs=0.06 * std), name
            assert float(weight.std()) == pytest.approx(std, rel=0.03), name


def test_conditioners_are_added_to_the_embedding() -> None:
    model = built(conditioners=2)
    conditions = [torch.randn(2, 6, 2, generator=torch.Generator().manual_seed(i)) for i in range(2)]
    seen: list[torch.Tensor] = []
    model.dropout.register_forward_pre_hook(lambda module, inputs: seen.append(inputs[0]))
    model(tokens(2, 6), conditions)
    added = [module(values) for module, values in zip(model.conditioners, conditions, strict=True)]
    torch.testing.assert_close(seen[0], 0.02 * (model.embedding(tokens(2, 6)) + added[0] + added[1]))
    with pytest.raises(ValueError, match="argument 2"):
        model(tokens(2, 6), conditions[:1])


def test_conditioners_leave_the_draws_of_the_other_weights_as_they_are() -> None:
    bare, conditioned = built().state_dict(), built(conditioners=2).state_dict()
    assert bare.keys() < conditioned.keys()
    assert all(bare[name].equal(conditioned[name]) for name in bare)


def test_dropout_acts_after_the_embedding_and_on_what_every_layer_adds() -> None:
    model = lively(built(layers=3, dropout=0.5)).train()
    outputs: list[torch.Tensor] = []
    for module in model.modules():
        if isinstance(module, torch.nn.Dropout):
            module.register_forward_hook(lambda module, inputs, output: outputs.append(output))
    model(tokens(8, 20), [])
    assert len(outputs) == 1 + 2 * 3
    assert [float((output == 0).float().mean()) for output in outputs] == pytest.approx([0.5] * 7, abs=0.06)
    outputs.clear()
    model.eval()(tokens(8, 20), [])
    assert all(bool((output != 0).all()) for output in outputs)


# What it looks back over


@pytest.mark.parametrize(("layers", "context"), [(1, 1), (1, 4), (3, 4)])
def test_it_looks_back_over_its_context_and_no_further(layers: int, context: int) -> None:
    """Each layer looks one context back, so that several see as many times further."""
    model, row, last = lively(built(layers=layers, context=context)), tokens(1, 20), 19
    reach = layers * (context - 1)
    logits = model(row, [])[0][0, last]
    for back in range(last + 1):
        changed = row.clone()
        changed[0, last - back] = (changed[0, last - back] + 1) % VOCABULARY
        other = model(changed, [])[0][0, last]
        assert other.equal(logits) == (back > reach), f"{back} tokens back"


def test_only_the_distance_between_tokens_counts() -> None:
    """The same tokens give the same logits wherever they stand, once the context holds nothing else."""
    model, row = lively(built(context=5)), tokens(1, 12)
    expected = model(row, [])[0][0, 8:]
    for before in (1, 100, 30_000):
        state = model(tokens(1, 8), [])[1]
        moved = (state[0] + before, state[1])
        begun = model(row, [], moved)[0][0, 8:]
        torch.testing.assert_close(begun, expected, atol=1e-4, rtol=1e-4)


def test_the_order_of_tokens_counts() -> None:
    model = lively(built(layers=1))
    one, other = model(torch.tensor([[1, 2, 3]]), [])[0], model(torch.tensor([[2, 1, 3]]), [])[0]
    assert not torch.allclose(one[0, -1], other[0, -1], atol=1e-3)


@pytest.mark.parametrize("context", [1, 5, NEAR + 3])
def test_passes_of_any_lengths_equal_a_single_one(context: int) -> None:
    """Whatever the cache holds at the time: nothing, less than its context, more than its near part."""
    model, row = lively(built(conditioners=1, context=context)), tokens(2, 60)
    conditions = torch.randn(2, 60, 2, generator=torch.Generator().manual_seed(1))
    expected, _ = model(row, [conditions])
    for lengths in ([1] * 60, [30, 1, 29], [7] * 8 + [4], [1] * 8 + [20] + [1] * 8 + [24]):
        ends = list(itertools.accumulate(lengths, initial=0))
        found, state = [], None
        for start, end in itertools.pairwise(ends):
            logits, state = model(row[:, start:end], [conditions[:, start:end]], state)
            found.append(logits)
        torch.testing.assert_close(torch.cat(found, dim=1), expected, atol=1e-4, rtol=1e-4)


def test_a_sequence_longer_than_is_read_at_once_is_read_as_one() -> None:
    model, row = lively(built(layers=1, context=40)), tokens(1, AT_ONCE + 60)
    logits, _ = model(row, [])
    torch.testing.assert_close(logits[:, :AT_ONCE], model(row[:, :AT_ONCE], [])[0], atol=1e-4, rtol=1e-4)
    # the tokens of the second piece look back into the first, 39 tokens at most
    late, _ = model(row[:, AT_ONCE - 39 :], [])
    torch.testing.assert_close(logits[:, AT_ONCE:], late[:, 39:], atol=1e-4, rtol=1e-4)


# The state


def flat(state: Any) -> list[torch.Tensor]:
    return [state] if isinstance(state, torch.Tensor) else [tensor for part in state for tensor in flat(part)]


@pytest.mark.parametrize("time", [1, 10, 50])
def test_rows_are_dimension_one_of_every_tensor_of_the_state(time: int) -> None:
    _, state = built(context=20)(tokens(3, time), [])
    assert {tensor.shape[1] for tensor in flat(state)} == {3}
    assert state[0].tolist() == [[time] * 3]
    for far, near in state[1]:
        assert far[0].shape[2] + near[0].shape[2] == min(time, 19)


def test_rows_of_a_state_can_be_taken_and_go_on_by_themselves() -> None:
    model = lively(built(context=20))
    _, state = model(tokens(3, 25), [])
    together, _ = model(tokens(3, 5, seed=1), [], state)
    alone, _ = model(tokens(3, 5, seed=1)[1:2], [], taken(state, slice(1, 2)))
    torch.testing.assert_close(alone, together[1:2], atol=1e-4, rtol=1e-4)


def taken(state: Any, rows: slice) -> Any:
    return state[:, rows] if isinstance(state, torch.Tensor) else tuple(taken(part, rows) for part in state)


def test_a_state_can_be_continued_twice() -> None:
    model = lively(built(context=20))
    with torch.inference_mode():
        state = None
        for column in tokens(2, 50).T:
            _, state = model(column[:, None], [], state)
        before = [tensor.clone() for tensor in flat(state)]
        one = model(tokens(2, 1, seed=1), [], state)[0]
        later = state
        for column in tokens(2, 40, seed=2).T:
            _, later = model(column[:, None], [], later)
        assert model(tokens(2, 1, seed=1), [], state)[0].equal(one)
    assert all(tensor.equal(old) for tensor, old in zip(flat(state), before, strict=True))


@pytest.mark.parametrize(
    "options",
    [{}, {"embedding": 30, "heads": 3, "layers": 1}, {"embedding": 128, "heads": 4}],
    ids=["small", "odd", "default"],
)
def test_a_row_of_a_block_is_bit_equal_whatever_rows_are_beside_it(options: dict[str, int]) -> None:
    """Also after the cache has been full, and its near part has moved to the far one."""
    model = lively(built(context=NEAR + 5, **options))
    tokens_rt = tokens(BLOCK, 2 * NEAR + 10)
    logits = stepped(model, tokens_rt)
    for shift in (1, 7, 16):
        assert stepped(model, tokens_rt.roll(shift, 0)).equal(logits.roll(shift, 0))  # elsewhere
    idle_rt = torch.zeros_like(tokens_rt)
    idle_rt[:5] = tokens_rt[:5]
    assert stepped(model, idle_rt)[:5].equal(logits[:5])  # beside others


# Training


@pytest.mark.parametrize("window", [6, 40])
def test_it_runs_under_autocast_as_in_training(window: int) -> None:
    model = built(conditioners=1, context=10).train()
    conditions = [torch.ones(2, window, 2)]
    exact, _ = model(tokens(2, window), conditions)
    with torch.autocast("cpu", torch.bfloat16):
        logits, _ = model(tokens(2, window), conditions)
    torch.testing.assert_close(logits.float(), exact, atol=0.01, rtol=0)
    assert not logits.float().equal(exact)
    logits.float().square().sum().backward()
    assert all(bool(weight.grad.isfinite().all()) for weight in model.parameters())


@pytest.mark.parametrize(("precision", "torchs_own"), [(torch.float32, True), (torch.bfloat16, False)])
def test_attention_is_torchs_own_only_where_that_is_the_faster_one(precision: torch.dtype, *, torchs_own: bool) -> None:
    """In bf16 on a CPU, it took a third of a training step."""
    model = built(context=10).train()
    with Operations() as operations, torch.autocast("cpu", torch.bfloat16, enabled=precision == torch.bfloat16):
        logits, _ = model(tokens(2, 10), [])
    assert logits.dtype == precision
    assert any("scaled_dot_product" in name for name in operations.names) == torchs_own


class Operations(TorchDispatchMode):
    """Notes the names of torch's operations."""

    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        del types
        self.names.add(str(func))
        return func(*args, **(kwargs or {}))


def test_a_state_made_under_autocast_can_be_continued_without() -> None:
    model, row = lively(built(context=10)), tokens(2, 30)
    with torch.autocast("cpu", torch.bfloat16):
        _, state = model(row[:, :20], [])
    logits, _ = model(row[:, 20:], [], state)
    assert logits.dtype == torch.float32
    assert bool(logits.isfinite().all())


def test_what_only_attention_can_see_is_learned() -> None:
    """Every three tokens are random and come twice: half of them are known, to who looks back three places."""
    rng = np.random.default_rng(0)
    halves = [rng.integers(0, 8, 3) for _ in range(300)]
    piece = Example(np.concatenate([np.concatenate([half, half]) for half in halves]))
    options = SPEC.parse({"embedding": 16, "heads": 2, "context": 6})
    settings = TrainingSettings(steps=100, batch=8, window=24, learning_rate=1e-2, precision="fp32")
    job = TrainingJob(lambda: SPEC.build(options, 8, []), [piece], [], settings, TrainingSeeds(1, 2, 3, 4), RECIPE)
    (trained,) = train([job])
    assert np.mean(trained.losses[-10:]) < 0.85 * np.log(8)
