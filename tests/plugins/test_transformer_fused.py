"""The stepper of fused transformers: every model predicts as it does alone, for any context and at any position."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import torch

from ablate.fusion import fused_weights
from ablate.testing.material import ClockConditioner
from ablate_transformer import ablate_models

if TYPE_CHECKING:
    from collections.abc import Sequence

(SPEC,) = ablate_models()
SMALL: dict[str, Any] = {"embedding": 16, "layers": 2, "heads": 2}
VOCABULARY, MODELS = 30, 3


def lively(conditioners: int = 0, **options: Any) -> list[Any]:
    """Networks of equal shape with weights so large that every part of them shows in the logits."""
    settings = SPEC.parse({**SMALL, **options})
    models = []
    for seed in range(MODELS):
        model: Any = SPEC.build(settings, VOCABULARY, [ClockConditioner() for _ in range(conditioners)]).eval()
        generator = torch.Generator().manual_seed(seed)
        with torch.no_grad():
            for weight in model.parameters():
                weight.normal_(std=0.3, generator=generator)
        models.append(model)
    return models


def stepper(models: Sequence[Any], precision: str = "fp32") -> Any:
    weights = {name: weight.detach() for name, weight in fused_weights(models, "cpu").items()}
    return models[0].fuse(models, precision).stepper(weights)


def stepped(step: Any, tokens_mrt: torch.Tensor, *conditions: torch.Tensor) -> torch.Tensor:
    logits, state = [], None
    with torch.inference_mode():
        for time, tokens_mr in enumerate(tokens_mrt.unbind(2)):
            logits_mrv, state = step(tokens_mr, [values[:, :, time] for values in conditions], state)
            logits.append(logits_mrv)
    return torch.stack(logits, dim=2)


def alone(models: Sequence[Any], tokens_mrt: torch.Tensor, *conditions: torch.Tensor) -> torch.Tensor:
    with torch.inference_mode():
        return torch.stack(
            [model(tokens_mrt[m], [values[m] for values in conditions])[0] for m, model in enumerate(models)]
        )


def tokens(time: int, rows: int = 2) -> torch.Tensor:
    return torch.randint(VOCABULARY, (MODELS, rows, time), generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize(
    "options",
    [
        {"context": 1},
        {"context": 7},
        {"context": 40},
        {"context": 41, "heads": 1, "layers": 3},
        {"context": 200, "heads": 8, "feedforward": 1},
    ],
)
def test_every_model_predicts_as_alone_before_and_after_the_ring_is_full(options: dict[str, int]) -> None:
    models, rows = lively(**options), tokens(90)
    expected = alone(models, rows)
    torch.testing.assert_close(stepped(stepper(models), rows), expected, atol=2e-4, rtol=1e-3)
    rounded = stepped(stepper(models, "bf16"), rows)
    assert rounded.dtype == torch.float32
    assert not rounded.equal(expected)
    assert float((rounded - expected).abs().mean() / expected.abs().mean()) < 0.03


@pytest.mark.parametrize(("precision", "tolerance"), [("fp32", 2e-4), ("bf16", 0.06)])
def test_conditioners_are_added_at_their_token(precision: str, tolerance: float) -> None:
    models, rows = lively(conditioners=2, context=9), tokens(30)
    conditions = [torch.randn(MODELS, 2, 30, 2, generator=torch.Generator().manual_seed(i)) for i in range(2)]
    expected = alone(models, rows, *conditions)
    found = stepped(stepper(models, precision), rows, *conditions)
    torch.testing.assert_close(found, expected, atol=tolerance, rtol=1e-3)
    later = [values.roll(1, dims=2) for values in conditions]
    assert float((alone(models, rows, *later) - expected).abs().max()) > 0.4


def test_only_the_distance_between_tokens_counts_however_far_into_a_piece() -> None:
    """Single precision would have no fraction of a turn left; the slots of the ring stay where they are."""
    models, rows, context = lively(layers=1, context=5), tokens(20), 5
    step, expected = stepper(models), alone(models, rows)
    with torch.inference_mode():
        _, state = step(rows[..., 0], [])
        state[0].add_(10_000_000 * context)
        found = []
        for time in range(1, 20):
            logits, state = step(rows[..., time], [], state)
            found.append(logits)
    # the first token was read before, so it has another distance to those that see it
    torch.testing.assert_close(torch.stack(found[context:], 2), expected[:, :, 1 + context :], atol=2e-4, rtol=1e-3)
    assert not torch.allclose(found[0], expected[:, :, 1], atol=1e-2)


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_a_state_is_changed_in_place_and_belongs_to_one_generation(precision: str) -> None:
    models, rows = lively(context=6), tokens(12)
    step = stepper(models, precision)
    expected = stepped(step, rows)
    with torch.inference_mode():
        _, state = step(rows[..., 0], [])
        for time in range(1, 12):
            _, other = step(rows[..., time], [])
            for values in other:
                values.fill_(7)
            logits, after = step(rows[..., time], [], state)
            assert all(new is old for new, old in zip(after, state, strict=True))
            assert logits.equal(expected[:, :, time])


def test_a_model_and_a_row_do_not_depend_on_the_others() -> None:
    """Not even where one model predicts no numbers."""
    models, rows = lively(context=6), tokens(12)
    expected = stepped(stepper(models), rows)
    changed = rows.clone()
    changed[:, 0] = (changed[:, 0] + 1) % VOCABULARY
    with torch.no_grad():
        models[0].layers[0].spread.weight.fill_(float("nan"))
    found = stepped(stepper(models), changed)
    assert bool(found[0].isnan().all())
    assert found[1:, 1].equal(expected[1:, 1])
    assert not found[1:, 0].equal(expected[1:, 0])
