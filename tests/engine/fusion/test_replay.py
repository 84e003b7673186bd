"""What a recording would do, shown without a GPU: the operations of one step, done again on the same memory.

A CUDA graph repeats kernels with the addresses that they had. So does a tape of torch's operations: what a step reads
from Python and not from a tensor stays as it was, and a step that should have changed goes wrong.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import pytest
import torch
from support.engine_material import TOKENIZER, VOCABULARY, Noisy, examples, recipe, row, settings
from support.fusion_material import Recording
from support.recipe_material import MODERN
from support.recipe_material import job as recipe_job
from torch.utils import _pytree as pytree
from torch.utils._python_dispatch import TorchDispatchMode

from ablate.engine.devices import Compute
from ablate.engine.fusion import generation
from ablate.engine.fusion import steps as fusion_steps
from ablate.engine.fusion.cuda_graph import WARMUP_RUNS, RecordedStep
from ablate.engine.generation.generate import generate
from ablate.engine.training.job import TrainingJob, TrainingResult, TrainingSeeds
from ablate.engine.training.train import train_fused
from ablate.engine.training.windows import Example
from ablate.testing.material import ClockConditioner
from ablate_recurrent import ablate_models as recurrent_models
from ablate_transformer import ablate_models as transformer_models

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

SPECS = {spec.name: spec for spec in [*recurrent_models(), *transformer_models()]}


class Tape(TorchDispatchMode):
    """Notes every operation with its tensors, and undoes at the end what was written: recording does nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.steps: list[tuple[Any, Any, Any, Any]] = []
        self._made: set[int] = set()
        self._before: dict[int, tuple[Any, Any]] = {}

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        for tensor in self._written(func, args, kwargs):
            storage = tensor.untyped_storage()
            if storage.data_ptr() not in self._made:
                self._before.setdefault(storage.data_ptr(), (storage, storage.clone()))
        result = func(*args, **kwargs)
        known = {t.untyped_storage().data_ptr() for t in _tensors((args, kwargs))}
        fresh = [t for t in _tensors(result) if t.untyped_storage().data_ptr() not in known]
        self._made.update(tensor.untyped_storage().data_ptr() for tensor in fresh)
        if fresh or any(True for _ in self._written(func, args, kwargs)):  # what is neither is a view
            self.steps.append((func, args, kwargs, result if fresh else None))
        return result

    def _written(self, func: Any, args: Any, kwargs: Any) -> Iterator[torch.Tensor]:
        for place, argument in enumerate(func._schema.arguments):
            if argument.alias_info and argument.alias_info.is_write:
                given = args[place] if place < len(args) else kwargs.get(argument.name)
                yield from _tensors(given)

    def undo(self) -> None:
        for storage, before in self._before.values():
            storage.copy_(before)

    def play(self) -> None:
        with torch.no_grad():
            for func, args, kwargs, kept in self.steps:
                result = func(*args, **kwargs)
                if kept is not None:
                    for own, new in zip(_tensors(kept), _tensors(result), strict=True):
                        own.copy_(new)


def _tensors(values: Any) -> list[torch.Tensor]:
    return [value for value in pytree.tree_leaves(values) if isinstance(value, torch.Tensor)]


def record(step: Callable[[], None], streams: Sequence[torch.Generator]) -> Callable[[], None]:
    states = [stream.get_state() for stream in streams]
    with Tape() as tape:
        step()
    tape.undo()
    for stream, state in zip(streams, states, strict=True):
        stream.set_state(state)
    return tape.play


