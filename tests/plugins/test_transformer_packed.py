"""The transformer's stepper: it predicts as the network, for any context, and a row does not depend on the others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import torch

from ablate import product
from ablate.engine.devices import torch_threads
from ablate.engine.generation.batching import BLOCK, LARGEST_BATCH, batch_size_is_exact
from ablate.testing.material import ClockConditioner
from ablate_transformer import ablate_models
from ablate_transformer.packed import PORTION

if TYPE_CHECKING:
    from collections.abc import Iterator

(SPEC,) = ablate_models()
SMALL: dict[str, Any] = {"embedding": 16, "layers": 2, "heads": 2}
VOCABULARY = 30


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> Iterator[None]:
    """As executors run: bits are promised for one thread."""
    with torch_threads(1):
        yield


def lively(conditioners: int = 0, **options: Any) -> Any:
    """A network with weights so large that every part of it shows in the logits."""
    settings = SPEC.parse({**SMALL, **options})
    model = SPEC.build(settings, VOCABULARY, [ClockConditioner() for _ in range(conditioners)]).eval()
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for weight in model.parameters():
            weight.normal_(std=0.3, generator=generator)
    return model


def stepped(stepper: Any, tokens_rt: torch.Tensor, *conditions_rtf: torch.Tensor) -> torch.Tensor:
    logits, state = [], None
    with torch.inference_mode():
        for time, tokens_r in enumerate(tokens_rt.T):
            logits_rv, state = stepper(tokens_r, [values_rtf[:, time] for values_rtf in conditions_rtf], state)
            logits.append(logits_rv)
    return torch.stack(logits, dim=1)


def tokens(rows: int, time: int) -> torch.Tensor:
    return torch.randint(VOCABULARY, (rows, time), generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize(
    "options",
    [
        {"context": 1},
        {"context": 7},
        {"context": PORTION},
        {"context": PORTION + 1},
        {"context": 2 * PORTION + 5, "heads": 1, "layers": 3},
        {"context": 1000, "heads": 8},
    ],
)
def test_it_predicts_as_the_network_before_and_after_the_ring_is_full(options: dict[str, int]) -> None:
    model, row = lively(**options), tokens(3, 3 * PORTION + 10)
    with torch.inference_mode():
        expected, _ = model(row, [])
    torch.testing.assert_close(stepped(model.stepper("fp32"), row), expected, atol=2e-4, rtol=1e-3)
    rounded = stepped(model.stepper("bf16"), row)
    assert not rounded.equal(expected)
    assert float((rounded - expected).abs().mean() / expected.abs().mean()) < 0.03


def test_conditioners_are_added_at_their_token() -> None:
    model, row = lively(conditioners=2), tokens(3, 20)
    conditions = [torch.randn(3, 20, 2, generator=torch.Generator().manual_seed(i)) for i in range(2)]
    with torch.inference_mode():
        expected, _ = model(row, conditions)
    torch.testing.assert_close(stepped(model.stepper("fp32"), row, *conditions), expected, atol=2e-4, rtol=1e-3)


@pytest.mark.parametrize("precision", ["bf16", "fp32"])
@pytest.mark.parametrize(
    "options",
    [{}, {"embedding": 128, "heads": 4, "layers": 1}, {"embedding": 2, "heads": 1}, {"embedding": 36, "heads": 3}],
)
def test_a_row_has_the_same_bits_in_a_batch_of_any_size(options: dict[str, int], precision: str) -> None:
    model = lively(context=PORTION + 8, **options)
    row, stepper = tokens(LARGEST_BATCH, PORTION + 12), model.stepper(precision)
    in_blocks = torch.cat([stepped(stepper, part) for part in row.split(BLOCK)])
    for rows in (1, 2, 3, 5, 8, 13, 31, 33, 64, 100, LARGEST_BATCH):
        assert stepped(stepper, row[:rows]).equal(in_blocks[:rows]), f"{rows} rows"
        assert batch_size_is_exact(stepper, [{}] * rows, VOCABULARY, [])


def test_a_row_does_not_depend_on_the_others() -> None:
    model, row = lively(), tokens(4, 12)
    stepper, other = model.stepper("bf16"), row.clone()
    other[1:] = (other[1:] + 1) % VOCABULARY
    one, changed = stepped(stepper, row), stepped(stepper, other)
    assert one[0].equal(changed[0])
    assert not one[1].equal(changed[1])


def test_without_packed_products_plain_ones_take_their_place(monkeypatch: pytest.MonkeyPatch) -> None:
    model, row = lively(), tokens(3, 12)
    packed = stepped(model.stepper("fp32"), row)
    monkeypatch.setattr(product, "_can_pack", lambda dtype: False)
    torch.testing.assert_close(stepped(model.stepper("fp32"), row), packed, atol=1e-4, rtol=1e-4)
