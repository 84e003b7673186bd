"""The main job does what it is for: a model that has learned a piece resembles it more than chance does."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from ablate.music.storage import read_performances
from ablate.registry import get_registry
from ablate.study.file.overrides import Overrides
from ablate.study.file.study_file import read_study

if TYPE_CHECKING:
    from support.bench import Bench

SETTINGS = {
    "training.steps": 260,
    "training.batch": 8,
    "training.window": 64,
    "training.learning_rate": 0.01,
    "model.lstm.hidden": 128,
    "generation.tokens": 800,
    "generation.samples": 2,
    "floors.draws": 0,
    "metric": ["distance.average"],
}


@pytest.mark.slow
def test_samples_at_tau_1_resemble_the_piece_more_than_its_shuffled_tokens_do(bench: Bench) -> None:
    """By the average over pitch, duration and velocity.

    By pitch alone they need not: shuffling tokens leaves the histogram of pitches as it is.
    """
    settings = {**SETTINGS, "axes.sampler.temperature.tau": [1.0]}
    spec = read_study("tau_sweep", Overrides(replicates=1, settings=tuple(settings.items())))
    bench.run(spec, workers=1)
    with bench.store() as store:
        learned = store.means(spec.name, "distance.average", "average")
        stages = store.stages(store.runs(spec.name)[0].stages.values())
        losses = [
            store.stages(run.stages.values())[run.stages["train"]].result["loss"] for run in store.runs(spec.name)
        ]
    load = next(stage for stage in stages.values() if stage.kind == "load")
    reference = read_performances(bench.home / load.artifact / "performances.npz")

    registry = get_registry()
    tokenizer = registry.spec("tokenizer", "midilike-classic")
    metric = registry.spec("metric", "distance.average")
    encoder, distance = tokenizer.build(tokenizer.parse({})), metric.build(metric.parse({}))
    tokens, rng = encoder.encode(reference[0]), np.random.default_rng(0)
    shuffled = [
        next(
            value.value
            for value in distance.measure(encoder.decode(rng.permutation(tokens)[:800]), reference).values
            if value.feature == "average"
        )
        for _ in range(8)
    ]
    assert max(losses) < 0.5
    assert max(learned.values()) < min(shuffled)
