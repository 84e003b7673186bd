"""Train models."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ablate.engine import checkpoint
from ablate.engine.devices import product_rate
from ablate.engine.energy import joules_so_far
from ablate.engine.training.job import Progress, TrainingJob, TrainingResult, TrainingSeeds
from ablate.engine.training.train import train
from ablate.errors import StageError
from ablate.study.stage import checkpoint_path
from ablate.study.work.artifacts import npy, read_examples, write_artifact
from ablate.study.work.components import (
    build_model,
    built_conditioners,
    training_settings,
)
from ablate.study.work.messages import Context, JobStopped, News, StageFailure, StageResult

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from ablate.engine.training.windows import Examples
    from ablate.study.stage import Stage

#: The loss that is reported is the mean over the last tenth of the steps, and over no more than this many.
LAST_STEPS = 25


def train_stages(stages: tuple[Stage, ...], context: Context) -> Iterator[StageResult | StageFailure]:
    """Train models, those that can be as one, and give what came of them one by one, as their files are written."""
    sources = {stage.inputs["examples"].artifact for stage in stages}
    examples = {source: read_examples(context.home / source / "examples.npz") for source in sources}
    jobs = [_job(stage, examples[stage.inputs["examples"].artifact], context) for stage in stages]
    device, precision = context.device, jobs[0].settings.precision
    speeds: dict[int, list[float]] = {index: [] for index in range(len(stages))}
    rate = product_rate(device, precision)
    # a training that goes on has spent some already, and nobody knows how much
    before = None if any(job.checkpoint and job.checkpoint.exists() for job in jobs) else joules_so_far(device)

    told = (0, 0)

    def tell(index: int, p: Progress) -> None:
        nonlocal told
        speeds[index].append(p.tokens_per_second)
        if p.together > 1 and told == (p.together, p.step):
            return  # one progress update for all fused models
        told = (p.together, p.step)
        news = News(stages[index].fingerprint, "train", p.step / p.steps, p.loss, p.tokens_per_second, p.together)
        context.tell(news)

    outcomes = train(
        jobs,
        device,
        on_progress=tell,
        should_stop=context.should_stop,
        checkpoint_seconds=context.checkpoint_seconds,
        fused=context.fused,
    )
    after, facts = joules_so_far(device), {"precision": precision, "product_rate": rate}
    if before is not None and after is not None:
        facts["joules"] = (after - before) / len(stages)
    for index, (stage, trained) in enumerate(zip(stages, outcomes, strict=True)):
        if isinstance(trained, StageError):
            yield StageFailure(stage, type(trained).__name__, str(trained))
        elif trained.finished:
            tokens = int(examples[stage.inputs["examples"].artifact].counts.sum())
            given = {
                **facts,
                "tokens_per_second": float(np.median(speeds[index])),
                "steps_per_epoch": tokens * len(trained.losses) / trained.tokens_seen,
            }
            yield _keep_training(stage, trained, given, context.home)
            (context.home / checkpoint_path(stage.fingerprint)).unlink(missing_ok=True)
    if any(isinstance(trained, TrainingResult) and not trained.finished for trained in outcomes):
        raise JobStopped


def _job(stage: Stage, examples: Examples, context: Context) -> TrainingJob:
    config = stage.config
    return TrainingJob(
        build=lambda: build_model(config),
        examples=examples,
        conditioners=built_conditioners(config),
        settings=training_settings(config, len(examples)),
        seeds=TrainingSeeds(**config["seeds"]),
        checkpoint=context.home / checkpoint_path(stage.fingerprint),
    )


def _keep_training(stage: Stage, trained: TrainingResult, given: Mapping[str, Any], home: Path) -> StageResult:
    """Write a training's files, and say what it was like."""
    losses = np.array(trained.losses, np.float32)
    weights = checkpoint.pack_tensors(trained.weights, {})
    write_artifact(home, stage, {"weights.safetensors": weights, "losses.npy": npy(losses)})
    result = {
        "loss": float(losses[-max(1, min(LAST_STEPS, len(losses) // 10)) :].mean()),
        "steps": len(losses),
        "tokens_seen": trained.tokens_seen,
        "parameters": trained.parameters,
        # two FLOP a weight and token forward, and four backward
        "flops_per_token": 6 * trained.product_weights,
        "together": trained.together,
        **given,
    }
    return StageResult(stage, result, 0.0)
