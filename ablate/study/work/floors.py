"""The work of floors: what a metric says where no model is at fault.

- ``copy``: a piece of the reference itself;
- ``round_trip``: a piece encoded and decoded, so what the tokenizer alone costs;
- ``shuffled``: a piece's tokens in random order, decoded: all is right but the order;
- ``another_piece``: a piece of the corpus that is held out of the reference;
- ``resampling``: notes drawn from the reference's own, as many as a sample has: what a perfect generator of such notes
  would score by chance.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import numpy as np

from ablate.engine.seeding import numpy_stream
from ablate.errors import AblateError, one_line
from ablate.music.performance import NOTE_DTYPE, Performance
from ablate.study.work.components import built
from ablate.study.work.load import pieces
from ablate.study.work.measure import checked, samples_to_measure
from ablate.study.work.messages import MetricRecord, StageResult

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from ablate.arrays import Array
    from ablate.interfaces import Measurements, Tokenizer, Value
    from ablate.study.stage import Stage
    from ablate.study.work.messages import Context


def floors(stages: tuple[Stage, ...], context: Context) -> list[StageResult]:
    """Measure what stands for the reference itself, in every way but resampling."""
    (stage,) = stages
    config = stage.config
    reference, held_out = pieces(context.home / stage.inputs["reference"].artifact, config.get("split", {}))
    tokenizer = built("tokenizer", config["tokenizer"])
    some = evenly(reference, config["pieces"])
    rng = numpy_stream(config["seed"])
    stand_ins: dict[str, Callable[[], Iterator[Performance]]] = {
        "copy": lambda: iter(some),
        "round_trip": lambda: (tokenizer.decode(tokenizer.encode(piece)) for piece in some),
        "shuffled": lambda: (shuffled(some[i % len(some)], tokenizer, rng) for i in range(config["shuffles"])),
        "another_piece": lambda: iter(evenly(held_out, config["pieces"])),
    }
    metric, name = built("metric", config["metric"]), config["metric"]["name"]
    values: list[MetricRecord[Any]] = []
    histograms: list[MetricRecord[Any]] = []
    skipped: dict[str, str] = {}
    for floor, given in stand_ins.items():
        try:
            measured = [checked(metric.measure(each, reference), name) for each in given()]
        except (AblateError, ValueError) as error:  # of a tokenizer or metric that cannot do with such music
            skipped[floor] = one_line(error)
            continue
        values += _values(measured, name, floor)
        # one of the shuffles shows what they all look like
        kept = measured[:1] if floor == "shuffled" else measured
        histograms += [
            MetricRecord(i, name, histogram, floor) for i, one in enumerate(kept) for histogram in one.histograms
        ]
    return [StageResult(stage, {"skipped": skipped}, 0.0, tuple(values), tuple(histograms))]


def resample(stages: tuple[Stage, ...], context: Context) -> list[StageResult]:
    """Measure notes drawn from the reference: for each draw as many samples as the run has, each of its size.

    A draw stands for a replicate, so what is kept of it is the mean over its samples; ``n`` is that of all of them.
    """
    (stage,) = stages
    config = stage.config
    reference, _ = pieces(context.home / stage.inputs["reference"].artifact, config.get("split", {}))
    samples = samples_to_measure(stage, context)
    pool, rng = pooled(reference), numpy_stream(config["seed"])
    metric, name = built("metric", config["metric"]), config["metric"]["name"]
    values: list[MetricRecord[Any]] = []
    try:
        for draw in range(config["draws"]):
            # the labels are those of the samples: a metric may compare with what was asked for
            drawn = [drawn_notes(pool, len(s), rng).replace(labels=s.labels, name=s.name) for s in samples]
            measured = [checked(metric.measure(each, reference), name) for each in drawn]
            values += [MetricRecord(draw, name, value, "resampling") for value in _means(measured)]
    except (AblateError, ValueError) as error:
        return [StageResult(stage, {"skipped": {"resampling": one_line(error)}}, 0.0)]
    return [StageResult(stage, {"skipped": {}}, 0.0, tuple(values))]


def _means(measured: Sequence[Measurements]) -> Iterator[Value]:
    """Each feature's mean over the samples that have it."""
    of_feature: dict[str, list[Value]] = {}
    for one in measured:
        for value in one.values:
            of_feature.setdefault(value.feature, []).append(value)
    for values in of_feature.values():
        mean = sum(value.value for value in values) / len(values)
        yield dataclasses.replace(values[0], value=mean, n=sum(value.n for value in values))


def _values(measured: Sequence[Measurements], name: str, floor: str) -> list[MetricRecord[Any]]:
    return [MetricRecord(i, name, value, floor) for i, one in enumerate(measured) for value in one.values]


def evenly(performances: Sequence[Performance], count: int) -> list[Performance]:
    """At most ``count`` of the performances, evenly spread, those without notes left out."""
    some = [performance for performance in performances if len(performance)]
    if len(some) <= count:
        return some
    return [some[index] for index in np.linspace(0, len(some) - 1, count).round().astype(int)]


def shuffled(performance: Performance, tokenizer: Tokenizer, rng: np.random.Generator) -> Performance:
    """The performance's tokens in random order, decoded."""
    return tokenizer.decode(rng.permutation(tokenizer.encode(performance)))


def pooled(reference: Sequence[Performance]) -> Array:
    """Every note of the reference, ``start`` its distance from the note before it in its piece, ``end`` its duration.

    In seconds; a piece's first note follows at once.
    """
    parts = [performance.canonical().notes for performance in reference if len(performance)]
    notes = np.concatenate([np.empty(0, NOTE_DTYPE), *parts])
    durations = notes["end"] - notes["start"]
    notes["start"] = np.concatenate([np.diff(part["start"], prepend=part["start"][:1]) for part in parts])
    notes["end"] = durations
    return notes


def drawn_notes(pool: Array, count: int, rng: np.random.Generator) -> Performance:
    """``count`` notes drawn with replacement, one after another at their own distances, from time 0."""
    notes = pool[rng.integers(0, len(pool), count)].copy()
    starts = np.cumsum(notes["start"])
    notes["end"] += starts - starts[0]
    notes["start"] = starts - starts[0]
    return Performance(notes)
