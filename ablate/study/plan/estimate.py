"""Estimate the time and memory of a study from a few steps of each kind of training and generation, run now."""

from __future__ import annotations

import dataclasses
import functools
import math
import time
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from ablate.blame import blaming
from ablate.building import in_one_line
from ablate.engine.devices import Compute, is_fused, one_thread, spread
from ablate.engine.fusion.cuda_graph import WARMUP_RUNS
from ablate.engine.generation.generate import generate
from ablate.engine.generation.row import Row
from ablate.engine.memory import peak_memory
from ablate.engine.training.train import train, train_fused
from ablate.interfaces import FittedTokenizer
from ablate.kinds import GENERATE, TRAIN
from ablate.study.plan.jobs import Packing, trial_job
from ablate.study.plan.measuring import MeasuringTrial
from ablate.study.plan.music.corpora import PlannedMusic
from ablate.study.stage import fingerprint, runs_network, weights_of
from ablate.study.work.components import (
    ExampleCounts,
    build,
    build_conditioners,
    build_model,
    depends_on_examples,
    training_settings,
)
from ablate.study.work.prepare import augmented

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from ablate.engine.training.job import TrainingJob
    from ablate.registry import Registry
    from ablate.settings import TrainingSettings
    from ablate.study.plan.layout import Layout
    from ablate.study.plan.plan import Plan
from ablate.study.stage import Stage

#: Sections that do not change a training.
AFTER_TRAINING = ("sampler", "primer", "generation", "labels", "measure")
#: Limits of the number of steps to time, after one that warms up, and the seconds that they should take.
FEWEST, MOST, LONG_ENOUGH = 2, 400, 0.4
#: Seconds that the steps of all kinds of trainings should take together: with many kinds, each is timed shorter.
TOGETHER = 5.0


class Estimate(NamedTuple):
    """The expected cost of a study.

    Attributes:
        seconds: how long it takes.
        bytes: the memory that it needs, of a GPU the device's own; 0 where the system does not report it.
        fused_groups: the number of trainings in each job of fused trainings; empty where none are fused.
        alone: the models that cannot be fused, and the reasons.
        training: the seconds of one worker for the trainings of one run (a variant in a replicate), with a training
            that runs share divided among them; NaN where none is to run.
        sample: its seconds to generate one sample; NaN where none is to generate.
        measuring: its seconds for all measurements and floors.
        features: those of each metric that was tried for this, by name.
    """

    seconds: float
    bytes: int
    fused_groups: tuple[int, ...] = ()
    alone: tuple[str, ...] = ()
    training: float = math.nan
    sample: float = math.nan
    measuring: float = 0.0
    features: Mapping[str, tuple[str, ...]] = MappingProxyType({})


def estimate(
    plan: Plan, device: str, workers: int, music: PlannedMusic | None = None, *, fused: bool | None = None
) -> Estimate:
    """Return the expected cost of the missing stages, from trial steps on random tokens; changes nothing.

    Trainings with the same components and settings are timed once, and so are generations that also have the same
    number of samples; fused ones are timed fused. Of each metric one measurement is timed, on pieces of the
    reference (:class:`~ablate.study.plan.measuring.MeasuringTrial`). Loading, tokenizing and writing are left out. The
    estimate assumes that ``workers`` processes do not slow each other down, that each needs the peak memory of this
    one, and that files mapped by several processes count once. On GPUs, measuring that runs no network is done by the
    cores at the same time. Each variant that will be chosen while the study runs
    is assumed to cost the same as the baseline.

    Args:
        plan: of the study.
        device: resolved.
        workers: the number of processes.
        music: the corpora of the study; default: they are loaded now.
        fused: whether networks of equal shape are run as one; None is on a GPU only.
    """
    devices = spread(device, min(workers, plan.width()))
    cores = devices.count("cpu")
    beside = (len(devices) - cores) or cores
    registry = plan.layout.registry
    examples = _Examples(registry, music or PlannedMusic(registry))
    packing = Packing(device, lambda: beside, examples.count, registry, fused=is_fused(device, fused))
    trial = _Trial(device, packing, registry, examples)
    with in_one_line(), one_thread():
        trainings = packing.trainings(plan.missing.values())
        trial.share_time(trainings)
        training, sampling = trial.trainings(trainings), trial.generations(plan.missing.values())
        scoring, reading = (
            trial.measurements(stage for stage in plan.missing.values() if runs_network(stage) == networks)
            for networks in (True, False)
        )
        seconds = training + sampling + scoring
        seconds += plan.layout.unchosen * _variant_seconds(plan.layout, trial, packing)
    sizes, memory = tuple(map(len, trainings)) if packing.fused else (), peak_memory(device)
    # the driver is a process of its own beside a pool
    needed = memory.own if device != "cpu" else memory.shared + memory.own * (beside + (beside > 1))
    each = _each(training, _runs_to_train(plan)), _each(sampling, _samples_to_generate(plan))
    return Estimate(
        (seconds + reading) / beside if device == "cpu" else max(seconds / beside, reading / cores),
        needed,
        sizes,
        tuple(dict.fromkeys(packing.alone)),
        *each,
        scoring + reading,
        trial.measuring.features,
    )


