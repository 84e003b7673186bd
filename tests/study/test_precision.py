"""bf16 against fp32: what differs between them must drown in what differs between replicates."""

from __future__ import annotations

import dataclasses
import statistics
from typing import TYPE_CHECKING

import pytest

from ablate.study.overrides import Overrides
from ablate.study.spec import load_study

if TYPE_CHECKING:
    from conftest import Bench

    from ablate.study.spec import StudySpec

REPLICATES = 4
SIZES = {
    "training.steps": 150,
    "training.batch": 8,
    "training.window": 64,
    "model.lstm.hidden": 96,
    "model.lstm.embedding": 48,
    "generation.tokens": 600,
    "generation.samples": 4,
    "axes.sampler.temperature.tau": [1.0],
    "floors.draws": 0,
}


def sweep(precision: str) -> StudySpec:
    settings = tuple({**SIZES, "training.precision": precision}.items())
    spec = load_study("tau_sweep", Overrides(replicates=REPLICATES, settings=settings))
    return dataclasses.replace(spec, name=precision)


@pytest.mark.slow
def test_training_and_generating_in_bf16_is_within_the_noise_of_replicates(bench: Bench) -> None:
    """Replicates are paired: the same initial weights, windows and uniform numbers in both precisions."""
    loss: dict[str, list[float]] = {}
    distance: dict[str, list[float]] = {}
    for precision in ("fp32", "bf16"):
        spec = sweep(precision)
        bench.run(spec, workers=1)
        with bench.store() as store:
            cells = store.cells(spec.name)
            stages = store.stages(cell.stages["train"] for cell in cells)
            loss[precision] = [stages[cell.stages["train"]].result["loss"] for cell in cells]
            assert {stage.result["precision"] for stage in stages.values()} == {precision}
            means = store.means(spec.name, "distance.average", "average")
            distance[precision] = [means[cell.variant, cell.replicate] for cell in cells]
    assert loss["fp32"] != loss["bf16"]
    for values in (loss, distance):
        off = abs(statistics.mean(values["fp32"]) - statistics.mean(values["bf16"]))
        noise = statistics.stdev(values["fp32"]) + statistics.stdev(values["bf16"])
        # means of four that differ by the sum of both spreads would be told apart by a t-test, at p = 0.03 or so
        assert off < noise, values
