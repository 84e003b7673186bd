"""Rows that do not fit into the memory together, shown without a GPU."""

from __future__ import annotations

import gc
import weakref
from typing import TYPE_CHECKING, Any

import pytest
import torch
from support.engine_material import VOCABULARY
from support.generation_material import UNEVEN, made, networks, of

from ablate.engine.devices import Compute
from ablate.engine.fusion import generation
from ablate.engine.generation import plans as plans_module
from ablate.engine.generation.plans import Planner
from ablate.errors import StageError

if TYPE_CHECKING:
    from collections.abc import Sequence


def too_much(*_: object) -> Any:
    raise torch.OutOfMemoryError("too much")


class Memory:
    """Has room for so many positions [models, rows]; a step of more fails, later than the first one."""

    def __init__(self, room: int) -> None:
        self.room = room
        self.blocks: list[int] = []
        self.earlier: list[weakref.ref[Any]] = []
        self.left: list[Any] = []

    def stepper(self, group: Any, models: Sequence[int], device: torch.device) -> Any:
        memory, tokens_read = self, 0
        self.left += [earlier() for earlier in self.earlier]

        class Tight(PLAIN):
            def __call__(self, *given: Any) -> Any:
                nonlocal tokens_read
                tokens_read += 1
                if self._shape[0] * self._shape[1] > memory.room and tokens_read == 3:
                    too_much()
                return super().__call__(*given)

        made = Tight(group, models, device)
        self.blocks.append(made._shape[0] * made._shape[1])
        self.earlier.append(weakref.ref(made))
        return made


PLAIN = generation._RowStepper


@pytest.mark.parametrize("model", ["lstm", "transformer"])
@pytest.mark.parametrize(
    ("room", "blocks", "warnings"),
    [
        (12, [12], []),
        (6, [12, 6, 6], ["9 samples do not fit into the memory of cpu together; trying 6"]),
        (
            5,
            [12, 6, 3, 3, 6, 3, 3],
            [
                "9 samples do not fit into the memory of cpu together; trying 6",
                "6 samples do not fit into the memory of cpu together; trying 3",
                "3 samples do not fit into the memory of cpu together; trying 2",
            ],
        ),
    ],
)
def test_rows_that_do_not_fit_together_are_halved(
    model: str,
    room: int,
    blocks: list[int],
    warnings: list[str],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    models = networks(model, 3)
    alone = made(models, UNEVEN, fused=False)
    memory = Memory(room)
    monkeypatch.setattr(generation, "_RowStepper", memory.stepper)
    progress: list[tuple[int, int]] = []
    assert made(models, UNEVEN, on_progress=lambda *news: progress.append(news)) == alone
    assert memory.blocks == blocks
    assert [record.getMessage() for record in caplog.records] == warnings
    assert [done == total for done, total in progress] == [False] * (len(progress) - 1) + [True]


def test_a_row_of_each_model_that_does_not_fit_is_generated_by_its_model_alone(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    models, rows = networks("transformer", 3), [of(model, model) for model in (0, 1, 2, 2)]
    alone = made(models, rows, fused=False)
    memory = Memory(2)
    monkeypatch.setattr(generation, "_RowStepper", memory.stepper)
    assert made(models, rows) == alone
    assert memory.blocks == [6, 3, 3]
    assert [record.getMessage() for record in caplog.records] == [
        "4 samples do not fit into the memory of cpu together; trying 3",
        *["a sample of each fused model does not fit into the memory of cpu; generating with one model at a time"] * 2,
    ]


def test_nothing_of_a_block_is_left_when_smaller_ones_are_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the garbage collector, which knows nothing of a GPU's memory and comes when it likes."""
    models, memory = networks("transformer", 3), Memory(6)
    monkeypatch.setattr(generation, "_RowStepper", memory.stepper)
    gc.disable()
    try:
        made(models, UNEVEN)
    finally:
        gc.enable()
    assert memory.left == [None] * 3


def test_models_whose_weights_do_not_fit_a_second_time_generate_one_by_one(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    models = networks("transformer", 3)
    alone = made(models, UNEVEN, fused=False)
    monkeypatch.setattr(generation, "fused_weights", too_much)
    assert made(models, UNEVEN) == alone
    (record,) = caplog.records
    assert "the weights of 3 models do not fit into the memory of cpu a second time" in record.getMessage()


def test_rows_of_one_model_on_a_gpu_are_halved_until_there_is_one() -> None:
    models, rows = networks("transformer", 1), [of(0, seed) for seed in range(5)]
    planner = Planner(models, rows, VOCABULARY, [], Compute("cuda", fused=False))
    (plan,) = planner.blocks()
    first, second = planner.smaller(plan)
    assert (first.indices, second.indices) == ([0, 1, 2], [3, 4])
    (single, _) = planner.smaller(second)
    with pytest.raises(StageError, match="out of memory on cuda: there is no room for a single sample"):
        planner.smaller(single)


def test_a_block_on_a_cpu_is_not_halved(monkeypatch: pytest.MonkeyPatch) -> None:
    """A row's bits are those of its number of rows."""
    monkeypatch.setattr(plans_module, "has_stepper", lambda *_: False)
    monkeypatch.setattr(plans_module, "make_stepper", lambda *_: too_much)
    with pytest.raises(torch.OutOfMemoryError, match="too much"):
        made(networks("transformer", 1), [of(0, seed) for seed in range(3)], fused=False)


def test_other_errors_are_not_taken_for_a_lack_of_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> Any:
        raise RuntimeError("broken")

    models = networks("transformer", 2)
    for name in ("_RowStepper", "fused_weights"):
        monkeypatch.setattr(generation, name, broken)
        with pytest.raises(RuntimeError, match="broken"):
            made(models, UNEVEN[:2])
