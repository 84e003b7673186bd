"""Estimate the time of measuring: each metric measures a few pieces of the reference now, in place of samples."""

from __future__ import annotations

import functools
import time
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import torch

from ablate.engine.conditions import trial_conditions
from ablate.engine.score import CHUNK, ROWS, negative_log_likelihoods
from ablate.engine.training.windows import Example
from ablate.interfaces import SetMetric
from ablate.interrupts import is_ctrl_c
from ablate.kinds import FLOOR, MEASURE, RESAMPLE
from ablate.study.stage import fingerprint
from ablate.study.work.components import build, build_conditioners, build_model
from ablate.study.work.floors import spread_pieces
from ablate.study.work.measure import reference_and_others

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from ablate.arrays import FloatArray
    from ablate.interfaces import Measurements
    from ablate.music.performance import Performance
    from ablate.registry import Registry
    from ablate.study.plan.music.corpora import PlannedMusic
    from ablate.study.stage import Stage
    from ablate.study.work.load import Split

#: The most pieces of a reference to measure against; the time of what is computed once for a reference is scaled up.
PIECES = 50
#: Tokens of a note, about: a note of a tokenizer has an onset, a velocity and an end, or takes a share of a time step.
TOKENS_PER_NOTE = 3


class _Cost(NamedTuple):
    """The seconds of the first measurement, which prepares the reference, and of each one after it."""

    first: float
    later: float

    def of(self, count: int) -> float:
        """Return the seconds of this number of measurements."""
        return self.first + max(0, count - 1) * self.later


class MeasuringTrial:
    """Times one measurement of each metric.

    A metric of samples measures the beginnings of two pieces of the reference, as long as a sample, and the second one
    counts for all samples but the first. Floors measure whole pieces. A metric of sets measures one set. A metric of
    models gets made-up likelihoods, and what scoring its pieces takes is computed from a few passes of the network.
    Metrics that fail here count as nothing: their stages report the error.

    Args:
        device: of the study.
        registry: the components.
        music: the corpora of the study.

    Attributes:
        features: those of each metric that was timed, by name.
    """

    def __init__(self, device: str, registry: Registry, music: PlannedMusic) -> None:
        self._device, self._registry, self._music = device, registry, music
        self.features: dict[str, tuple[str, ...]] = {}
        self._costs: dict[str, _Cost] = {}
        self._token_seconds: dict[str, float] = {}

    def seconds(self, stages: Iterable[Stage]) -> float:
        """Return the seconds that the measurements and floors among the stages take."""
        return sum(self._of(stage) for stage in stages if stage.kind in (MEASURE, FLOOR, RESAMPLE))

    def _of(self, stage: Stage) -> float:
        """Return the seconds of one stage; each kind of measurement is timed once."""
        samples, notes = _music_of(stage)
        key = _measurement_key(stage, samples, notes)
        if key not in self._costs:
            try:
                self._costs[key] = self._time(stage, samples, notes)
            except BaseException as error:
                if is_ctrl_c(error):
                    raise  # any other error is reported by the stage itself
                self._costs[key] = _Cost(0.0, 0.0)
        return self._costs[key].of(_count(stage, samples))

    def _time(self, stage: Stage, samples: int, notes: int) -> _Cost:
        metric = build("metric", stage.config["metric"], self._registry)
        split = self._music.split(stage.inputs["reference"], stage.config.get("split", {}))
        if "weights" in stage.inputs:
            return self._time_model(metric, split, stage)
        everything, _ = reference_and_others(split, stage.config)
        reference = spread_pieces(everything, PIECES)
        scale = len(everything) / len(reference)
        pieces = [piece for piece in reference if len(piece)]
        standing_in = [_beginning(pieces[i % len(pieces)], notes) for i in range(max(2, samples))]
        if isinstance(metric, SetMetric):
            seconds = scale * self._measured(stage, lambda: metric.measure(standing_in[:samples], reference))
            return _Cost(seconds, seconds)
        work = (functools.partial(metric.measure, piece, reference) for piece in standing_in[:2])
        first, later = (self._measured(stage, each) for each in work)
        return _Cost(later + scale * max(0.0, first - later), later)

    def _measured(self, stage: Stage, work: Callable[[], Measurements]) -> float:
        """Return the seconds of a measurement, and keep the names of its features."""

        def watched() -> Measurements:
            measured = work()
            self.features[stage.config["metric"]["name"]] = tuple(value.feature for value in measured.values)
            return measured

        return _timed(watched)

    def _time_model(self, metric: Any, split: Split, stage: Stage) -> _Cost:
        asked: dict[int, int] = {}
        rng = np.random.default_rng(0)

        def score(performance: Performance) -> FloatArray:
            tokens = TOKENS_PER_NOTE * len(performance)
            asked[id(performance)] = tokens
            return rng.exponential(size=max(0, tokens - 1))

        seconds = self._measured(stage, lambda: metric.measure(score, *split))
        return _Cost(seconds + sum(asked.values()) * self._seconds_per_token(stage.inputs["weights"]), seconds)

    def _seconds_per_token(self, train: Stage) -> float:
        """Return the time in which the network of a training reads a token of a piece."""
        config, key = train.config, fingerprint({"network": _of_network(train)})
        if key not in self._token_seconds:
            with torch.random.fork_rng(devices=[]):
                model = build_model(config, self._registry).to(self._device).eval()
            words = len(build("tokenizer", config["tokenizer"], self._registry).vocabulary)
            tokens = np.random.default_rng(0).integers(words, size=2 * CHUNK + 1)
            conditioners = build_conditioners(config, self._registry)
            conditions = tuple(values[0] for values in trial_conditions(conditioners, [{}], len(tokens)))
            pieces = [Example(tokens, conditions)] * ROWS
            precision = config["training"]["precision"]

            def work() -> None:
                negative_log_likelihoods(model, pieces, self._device, precision)

            work()
            self._token_seconds[key] = _timed(work) / (ROWS * 2 * CHUNK)
        return self._token_seconds[key]


