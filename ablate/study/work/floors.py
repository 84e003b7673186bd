"""Measure floors: reference scores, the values of a metric when no model is involved.

- ``copy``: a piece of the reference itself;
- ``round_trip``: a piece encoded and decoded, so the error of the tokenizer alone;
- ``shuffled``: a piece's tokens in random order, decoded: everything is right except the order;
- ``another_piece``: a piece of the corpus that is held out of the reference;
- ``resampling``: notes drawn from the reference, the same number as in a sample: the score by chance of a perfect
  generator of such notes.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import numpy as np

from ablate.engine.seeding import numpy_stream
from ablate.errors import AblateError, one_line
from ablate.music.performance import NOTE_DTYPE, Performance
from ablate.study.work.components import build
from ablate.study.work.load import pieces
from ablate.study.work.measure import checked, samples_to_measure
from ablate.study.work.messages import MetricRecord, StageResult

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from ablate.arrays import Array
    from ablate.interfaces import Measurements, Tokenizer, Value
    from ablate.study.stage import Stage
    from ablate.study.work.load import Split
    from ablate.study.work.messages import Context


def floors(stages: tuple[Stage, ...], context: Context) -> list[StageResult]:
    """Measure every floor except resampling."""
    (stage,) = stages
    config = stage.config
    split = pieces(context.home / stage.inputs["reference"].artifact, config.get("split", {}))
    tokenizer = build("tokenizer", config["tokenizer"], context.registry)
    metric, name = build("metric", config["metric"], context.registry), config["metric"]["name"]
    values: list[MetricRecord[Any]] = []
    histograms: list[MetricRecord[Any]] = []
    skipped: dict[str, str] = {}
    for floor, performances in _without_model(split, tokenizer, config).items():
        try:
            measured = [checked(metric.measure(each, split.train), name) for each in performances()]
        except (AblateError, ValueError) as error:  # the tokenizer or the metric cannot work with such music
            skipped[floor] = one_line(error)
            continue
        values += _values(measured, name, floor)
        # one shuffle is enough to show: they all look alike
        shown = measured[:1] if floor == "shuffled" else measured
        histograms += [
            MetricRecord(i, name, histogram, floor) for i, one in enumerate(shown) for histogram in one.histograms
        ]
    return [StageResult(stage, {"skipped": skipped}, 0.0, tuple(values), tuple(histograms))]


def _without_model(
    split: Split, tokenizer: Tokenizer, config: Mapping[str, Any]
) -> dict[str, Callable[[], Iterator[Performance]]]:
    """Return for each floor the function that makes its performances."""
    chosen = spread_pieces(split.train, config["pieces"])
    rng = numpy_stream(config["seed"])
    return {
        "copy": lambda: iter(chosen),
        "round_trip": lambda: (tokenizer.decode(tokenizer.encode(piece)) for piece in chosen),
        "shuffled": lambda: (shuffled(chosen[i % len(chosen)], tokenizer, rng) for i in range(config["shuffles"])),
        "another_piece": lambda: iter(spread_pieces(split.test or split.validation, config["pieces"])),
    }


def resample(stages: tuple[Stage, ...], context: Context) -> list[StageResult]:
    """Measure notes drawn from the reference: each draw has the number of samples and of notes of the run.

    A draw replaces a replicate, so its value is the mean over its samples, and its ``n`` is their sum.
    """
    (stage,) = stages
    config = stage.config
    reference = pieces(context.home / stage.inputs["reference"].artifact, config.get("split", {})).train
    samples = samples_to_measure(stage, context)
    pool, rng = pooled(reference), numpy_stream(config["seed"])
    metric, name = build("metric", config["metric"], context.registry), config["metric"]["name"]
    values: list[MetricRecord[Any]] = []
    try:
        for draw in range(config["draws"]):
            # with the labels of the samples: a metric may compare the music with them
            drawn = [drawn_notes(pool, len(s), rng).replace(labels=s.labels, name=s.name) for s in samples]
            measured = [checked(metric.measure(each, reference), name) for each in drawn]
            values += [MetricRecord(draw, name, value, "resampling") for value in _means(measured)]
    except (AblateError, ValueError) as error:
        return [StageResult(stage, {"skipped": {"resampling": one_line(error)}}, 0.0)]
    return [StageResult(stage, {"skipped": {}}, 0.0, tuple(values))]


def _means(measured: Sequence[Measurements]) -> Iterator[Value]:
    """Yield each feature's mean over the samples that have it."""
    of_feature: dict[str, list[Value]] = {}
    for one in measured:
        for value in one.values:
            of_feature.setdefault(value.feature, []).append(value)
    for values in of_feature.values():
        mean = sum(value.value for value in values) / len(values)
        yield dataclasses.replace(values[0], value=mean, n=sum(value.n for value in values))


def _values(measured: Sequence[Measurements], name: str, floor: str) -> list[MetricRecord[Any]]:
    return [MetricRecord(i, name, value, floor) for i, one in enumerate(measured) for value in one.values]


def spread_pieces(performances: Sequence[Performance], count: int) -> list[Performance]:
    """Return at most ``count`` of the performances with notes, evenly spread."""
    audible = [performance for performance in performances if len(performance)]
    if len(audible) <= count:
        return audible
    return [audible[index] for index in np.linspace(0, len(audible) - 1, count).round().astype(int)]


def shuffled(performance: Performance, tokenizer: Tokenizer, rng: np.random.Generator) -> Performance:
    """Return the performance's tokens in random order, decoded."""
    return tokenizer.decode(rng.permutation(tokenizer.encode(performance)))


def pooled(reference: Sequence[Performance]) -> Array:
    """Return every note of the reference, with ``start`` the distance from the note before it and ``end`` the duration.

    Both are in seconds; the first note of a piece has the distance 0.
    """
    parts = [performance.canonical().notes for performance in reference if len(performance)]
    notes = np.concatenate([np.empty(0, NOTE_DTYPE), *parts])
    durations = notes["end"] - notes["start"]
    notes["start"] = np.concatenate([np.diff(part["start"], prepend=part["start"][:1]) for part in parts])
    notes["end"] = durations
    return notes


def drawn_notes(pool: Array, count: int, rng: np.random.Generator) -> Performance:
    """Return ``count`` notes drawn with replacement, one after another at their own distances, from time 0."""
    notes = pool[rng.integers(0, len(pool), count)].copy()
    starts = np.cumsum(notes["start"])
    notes["end"] += starts - starts[0]
    notes["start"] = starts - starts[0]
    return Performance(notes)
