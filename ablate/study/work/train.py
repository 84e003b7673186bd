"""Train models."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import numpy as np

from ablate.blame import take_blame
from ablate.engine import checkpoint
from ablate.engine.devices import product_rate
from ablate.engine.energy import joules_so_far
from ablate.engine.training.job import Progress, Recipe, TrainingJob, TrainingResult, TrainingSeeds
from ablate.engine.training.train import train, train_fused
from ablate.errors import StageError, one_line
from ablate.kinds import TRAIN, WEIGHTS
from ablate.printable import printable
from ablate.study.instruments.stored import instrument_files, instrument_of
from ablate.study.stage import checkpoint_path
from ablate.study.work.artifacts import npy, read_examples, write_artifact
from ablate.study.work.components import (
    ExampleCounts,
    build_conditioners,
    build_model,
    build_recipe,
    training_settings,
)
from ablate.study.work.doing import doing
from ablate.study.work.messages import Context, JobStopped, LoggedStep, News, StageFailure, StageResult

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from ablate.engine.training.windows import Examples
    from ablate.study.stage import Stage

#: The loss of a finished training is the mean over the last tenth of its steps, and at most over this many.
LAST_STEPS = 25
#: Seconds between two steps of a training that observers receive, at least; its last step comes besides.
LOG_SECONDS = 1.0


def train_stages(
    stages: tuple[Stage, ...], context: Context, *, fused: bool = False
) -> Iterator[StageResult | StageFailure]:
    """Train models, fused where possible if so asked, and yield their results as their files are written."""
    sources = {stage.inputs["examples"].artifact for stage in stages}
    examples = {source: read_examples(context.home / source / "examples.npz") for source in sources}
    held_out = {source: _validation(context.home / source / "validation.npz") for source in sources}
    jobs = []
    for stage, recipe in zip(stages, _recipes(stages, context), strict=True):
        source = stage.inputs["examples"].artifact
        jobs.append(_job(stage, examples[source], held_out[source], recipe, context))
    device, precision = context.device, jobs[0].settings.precision
    facts = {"precision": precision, "product_rate": product_rate(device, precision)}
    # the energy that a resumed training used before is not known
    before = None if any(j.checkpoint and j.checkpoint.exists() for j in jobs) else joules_so_far(device)
    progress = _Progress(stages, context)
    models = dict.fromkeys(context.registry.spec("model", stage.config["model"]["name"]).about for stage in stages)
    with doing(", ".join(models)):
        outcomes = (train_fused if fused else train)(
            jobs,
            device,
            on_progress=progress.tell,
            should_stop=context.should_stop,
            checkpoint_seconds=context.checkpoint_seconds,
        )
    after = joules_so_far(device)
    if before is not None and after is not None:
        facts["joules"] = (after - before) / len(stages)
    for index, (stage, outcome) in enumerate(zip(stages, outcomes, strict=True)):
        if isinstance(outcome, StageError):
            model = context.registry.spec("model", stage.config["model"]["name"]).about
            where = take_blame(outcome) or model
            text = printable(one_line(outcome))
            named = text if where in text else f"{text} (in {where})"
            yield StageFailure(stage, type(outcome).__name__, named)
        elif outcome.finished:
            tokens = int(examples[stage.inputs["examples"].artifact].counts.sum())
            speed = {
                "tokens_per_second": progress.speed(index),
                "steps_per_epoch": tokens * len(outcome.losses) / outcome.tokens_seen,
            }
            stopped_early = len(outcome.losses) < jobs[index].settings.steps
            yield _write_training(stage, outcome, {**facts, **speed}, context.home, stopped_early=stopped_early)
            (context.home / checkpoint_path(stage.fingerprint)).unlink(missing_ok=True)
    if any(isinstance(outcome, TrainingResult) and not outcome.finished for outcome in outcomes):
        raise JobStopped


class _Progress:
    """Passes the progress of trainings on to the driver, and collects their speeds."""

    def __init__(self, stages: Sequence[Stage], context: Context) -> None:
        self._stages, self._context = stages, context
        self._speeds: dict[int, list[float]] = {index: [] for index in range(len(stages))}
        self._report: list[tuple[int, Progress]] = []
        self._logged: dict[int, float] = {}
        self._started = time.monotonic()

    def tell(self, index: int, p: Progress) -> None:
        """Pass on the progress of one training; that of fused ones when all of them have reported a step."""
        self._speeds[index].append(p.tokens_per_second)
        self._report.append((index, p))
        if len(self._report) < p.reported:
            return
        report, self._report = self._report, []
        first, p = report[0]
        numbers = (p.step / p.steps, p.loss, p.tokens_per_second, p.together)
        self._context.tell(News(self._stages[first].fingerprint, TRAIN, *numbers, logged=self._logs(report)))

    def _logs(self, report: Sequence[tuple[int, Progress]]) -> tuple[LoggedStep, ...]:
        """Return the steps of a report for observers; none if the last ones are too recent."""
        (first, _), now = report[0], time.monotonic()
        is_due = now - self._logged.get(first, -LOG_SECONDS) >= LOG_SECONDS
        if not is_due and not any(p.is_last for _, p in report):
            return ()
        self._logged[first] = now
        return tuple(self._log(index, p, now) for index, p in report)

    def _log(self, index: int, p: Progress, now: float) -> LoggedStep:
        fingerprint, seconds = self._stages[index].fingerprint, now - self._started
        return LoggedStep(fingerprint, p.step, p.steps, p.loss, p.tokens_seen, seconds, p.validation)

    def speed(self, index: int) -> float:
        """Return the median speed of a training in tokens per second."""
        return float(np.median(self._speeds[index]))


def _recipes(stages: Sequence[Stage], context: Context) -> list[Recipe]:
    """Return the recipe of each stage; stages with the same one share it, so that their updates can be fused."""
    texts = [json.dumps([stage.config[name] for name in ("tokenizer", "optimizer", "schedule")]) for stage in stages]
    recipes = {text: build_recipe(stage.config, context.registry) for text, stage in zip(texts, stages, strict=True)}
    return [recipes[text] for text in texts]


def _validation(path: Path) -> Examples | None:
    """Return the validation examples; None if the split has no validation pieces."""
    return read_examples(path) if path.exists() else None


def _job(
    stage: Stage, examples: Examples, validation: Examples | None, recipe: Recipe, context: Context
) -> TrainingJob:
    config = stage.config
    return TrainingJob(
        build=lambda: build_model(config, context.registry),
        examples=examples,
        conditioners=build_conditioners(config, context.registry),
        settings=training_settings(config, ExampleCounts(len(examples), int(examples.counts.sum()))),
        seeds=TrainingSeeds(**config["seeds"]),
        recipe=recipe,
        validation=validation,
        checkpoint=context.home / checkpoint_path(stage.fingerprint),
    )


def _write_training(
    stage: Stage, trained: TrainingResult, facts: Mapping[str, Any], home: Path, *, stopped_early: bool
) -> StageResult:
    """Write the files of a training, and return its result."""
    losses = np.array(trained.losses, np.float32)
    weights = checkpoint.pack_tensors(trained.weights, {})
    files = {WEIGHTS: weights, "losses.npy": npy(losses), **instrument_files(instrument_of(stage, home))}
    validations: dict[str, Any] = {}
    if trained.validation:
        files["validation.npy"] = npy(np.array(trained.validation, np.float64))
        validations["validation_loss"] = trained.validation_loss
    write_artifact(home, stage, files)
    result = {
        "loss": float(losses[-max(1, min(LAST_STEPS, len(losses) // 10)) :].mean()),
        "steps": len(losses),
        "kept_step": trained.kept_step,
        "stopped_early": stopped_early,
        **validations,
        "tokens_seen": trained.tokens_seen,
        "parameters": trained.parameters,
        # for each weight and token, two FLOP forward and four backward
        "flops_per_token": 6 * trained.product_weights,
        "together": trained.together,
        **facts,
    }
    return StageResult(stage, result, 0.0)