def _about(train: Stage, registry: Registry) -> str:
    return str(registry.spec("model", train.config["model"]["name"]).about)


def _each(seconds: float, count: int) -> float:
    return seconds / count if count else math.nan


def _runs_to_train(plan: Plan) -> int:
    return sum(run.stages.stages[TRAIN].fingerprint in plan.missing for run in plan.layout.runs)


def _samples_to_generate(plan: Plan) -> int:
    return sum(len(stage.config["seeds"]) for stage in plan.missing.values() if stage.kind == GENERATE)


class _Trial:
    """Times each kind of work once."""

    def __init__(self, device: str, packing: Packing, registry: Registry, examples: _Examples) -> None:
        self._device, self._packing, self._registry, self._examples = device, packing, registry, examples
        self._train = train_fused if packing.fused else train
        self._seconds: dict[str, float] = {}
        self.measuring = MeasuringTrial(device, registry, examples.music)
        self.measurements = self.measuring.seconds
        self._long_enough = LONG_ENOUGH

    def share_time(self, jobs: Iterable[Sequence[Stage]]) -> None:
        """Time each kind of training in a share of :data:`TOGETHER` seconds, and what comes from it as long."""
        kinds = {_kind(stages[0]) for stages in jobs}
        self._long_enough = min(LONG_ENOUGH, TOGETHER / max(len(kinds), 1))

    def trainings(self, jobs: Iterable[Sequence[Stage]]) -> float:
        """Return the seconds that the jobs take, each a list of trainings that run as one."""
        return sum(self._training(stages) for stages in jobs)

    def _training(self, stages: Sequence[Stage]) -> float:
        first = stages[0]
        kind = f"{len(stages)} trainings of {_kind(first)}"
        if kind not in self._seconds:
            training = first.config["training"]
            counted = depends_on_examples(training) or training["validate_every"]
            counts = self._examples.count(first) if counted else ExampleCounts()
            settings = training_settings(first.config, counts)
            examples = counts.examples if settings.batch_counts == "example" else 1
            with blaming(_about(first, self._registry)):
                jobs = [trial_job(stage.config, settings, examples, self._registry) for stage in stages]
                work = functools.partial(self._train_for, jobs)
                step = _per_step(work, self._device, self._long_enough)
            self._seconds[kind] = step * (settings.steps + _validations(settings, counts))
        return self._seconds[kind]

    def _train_for(self, jobs: Sequence[TrainingJob], steps: int) -> None:
        short = dataclasses.replace(jobs[0].settings, steps=steps)
        self._train([dataclasses.replace(job, settings=short) for job in jobs], self._device)

    def generations(self, stages: Iterable[Stage]) -> float:
        """Return the seconds that the generations among the stages take."""
        return sum(map(self._generation, self._packing.generations(stages)))

    def _generation(self, stages: Sequence[Stage]) -> float:
        source = weights_of(stages[0])
        rows = sum(len(stage.config["seeds"]) for stage in stages)
        models = len({weights_of(stage).fingerprint for stage in stages})
        key = f"{rows} rows of {models} of {_kind(source)}"
        if key not in self._seconds:
            with blaming(_about(source, self._registry)):
                work = _generation(stages, self._device, self._registry, fused=self._packing.fused)
                self._seconds[key] = _per_step(work, self._device, self._long_enough)
        longest: int = max(stage.config["generation"]["tokens"] for stage in stages)
        return self._seconds[key] * longest


def _variant_seconds(layout: Layout, trial: _Trial, packing: Packing) -> float:
    """Return the cost of one more variant: generating, measuring, and training if an axis comes before it."""
    if not layout.unchosen:
        return 0.0
    stages = {s.fingerprint: s for run in layout.runs if run.variant.baseline for s in run.stages.stages.values()}
    trains = any(axis.path.partition(".")[0] not in AFTER_TRAINING for axis in layout.spec.axes)
    seconds = trial.generations(stages.values()) + trial.measurements(stages.values())
    return seconds + (trial.trainings(packing.trainings(stages.values())) if trains else 0.0)


