"""Put stages into jobs: which of them are worked on together.

On a CPU a training is a job by itself, and the generations from the same weights are one. On a GPU the trainings whose
networks can be fused are one job, up to the number that fits into its memory; so are generations of such networks.
Several GPUs share them evenly.
"""

from __future__ import annotations

import dataclasses
import itertools
import json
import logging
import math
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from ablate.engine.conditions import trial_conditions
from ablate.engine.fusion.eligibility import fusible_subsets, optimizer_obstacle, shape_key, why_not_fusible
from ablate.engine.training.capacity import count_fitting
from ablate.engine.training.job import TrainingJob, TrainingSeeds
from ablate.engine.training.windows import Example
from ablate.errors import named_line
from ablate.kinds import FIT, GENERATE, TRAIN
from ablate.study.stage import Stage, weights_of
from ablate.study.work.components import (
    ExampleCounts,
    build,
    build_conditioners,
    build_model,
    build_recipe,
    depends_on_examples,
    training_settings,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence

    from ablate.registry import Registry
    from ablate.settings import TrainingSettings

_log = logging.getLogger(__name__)

_NO_TRIAL = (
    "no trial could show how many trainings of model '%s' fit into the GPU's memory, so each is trained "
    "alone, which is slower: %s"
)
#: Samples from the same weights that are enough for one job: more make a step hardly cheaper, and other cores wait.
ROWS = 64


def in_jobs(generations: Sequence[Stage]) -> list[list[Stage]]:
    """Return generations in jobs from the same weights, of about :data:`ROWS` samples each, in order."""
    jobs: list[list[Stage]] = []
    open_jobs: dict[str, tuple[list[Stage], int]] = {}
    for stage in generations:
        source = weights_of(stage).fingerprint
        job, rows = open_jobs.get(source, ([], ROWS))
        if rows >= ROWS:
            job, rows = [], 0
            jobs.append(job)
        job.append(stage)
        open_jobs[source] = job, rows + len(stage.config["seeds"])
    return jobs


#: The most rows of one generation on a GPU: with more, the time of a step grows with their number.
FUSED_ROWS = 4096
_SEEDS = TrainingSeeds(0, 0, 0, 0)


class Packing:
    """Puts stages of one kind into jobs.

    Args:
        device: resolved.
        slots: returns the number of jobs that can run side by side; asked only when there are jobs to make.
        examples: returns the numbers of examples and tokens of a training stage; called only where its batch or its
            steps depend on them.
        registry: the components.
        fused: whether networks of equal shape are run as one.

    Attributes:
        fused: whether they are.
        alone: the models and optimizers seen so far that cannot be fused, and the reasons.
    """

    def __init__(
        self,
        device: str,
        slots: Callable[[], int],
        examples: Callable[[Stage], ExampleCounts],
        registry: Registry,
        *,
        fused: bool,
    ) -> None:
        self._device, self._slots, self._examples, self._registry = device, slots, examples, registry
        self.fused = fused
        self.alone: list[str] = []
        self._keys: dict[str, tuple[Hashable, ...] | None] = {}
        self._models: dict[Hashable, list[Any]] = {}
        self._most: dict[Hashable, int] = {}

    def trainings(self, stages: Iterable[Stage]) -> list[list[Stage]]:
        """Return the trainings among the stages in jobs."""
        stages = [stage for stage in stages if stage.kind == TRAIN]
        if not self.fused:
            return [[stage] for stage in stages]
        jobs: list[list[Stage]] = []
        for key, group in self._alike(stages, self._training_key).items():
            most = math.ceil(len(group) / self._slots())
            if most > 1:
                most = min(most, self._fitting(key, group[0]))
            jobs += split_evenly(group, most)
        return jobs

    def generations(self, stages: Iterable[Stage]) -> list[list[Stage]]:
        """Return the generations among the stages in jobs."""
        stages = [stage for stage in stages if stage.kind == GENERATE]
        if not self.fused:
            return in_jobs(stages)
        jobs: list[list[Stage]] = []
        for group in self._alike(stages, self._generation_key).values():
            rows = max(len(stage.config["seeds"]) for stage in group)
            most = min(math.ceil(len(group) / self._slots()), max(1, FUSED_ROWS // rows))
            jobs += split_evenly(group, most)
        return jobs

    def _fitting(self, key: Hashable, stage: Stage) -> int:
        """Return how many trainings with this key fit into the device's memory at once."""
        if key not in self._most:
            counts = self._count(stage)
            settings = training_settings(stage.config, counts)
            job = trial_job(stage.config, settings, counts.examples, self._registry)
            # with several GPUs, the memory in use belongs to the workers that will do the training
            try:
                self._most[key] = count_fitting(job, self._device, whole=self._slots() > 1)
            except Exception as error:  # noqa: BLE001 - run alone, each training shows its own error
                _log.warning(_NO_TRIAL, stage.config["model"]["name"], named_line(error))
                self._most[key] = 1
        return self._most[key]

    def _count(self, stage: Stage) -> ExampleCounts:
        return self._examples(stage) if depends_on_examples(stage.config["training"]) else ExampleCounts()

    def _alike(self, stages: Iterable[Stage], key: Callable[[Stage], Hashable]) -> dict[Hashable, list[Stage]]:
        """Return stages by key; those without a key by the weights that they make or come from."""

        def guarded(stage: Stage) -> Hashable:
            try:
                group = key(stage)
            except Exception:  # noqa: BLE001 - an error of a plugin is reported by its own stage
                group = None
            return group or (stage if stage.kind == TRAIN else weights_of(stage)).fingerprint

        return _grouped(stages, guarded)

    def _training_key(self, stage: Stage) -> Hashable:
        """Return what fused trainings have in common; None for a training that cannot be fused."""
        obstacle = optimizer_obstacle(build("optimizer", stage.config["optimizer"], self._registry))
        if obstacle:
            name = stage.config["optimizer"]["name"]
            self.alone.append(f"optimizer '{name}': it cannot be fused, so its models are trained one by one")
            return None
        network, counts = self._network(stage), self._count(stage)
        settings = training_settings(stage.config, counts)
        rows = settings.batch * (counts.examples if settings.batch_counts == "example" else 1)
        return network and (
            *(*network, settings.steps, rows, settings.window, settings.precision),
            *(settings.accumulate, settings.validate_every),
        )

    def _generation_key(self, stage: Stage) -> Hashable:
        """Return what fused generations have in common; None for a generation that cannot be fused."""
        source = weights_of(stage)
        network = self._network(source)
        shared = (source.config["tokenizer"], source.config["conditioners"], source.config["training"]["precision"])
        learned = [stage.inputs[FIT].fingerprint] if FIT in stage.inputs else []  # one tokenizer decodes them all
        return network and (*network, json.dumps([*shared, *learned], sort_keys=True))

    def _network(self, train: Stage) -> tuple[Hashable, ...] | None:
        """Return what fused networks have in common; None if the network of this training cannot be fused."""
        config = train.config
        text = json.dumps([config[name] for name in ("tokenizer", "conditioners", "model")], sort_keys=True)
        if text not in self._keys:
            precision, name = config["training"]["precision"], config["model"]["name"]
            with torch.random.fork_rng(devices=[]):
                model = build_model(config, self._registry).train()
            conditioners = build_conditioners(config, self._registry)
            widths = [conditioner.width for conditioner in conditioners]
            reason = why_not_fusible(model, precision, conditioners)
            if reason:
                self.alone.append(f"model '{name}': {reason}")
            self._keys[text] = None if reason else (name, *widths, *self._group(model, precision))
        return self._keys[text]

    def _group(self, model: Any, precision: str) -> tuple[Hashable, ...]:
        """Return a network's shape, and the index of the group within that shape that it can be fused with."""
        shape = shape_key(model)
        known = self._models.setdefault(shape, [])
        known.append(model)
        return shape, next(i for i, group in enumerate(fusible_subsets(known, precision)) if len(known) - 1 in group)


def split_evenly(stages: Sequence[Stage], most: int) -> list[list[Stage]]:
    """Return the stages in the fewest lists of at most ``most`` each, of about equal length."""
    count = math.ceil(len(stages) / most)
    ends = [round(len(stages) * part / count) for part in range(count + 1)]
    return [list(stages[a:b]) for a, b in itertools.pairwise(ends)]


def _grouped(stages: Iterable[Stage], key: Callable[[Stage], Hashable]) -> dict[Hashable, list[Stage]]:
    groups: dict[Hashable, list[Stage]] = {}
    for stage in stages:
        groups.setdefault(key(stage), []).append(stage)
    return groups


def trial_job(config: Mapping[str, Any], settings: TrainingSettings, examples: int, registry: Registry) -> TrainingJob:
    """Return a training job with a training stage's configuration, to be tried on random tokens."""
    conditioners = build_conditioners(config, registry)
    words = len(build("tokenizer", config["tokenizer"], registry).vocabulary)
    tokens = np.random.default_rng(0).integers(0, words, settings.window + 1)
    conditions = tuple(values[0] for values in trial_conditions(conditioners, [{}], len(tokens)))
    each = [Example(tokens, conditions)] * examples
    # a trial has no validation pieces
    settings = dataclasses.replace(settings, validate_every=0, keep="last", patience=0)
    recipe = build_recipe(config, registry)
    return TrainingJob(lambda: build_model(config, registry), each, conditioners, settings, _SEEDS, recipe)
