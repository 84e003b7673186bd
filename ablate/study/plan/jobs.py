"""Which stages are worked on together, as one job.

On a CPU each training is a job, and the generations from the same weights are one. On a GPU the trainings of models
that can be fused are one job, as many as fit into its memory; so are generations of such models. Several GPUs share
them evenly.
"""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from ablate.engine.devices import is_fused
from ablate.engine.fusion.eligibility import fusible_subsets, shape_key, why_not_fusible
from ablate.engine.training.capacity import count_fitting
from ablate.engine.training.job import TrainingJob, TrainingSeeds
from ablate.engine.training.windows import Example
from ablate.study.stage import Stage, weights_of
from ablate.study.work.components import build_model, built, built_conditioners, training_settings

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence

    from ablate.settings import TrainingSettings

#: Samples from the same weights that are enough for one job: more hardly share a step better, and other cores wait.
ROWS = 64


def in_jobs(generations: Sequence[Stage]) -> list[list[Stage]]:
    """Generations in jobs of those from the same weights, of about :data:`ROWS` samples each, in order."""
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


#: Rows of one generation on a GPU at most: with more, a step takes longer by as much as there are more of them.
FUSED_ROWS = 4096
_SEEDS = TrainingSeeds(0, 0, 0, 0)


class Packing:
    """Puts stages of one kind into jobs.

    Args:
        device: resolved.
        places: how many jobs can run side by side.
        examples: how many examples a training stage has; only asked where its batch or its steps depend on that.
        fused: whether to fuse models where possible; None means only on a GPU.

    Attributes:
        fuses: whether models are fused where possible.
        alone: the models among the stages so far that cannot be fused, and why.
    """

    def __init__(
        self, device: str, places: int, examples: Callable[[Stage], int], *, fused: bool | None = None
    ) -> None:
        self._device, self._places, self._examples = device, places, examples
        self.fuses = is_fused(device, fused)
        self.alone: list[str] = []
        self._keys: dict[str, tuple[Hashable, ...] | None] = {}
        self._models: dict[Hashable, list[Any]] = {}
        self._most: dict[Hashable, int] = {}

    def trainings(self, stages: Iterable[Stage]) -> list[list[Stage]]:
        """The trainings among the stages in jobs."""
        stages = [stage for stage in stages if stage.kind == "train"]
        if not self.fuses:
            return [[stage] for stage in stages]
        jobs: list[list[Stage]] = []
        for key, group in self._alike(stages, self._training_key).items():
            most = math.ceil(len(group) / self._places)
            if most > 1:
                most = min(most, self._fitting(key, group[0]))
            jobs += evenly(group, most)
        return jobs

    def generations(self, stages: Iterable[Stage]) -> list[list[Stage]]:
        """The generations among the stages in jobs."""
        stages = [stage for stage in stages if stage.kind == "generate"]
        if not self.fuses:
            return in_jobs(stages)
        jobs: list[list[Stage]] = []
        for group in self._alike(stages, self._generation_key).values():
            rows = max(len(stage.config["seeds"]) for stage in group)
            most = min(math.ceil(len(group) / self._places), max(1, FUSED_ROWS // rows))
            jobs += evenly(group, most)
        return jobs

    def _fitting(self, key: Hashable, stage: Stage) -> int:
        """How many trainings of that key fit into the device's memory at once."""
        if key not in self._most:
            examples = self._count(stage)
            job = trial_job(stage.config, training_settings(stage.config, examples), examples)
            # with several GPUs the memory in use is that of workers, who will do the training
            try:
                self._most[key] = count_fitting(job, self._device, whole=self._places > 1)
            except Exception:  # noqa: BLE001 - each training by itself shows whether it is to blame
                self._most[key] = 1
        return self._most[key]

    def _count(self, stage: Stage) -> int:
        training = stage.config["training"]
        return self._examples(stage) if training["batch_counts"] == "example" else 1

    def _alike(self, stages: Iterable[Stage], key: Callable[[Stage], Hashable]) -> dict[Hashable, list[Stage]]:
        """Stages by key; those without one by the weights that they make or come from."""

        def guarded(stage: Stage) -> Hashable:
            try:
                found = key(stage)
            except Exception:  # noqa: BLE001 - whatever a plugin raises is for its own stage to say
                found = None
            return found or (stage if stage.kind == "train" else weights_of(stage)).fingerprint

        return _grouped(stages, guarded)

    def _training_key(self, stage: Stage) -> Hashable:
        """What trainings have in common that can be done as one; None if one cannot."""
        network, count = self._network(stage), self._count(stage)
        settings = training_settings(stage.config, count)
        return network and (*network, settings.steps, settings.batch, settings.window, settings.precision, count)

    def _generation_key(self, stage: Stage) -> Hashable:
        """What generations have in common whose rows share steps: network, conditioners and tokenizer; or None."""
        source = weights_of(stage)
        network = self._network(source)
        shared = (source.config["tokenizer"], source.config["conditioners"], source.config["training"]["precision"])
        return network and (*network, json.dumps(shared, sort_keys=True))

    def _network(self, train: Stage) -> tuple[Hashable, ...] | None:
        """Return a key that is equal for networks that can be fused; None if that of a training cannot."""
        config = train.config
        text = json.dumps([config[name] for name in ("tokenizer", "conditioners", "model")], sort_keys=True)
        if text not in self._keys:
            precision, name = config["training"]["precision"], config["model"]["name"]
            with torch.random.fork_rng(devices=[]):
                model = build_model(config).train()
            widths = [conditioner.width for conditioner in built_conditioners(config)]
            reason = why_not_fusible(model, precision, widths)
            if reason:
                self.alone.append(f"model '{name}': {reason}")
            self._keys[text] = None if reason else (name, *widths, *self._subset(model, precision))
        return self._keys[text]

    def _subset(self, model: Any, precision: str) -> tuple[Hashable, ...]:
        """Return a model's shape, and the number of the fusible subset to which it belongs."""
        shape = shape_key(model)
        known = self._models.setdefault(shape, [])
        known.append(model)
        return shape, next(i for i, subset in enumerate(fusible_subsets(known, precision)) if len(known) - 1 in subset)


def evenly(stages: Sequence[Stage], most: int) -> list[list[Stage]]:
    """As few lists as hold no more than ``most`` each, of about equal length."""
    count = math.ceil(len(stages) / most)
    ends = [round(len(stages) * part / count) for part in range(count + 1)]
    return [list(stages[a:b]) for a, b in itertools.pairwise(ends)]


def _grouped(stages: Iterable[Stage], key: Callable[[Stage], Hashable]) -> dict[Hashable, list[Stage]]:
    groups: dict[Hashable, list[Stage]] = {}
    for stage in stages:
        groups.setdefault(key(stage), []).append(stage)
    return groups


def trial_job(config: Mapping[str, Any], settings: TrainingSettings, examples: int) -> TrainingJob:
    """Return a job with the configuration of a training stage and random tokens, to measure its cost."""
    conditioners = built_conditioners(config)
    words = len(built("tokenizer", config["tokenizer"]).vocabulary)
    tokens = np.random.default_rng(0).integers(0, words, settings.window + 1)
    conditions = tuple(np.zeros((len(tokens), conditioner.width), np.float32) for conditioner in conditioners)
    repeated = [Example(tokens, conditions)] * examples
    return TrainingJob(lambda: build_model(config), repeated, conditioners, settings, _SEEDS)