def _kind(train: Stage) -> str:
    """Return what trainings of equal duration have in common: all but their seeds, pieces drawn and learning rate."""
    config = {key: value for key, value in train.config.items() if key != "seeds"}
    config["training"] = {key: value for key, value in config["training"].items() if key != "learning_rate"}
    prepare = dict(train.inputs["examples"].config)
    split = {key: value for key, value in prepare.pop("split", {}).items() if key not in ("seed", "fold")}
    return fingerprint({**config, "prepare": {**prepare, "seed": None, "split": split}})


def _validations(settings: TrainingSettings, counts: ExampleCounts) -> float:
    """Return the time of all validations in steps of the training; no training is assumed to end early."""
    if not settings.validate_every:
        return 0.0
    rows = settings.batch * (counts.examples if settings.batch_counts == "example" else 1)
    each = counts.validation_tokens / (rows * settings.accumulate * settings.window)
    # a backward pass takes about twice as long as a forward pass
    return math.ceil(settings.steps / settings.validate_every) * each / 3


class _Examples:
    """Counts the examples of trainings and their tokens; those that trainings share are counted once."""

    def __init__(self, registry: Registry, music: PlannedMusic) -> None:
        self._registry, self.music = registry, music
        self._counts: dict[str, ExampleCounts] = {}

    def count(self, train: Stage) -> ExampleCounts:
        """Return the numbers of a training; those of one example if preparing fails, which the stage reports."""
        prepare, training = train.inputs["examples"], train.config["training"]
        in_epochs, validates = bool(training["epochs"]), bool(training["validate_every"])
        key = f"{prepare.fingerprint} {in_epochs} {validates}"
        if key not in self._counts:
            try:
                self._counts[key] = self._count(prepare, in_epochs=in_epochs, validates=validates)
            except Exception:  # noqa: BLE001 - the stage reports the errors of its plugins
                self._counts[key] = ExampleCounts()
        return self._counts[key]

    def _count(self, prepare: Stage, *, in_epochs: bool, validates: bool) -> ExampleCounts:
        split = self.music.split(prepare.inputs["corpus"], prepare.config.get("split", {}))
        pieces = augmented(split.train, prepare, self._registry)
        if not (in_epochs or validates):
            return ExampleCounts(len(pieces))
        tokenizer = build("tokenizer", prepare.config["tokenizer"], self._registry)
        if isinstance(tokenizer, FittedTokenizer):
            tokenizer.load(tokenizer.fit(split.train))
        # encoding takes seconds for a large corpus
        read = (pieces if in_epochs else (), split.validation if validates else ())
        tokens, validation_tokens = (sum(len(tokenizer.encode(piece)) for piece in each) for each in read)
        return ExampleCounts(len(pieces), tokens, validation_tokens)


def _generation(stages: Sequence[Stage], device: str, registry: Registry, *, fused: bool) -> Callable[[int], None]:
    """Return a function that generates a number of tokens of each row."""
    sources = {weights_of(stage).fingerprint: weights_of(stage).config for stage in stages}
    config = next(iter(sources.values()))
    tokenizer = build("tokenizer", config["tokenizer"], registry)
    conditioners = build_conditioners(config, registry)
    models = [build_model(config, registry).to(device).eval() for config in sources.values()]
    compute = Compute(device, config["training"]["precision"], fused=fused)
    indices = [list(sources).index(weights_of(stage).fingerprint) for stage in stages for _ in stage.config["seeds"]]

    def generation(tokens: int) -> None:
        rows = [Row(index, (), tokens, seed) for seed, index in enumerate(indices)]
        generate(models, rows, tokenizer=tokenizer, conditioners=conditioners, compute=compute)

    return generation


def _per_step(work: Callable[[int], None], device: str, long_enough: float) -> float:
    """Return the seconds of a step after the first ones, which include the start; short steps are timed longer."""
    first = WARMUP_RUNS + 2 if device.startswith("cuda") else 1  # on a GPU, a step is recorded after its first runs
    work(first)
    once = _timed(work, first)
    steps = FEWEST
    while True:
        longer = max(_timed(work, first + steps) - once, 0.0)
        if longer >= long_enough or steps >= MOST:
            return longer / steps
        steps = min(MOST, max(2 * steps, round(1.2 * steps * long_enough / max(longer, 1e-3))))


def _timed(work: Callable[[int], None], steps: int) -> float:
    started = time.perf_counter()
    work(steps)
    return time.perf_counter() - started