def _music_of(stage: Stage) -> tuple[int, int]:
    """Return how many performances a stage measures as samples, and their notes; 0 notes for whole pieces."""
    if stage.kind == FLOOR:
        return min(stage.config.get("samples", 1), stage.config["pieces"]), 0
    if "generated" not in stage.inputs:
        return 1, 0
    generated = stage.inputs["generated"].config
    return len(generated["seeds"]), max(1, generated["generation"]["tokens"] // TOKENS_PER_NOTE)


def _is_of_set(stage: Stage) -> bool:
    return bool(stage.config.get("scope") == "set")


def _count(stage: Stage, samples: int) -> int:
    """Return how many measurements a stage makes."""
    config, of_set = stage.config, _is_of_set(stage)
    if stage.kind == FLOOR:  # copies, round trips and other pieces
        return int(3 * config["shuffles"] if of_set else 3 * config["pieces"] + config["shuffles"])
    draws = int(config["draws"]) if stage.kind == RESAMPLE else 1
    return draws if of_set else draws * samples


def _measurement_key(stage: Stage, samples: int, notes: int) -> str:
    """Return a key that stages with equal costs of a measurement have in common."""
    config = stage.config
    split = {key: value for key, value in config.get("split", {}).items() if key not in ("seed", "fold")}
    corpus = stage.inputs["reference"].fingerprint
    known = [config["metric"], corpus, split, config.get("reference"), _is_of_set(stage) and samples, notes]
    return fingerprint({"known": known, "weights": _network(stage)})


def _beginning(piece: Performance, notes: int) -> Performance:
    """Return the first notes of a piece; the whole piece for 0."""
    return piece.replace(notes=piece.canonical().notes[:notes]) if notes else piece


def _network(stage: Stage) -> Any:
    return _of_network(stage.inputs["weights"]) if "weights" in stage.inputs else None


def _of_network(train: Stage) -> Any:
    """Return what networks have in common that read a piece in the same time."""
    config = train.config
    return [config["model"], config["conditioners"], config["tokenizer"], config["training"]["precision"]]


def _timed(work: Callable[[], Any]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started
