"""What a CUDA graph records may not wait for the device and not read from the host; shown without a GPU.

On torch's device ``meta`` there are shapes and no numbers, so whatever asks for a number fails, and a dispatch mode
sees every operation: none may touch a tensor that is elsewhere.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import torch
from support.engine_material import RECIPE, VOCABULARY, Noisy, examples, settings
from support.recipe_material import MODERN, job
from torch.utils._python_dispatch import TorchDispatchMode

from ablate.engine.fusion import steps as fusion_steps
from ablate.engine.fusion.generation import GenerationGroup, _RecordedStepper, _RowStepper
from ablate.engine.fusion.random import FusedStreams
from ablate.engine.fusion.trainer import FusedTrainer
from ablate.engine.training.job import TrainingJob, TrainingSeeds
from ablate.engine.training.start import load_start
from ablate.engine.training.windows import Example
from ablate.fusion import fused_weights
from ablate.testing.fusion import only_on_meta
from ablate.testing.material import ClockConditioner
from ablate_recurrent import ablate_models as recurrent_models
from ablate_transformer import ablate_models as transformer_models

if TYPE_CHECKING:
    from collections.abc import Sequence

META = torch.device("meta")
SPECS = {spec.name: spec for spec in [*recurrent_models(), *transformer_models()]}
CASES = [
    (model, precision, conditioners, dropout)
    for model in ("lstm", "gru", "transformer")
    for precision in ("fp32", "bf16")
    for conditioners, dropout in (([], 0.0), ([Noisy()], 0.3), ([ClockConditioner()], 0.0))
    if (model, precision) != ("transformer", "bf16")  # meta has no autocast
]


class MetaStreams(FusedStreams):
    """Draws without streams, which ``meta`` has none of."""

    def __init__(self, models: int, device: torch.device) -> None:
        super().__init__(models, torch.device("cpu"))
        self._device = device
        self.generators: Any = [None] * models

    def seed(self, seeds: Sequence[int]) -> None:
        pass


@pytest.mark.parametrize(("model", "precision", "conditioners", "dropout"), CASES)
def test_a_training_step_stays_on_the_device(
    model: str, precision: str, conditioners: list[Any], dropout: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fusion_steps, "FusedStreams", MetaStreams)
    steps: list[Any] = []
    monkeypatch.setattr(fusion_steps.FusedUpdates, "step", lambda self, gradients: steps.extend(gradients))
    options: dict[str, Any] = {"dropout": dropout}
    if model != "transformer" and dropout:
        options["initial_state"] = "random"
    learns = examples() if conditioners else [Example(each.tokens) for each in examples()]
    jobs = [
        TrainingJob(
            lambda: SPECS[model].build(SPECS[model].parse(options), VOCABULARY, conditioners),
            *(learns, conditioners, settings(precision=precision), TrainingSeeds(seed, 1, 2, 3)),
            recipe=RECIPE,
        )
        for seed in range(2)
    ]
    trainer = FusedTrainer([load_start(job) for job in jobs], META)
    trainer._steps._windows.load(0, 2)
    trainer._steps._train_step()  # makes what is made once
    with only_on_meta():
        trainer._steps._train_step()
    assert len(steps) == 2 * len(trainer.weights)


def test_the_batches_of_a_step_stay_on_the_device(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fusion_steps, "FusedStreams", MetaStreams)
    seen: list[Any] = []
    monkeypatch.setattr(fusion_steps.FusedUpdates, "step", lambda self, gradients: seen.extend(gradients))
    how: dict[str, Any] = {**MODERN, "validate_every": 0, "keep": "last", "patience": 0}
    trainer = FusedTrainer([load_start(job(RECIPE, seed, **how)) for seed in range(2)], META)
    trainer._steps._windows.load(0, 2)
    trainer._steps._train_part()  # makes what is made once
    with only_on_meta():
        trainer._steps._train_part()
        trainer._steps._update_with_sums()
    assert len(seen) == len(trainer.weights)


@pytest.mark.parametrize(("model", "precision"), [("lstm", "bf16"), ("gru", "bf16"), ("transformer", "fp32")])
@pytest.mark.parametrize("conditioners", [[], [ClockConditioner()]])
def test_a_step_of_generation_stays_on_the_device(model: str, precision: str, conditioners: list[Any]) -> None:
    models = [SPECS[model].build(SPECS[model].parse({"layers": 2}), VOCABULARY, conditioners) for _ in range(2)]
    weights = {name: weight.detach() for name, weight in fused_weights(models, META).items()}
    group = GenerationGroup([0, 1], models[0].fuse(models, precision).stepper(weights))
    stepper = _RecordedStepper(_RowStepper(group, [0, 1, 1], META), META)
    tokens = torch.zeros(3, dtype=torch.int64, device=META)
    conditions = [torch.zeros(3, each.width, device=META) for each in conditioners]
    with torch.inference_mode():
        _, state = stepper(tokens, conditions)
        with only_on_meta():
            logits, _ = stepper(tokens, conditions, state)
    assert logits.shape == (3, VOCABULARY)


class Copies(TorchDispatchMode):
    """Notes the shapes of all tensors that are copied whole."""

    def __init__(self) -> None:
        super().__init__()
        self.shapes: list[torch.Size] = []

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func in (torch.ops.aten.copy_.default, torch.ops.aten.clone.default):
            self.shapes.append(args[0].shape)
        return func(*args, **(kwargs or {}))


@pytest.mark.parametrize(("model", "count"), [("lstm", 2), ("transformer", 0)])
def test_a_state_that_is_new_or_was_changed_in_place_is_not_copied(model: str, count: int) -> None:
    models = [SPECS[model].build(SPECS[model].parse({"layers": 3}), VOCABULARY, []) for _ in range(2)]
    weights = {name: weight.detach() for name, weight in fused_weights(models, "cpu").items()}
    group = GenerationGroup([0, 1], models[0].fuse(models, "fp32").stepper(weights))
    stepper = _RecordedStepper(_RowStepper(group, [0, 1, 1], torch.device("cpu")), torch.device("cpu"))
    tokens = torch.zeros(3, dtype=torch.int64)
    with torch.inference_mode():
        with Copies() as at_first:
            _, state = stepper(tokens, [])
        with Copies() as copies:
            stepper(tokens, [], state)
    largest = max((each.shape for each in state), key=len)
    assert at_first.shapes.count(largest) == 0
    assert copies.shapes.count(largest) == count


def test_a_step_that_asks_for_a_number_would_be_seen() -> None:
    with pytest.raises((RuntimeError, NotImplementedError)):
        float(torch.ones(3, device=META).sum())
    with pytest.raises(AssertionError, match="uses a tensor on the cpu"), only_on_meta():
        torch.zeros(3).to(META)
