"""bf16 and fused models against fp32 alone: what differs between them must drown in what differs between replicates."""

from __future__ import annotations

import dataclasses
import statistics
from typing import TYPE_CHECKING

import pytest

from ablate.registry import get_registry
from ablate.study.file.overrides import Overrides
from ablate.study.file.study_file import read_study
from ablate.study.plan.layout import lay_out
from ablate.study.run.executor.inline import InlineExecutor
from ablate.study.run.executor.protocol import Working
from ablate.study.run.runner import SharedContext, StudyRunner

if TYPE_CHECKING:
    from pathlib import Path

    from support.bench import Bench

    from ablate.study.file.study_file import StudySpec

REPLICATES = 4
SIZES = {
    "training.steps": 40,
    "training.batch": 8,
    "training.window": 64,
    "model.lstm.hidden": 64,
    "model.lstm.embedding": 32,
    "generation.tokens": 100,
    "generation.samples": 2,
    "axes.sampler.temperature.tau": [1.0],
    "floors.draws": 0,
    "metric": ["distance.average"],
}


def sweep(precision: str) -> StudySpec:
    settings = tuple({**SIZES, "training.precision": precision}.items())
    spec = read_study("tau_sweep", Overrides(replicates=REPLICATES, settings=settings))
    return dataclasses.replace(spec, name=precision)


def numbers(bench: Bench, precision: str, *, fused: bool) -> tuple[list[float], list[float]]:
    """Losses and distances of all replicates."""
    spec, working = sweep(precision), Working(60.0, fused=fused)
    with (
        bench.store() as store,
        InlineExecutor(bench.home, "cpu", get_registry(), working) as executor,
    ):
        result = StudyRunner(
            lay_out(spec, get_registry(), "cpu"), store, bench.home, shared=SharedContext(executor), working=working
        ).run()
        assert result.failures == ()
        runs = store.runs(spec.name)
        trained = store.stages(run.stages["train"] for run in runs)
        results = [trained[run.stages["train"]].result for run in runs]
        means = store.means(spec.name, "distance.average", "average")
    assert {(each["precision"], each["together"]) for each in results} == {(precision, REPLICATES if fused else 1)}
    return [each["loss"] for each in results], [means[run.variant, run.replicate] for run in runs]


@pytest.mark.slow
def test_bf16_and_fusion_are_within_the_noise_of_replicates(bench: Bench, tmp_path: Path) -> None:
    """Replicates are paired: the same initial weights, windows and uniform numbers in all of them."""
    reference = numbers(bench, "fp32", fused=False)
    for place, fused in enumerate((False, True)):
        found = numbers(type(bench)(tmp_path / str(place)), "bf16", fused=fused)
        assert found[0] != reference[0]
        for expected, values in zip(reference, found, strict=True):
            off = abs(statistics.mean(expected) - statistics.mean(values))
            noise = statistics.stdev(expected) + statistics.stdev(values)
            # means of four that differ by the sum of both spreads would be told apart by a t-test, at p = 0.03 or so
            assert off < noise, (expected, values)