@pytest.fixture
def played(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Let everything that can be recorded be; says what was."""
    said: list[str] = []

    class Playing(RecordedStep):
        def __init__(self, device: torch.device) -> None:
            def noted(step: Callable[[], None], streams: Sequence[torch.Generator]) -> Callable[[], None]:
                said.append(step.__name__)
                return record(step, streams)

            super().__init__(device, Recording(noted))

    monkeypatch.setattr(fusion_steps, "RecordedStep", Playing)
    monkeypatch.setattr(generation, "RecordedStep", Playing)
    return said


def jobs(model: str, conditioners: list[Any], dropout: float, **changes: Any) -> list[TrainingJob]:
    options: dict[str, Any] = {"dropout": dropout, **({"embedding": 16, "heads": 2} if model == "transformer" else {})}
    if model != "transformer":
        options |= {"embedding": 8, "hidden": 16, "layers": 2, "initial_state": "random" if dropout else "zeros"}
    learns = examples() if conditioners else [Example(each.tokens) for each in examples()]
    return [
        TrainingJob(
            lambda: SPECS[model].build(SPECS[model].parse(options), VOCABULARY, conditioners),
            *(learns, conditioners, settings(**changes), TrainingSeeds(seed, seed + 10, seed + 20, seed + 30)),
            recipe=recipe(schedule="step", decay=0.5, decay_every=15),
        )
        for seed in (1, 2)
    ]


@pytest.mark.parametrize(
    ("model", "conditioners", "dropout"),
    [
        ("lstm", [], 0.0),
        ("lstm", [ClockConditioner()], 0.0),
        *((model, [Noisy(), ClockConditioner()], 0.3) for model in SPECS),
    ],
)
def test_a_played_training_is_the_training(
    model: str, conditioners: list[Any], dropout: float, played: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Windows, learning rates, dropout, initial states and perturbed conditions are those of each step."""
    wide = [Example(each.tokens, each.conditions * len(conditioners)) for each in examples()]
    own = jobs(model, conditioners, dropout, steps=20)
    if conditioners:
        own = [dataclasses.replace(each, examples=wide) for each in own]
    recorded = train_fused(own)
    assert played == ["_train_step"]
    monkeypatch.undo()
    for one, other in zip(recorded, train_fused(own), strict=True):
        assert isinstance(one, TrainingResult)
        assert isinstance(other, TrainingResult)
        assert one.losses == other.losses
        assert len(set(one.losses)) == 20
        assert all(one.weights[name].equal(other.weights[name]) for name in one.weights)


def test_a_played_training_with_every_setting_is_the_training(
    played: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Batches of a step, their shares, smoothing, averages and several optimizers are recorded, too."""
    how: dict[str, Any] = {**MODERN, "steps": 20, "patience": 0}
    own = [recipe_job(recipe(name, "warmup_cosine"), seed, **how) for seed, name in enumerate(("adamw", "sgd", "adam"))]
    recorded = train_fused(own)
    assert played == ["_train_part", "_update_with_sums"]
    monkeypatch.undo()
    for one, other in zip(recorded, train_fused(own), strict=True):
        assert isinstance(one, TrainingResult)
        assert isinstance(other, TrainingResult)
        assert one.together == 3
        assert (one.losses, one.validation) == (other.losses, other.validation)
        assert all(one.weights[name].equal(other.weights[name]) for name in one.weights)


def test_a_step_that_reads_from_python_goes_wrong_when_played() -> None:
    """So the tests above would see one."""
    values, counts = torch.zeros(2), iter(range(100))

    def step() -> None:
        values.add_(next(counts))

    recorded = RecordedStep(torch.device("cpu"), Recording(record))
    for _ in range(WARMUP_RUNS + 3):
        recorded(step)
    assert values.tolist() == [0 + 1 + 2 + 3 + 3 + 3] * 2


@pytest.mark.parametrize(
    ("model", "options"),
    [("lstm", {"hidden": 24}), ("gru", {"hidden": 24}), ("transformer", {"embedding": 16, "context": 9})],
)
@pytest.mark.parametrize("conditioners", [[], [ClockConditioner()]])
def test_a_played_generation_is_the_generation(
    model: str,
    options: dict[str, int],
    conditioners: list[Any],
    played: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Also where the state is changed in place, and a context is shorter than the rows."""
    settings = SPECS[model].parse({"layers": 2, **options})
    models = [SPECS[model].build(settings, VOCABULARY, conditioners).eval() for _ in range(2)]
    for network in models:
        for weight in network.parameters():
            weight.data.mul_(3)  # else the tokens would depend little on the state
    rows = [dataclasses.replace(row(seed, tokens=25, tau=0.5), model=seed % 2) for seed in range(5)]

    def made() -> list[list[int]]:
        compute = Compute(fused=True)
        found = generate(models, rows, tokenizer=TOKENIZER, conditioners=conditioners, compute=compute)
        return [tokens.tolist() for tokens in found or []]

    recorded = made()
    assert played == ["_run_step"]
    monkeypatch.undo()
    assert recorded == made()
