"""Measure floors: reference scores, the values of a metric when no model is involved.

- ``copy``: a piece of the reference itself;
- ``round_trip``: a piece encoded and decoded, so the error of the tokenizer alone;
- ``shuffled``: a piece's tokens in random order, decoded: everything is right except the order;
- ``another_piece``: a piece of the corpus that is held out of the reference;
- ``resampling``: notes drawn from the reference, the same number as in a sample: the score by chance of a perfect
  generator of such notes.

Without a tokenizer, as with a program of the study's author, there is no ``round_trip`` and no ``shuffled``.

A metric of sets gets sets of pieces. A set that were measured against itself would score better than any other set of
such music, so the reference is divided: some of its pieces, the same number as a run has samples but at most half of
all, are copied, encoded and decoded, or shuffled, and the other pieces are their reference. This is repeated with other
pieces, ``floors.shuffles`` times. A reference of one piece is measured against itself.
"""

from __future__ import annotations

import dataclasses
import functools
from typing import TYPE_CHECKING, Any

import numpy as np

from ablate.blame import about
from ablate.engine.seeding import numpy_stream
from ablate.errors import AblateError, one_line
from ablate.music.corpus.unwritten import find_unwritten, unwritten_sentences
from ablate.music.performance import NOTE_DTYPE, Performance
from ablate.study.work.components import build, stage_tokenizer
from ablate.study.work.doing import doing
from ablate.study.work.load import pieces
from ablate.study.work.measure import Measured, cases, measure_music, reference_and_others, samples_to_measure
from ablate.study.work.messages import MetricRecord, StageResult

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from ablate.arrays import Array
    from ablate.interfaces import Measurements, Tokenizer, Value
    from ablate.study.stage import Stage
    from ablate.study.work.measure import Case
    from ablate.study.work.messages import Context


def floors(stages: tuple[Stage, ...], context: Context) -> list[StageResult]:
    """Measure every floor except resampling."""
    (stage,) = stages
    config = stage.config
    split = pieces(context.home / stage.inputs["reference"].artifact, config.get("split", {}))
    reference, others = reference_and_others(split, config)
    tokenizer = stage_tokenizer(stage, context) if "tokenizer" in config else None
    metric, name = build("metric", config["metric"], context.registry), config["metric"]["name"]
    values: list[MetricRecord[Any]] = []
    histograms: list[MetricRecord[Any]] = []
    skipped: dict[str, str] = {}
    refused: dict[str, Any] = {}
    makers = _sets_without_model if config.get("scope") == "set" else _without_model
    for floor, music in makers(reference, others, tokenizer, config).items():
        try:
            measured = measure_music(metric, music)
            measured.check()
        except (AblateError, ValueError) as error:  # the tokenizer or the metric cannot work with such music
            skipped[floor] = one_line(error)
            continue
        refused |= {floor: measured.refusals()} if measured.refused else {}
        values += [MetricRecord(i, name, value, floor) for i, one in measured.results.items() for value in one.values]
        # one shuffle is enough to show: they all look alike
        shown = dict(list(measured.results.items())[: 1 if floor == "shuffled" else None])
        histograms += [MetricRecord(i, name, each, floor) for i, one in shown.items() for each in one.histograms]
    result: dict[str, Any] = {"skipped": skipped, "refused": refused}
    if tokenizer and stage.extra.get("count_unwritten"):
        choice, found = config["tokenizer"], find_unwritten(reference, tokenizer)
        result["problems"] = unwritten_sentences(found, choice["name"], choice["options"], prefix=None)
    return [StageResult(stage, result, 0.0, tuple(values), tuple(histograms))]


def _without_model(
    reference: Sequence[Performance],
    others: Sequence[Performance],
    tokenizer: Tokenizer | None,
    config: Mapping[str, Any],
) -> dict[str, list[Case]]:
    """Return the cases of each floor: performances with the reference."""
    chosen = spread_pieces(reference, config["pieces"])
    shuffles = [chosen[i % len(chosen)] for i in range(config["shuffles"])] if chosen else []
    rng = numpy_stream(config["seed"])

    def against(pieces: Sequence[Performance], change: Callable[[Performance], Performance]) -> list[Case]:
        return [functools.partial(lambda piece: (change(piece), reference), piece) for piece in pieces]

    return {
        "copy": against(chosen, _unchanged),
        **(
            {}
            if tokenizer is None
            else {
                "round_trip": against(chosen, lambda piece: _round_trip(piece, tokenizer)),
                "shuffled": against(shuffles, lambda piece: shuffled(piece, tokenizer, rng)),
            }
        ),
        "another_piece": against(spread_pieces(others, config["pieces"]), _unchanged),
    }


def _sets_without_model(
    reference: Sequence[Performance],
    others: Sequence[Performance],
    tokenizer: Tokenizer | None,
    config: Mapping[str, Any],
) -> dict[str, list[Case]]:
    """Return the cases of each floor: sets, each with its reference."""
    rng = numpy_stream(config["seed"])
    size = min(config["samples"], config["pieces"])
    audible = [piece for piece in reference if len(piece)]
    divisions = [divided(audible, size, rng) for _ in range(config["shuffles"] if audible else 0)]
    other = spread_pieces(others, size)

    def changed(change: Callable[[Performance], Performance]) -> list[Case]:
        return [
            functools.partial(lambda some, rest: ([change(p) for p in some], rest), *halves) for halves in divisions
        ]

    return {
        "copy": changed(_unchanged),
        **(
            {}
            if tokenizer is None
            else {
                "round_trip": changed(lambda piece: _round_trip(piece, tokenizer)),
                "shuffled": changed(lambda piece: shuffled(piece, tokenizer, rng)),
            }
        ),
        "another_piece": [lambda: (other, reference)] if other else [],
    }


def divided(
    pieces: Sequence[Performance], size: int, rng: np.random.Generator
) -> tuple[list[Performance], list[Performance]]:
    """Return ``size`` of the pieces, at most half of them, and the others; a single piece is on both sides."""
    if len(pieces) < 2:
        return list(pieces), list(pieces)
    order = rng.permutation(len(pieces))
    count = min(size, len(pieces) // 2)
    return [pieces[i] for i in sorted(order[:count])], [pieces[i] for i in sorted(order[count:])]


def resample(stages: tuple[Stage, ...], context: Context) -> list[StageResult]:
    """Measure notes drawn from the reference: each draw has the number of samples and of notes of the run.

    A draw replaces a replicate, so its value is the mean over its samples, and its ``n`` is their sum; a metric of
    sets measures each draw as one set.
    """
    (stage,) = stages
    config = stage.config
    split = pieces(context.home / stage.inputs["reference"].artifact, config.get("split", {}))
    reference, _ = reference_and_others(split, config)
    samples = samples_to_measure(stage, context)
    pool, rng = pooled(reference), numpy_stream(config["seed"])
    metric, name = build("metric", config["metric"], context.registry), config["metric"]["name"]
    values: list[MetricRecord[Any]] = []
    refused: dict[int, Exception] = {}
    try:
        for draw in range(config["draws"]):
            # with the labels of the samples: a metric may compare the music with them
            drawn = [drawn_notes(pool, len(s), rng).replace(labels=s.labels, name=s.name) for s in samples]
            measured = measure_music(metric, cases(metric, drawn, reference))
            values += [MetricRecord(draw, name, value, "resampling") for value in _means(measured.results.values())]
            refused |= {draw * len(samples) + index: error for index, error in measured.refused.items()}
        if not values:
            Measured({}, refused).check()
    except (AblateError, ValueError) as error:
        return [StageResult(stage, {"skipped": {"resampling": one_line(error)}, "refused": {}}, 0.0)]
    counted = {"resampling": Measured({}, refused).refusals()} if refused else {}
    return [StageResult(stage, {"skipped": {}, "refused": counted}, 0.0, tuple(values))]


def _means(measured: Iterable[Measurements]) -> Iterator[Value]:
    """Yield each feature's mean over the samples that have it."""
    of_feature: dict[str, list[Value]] = {}
    for one in measured:
        for value in one.values:
            of_feature.setdefault(value.feature, []).append(value)
    for values in of_feature.values():
        mean = sum(value.value for value in values) / len(values)
        yield dataclasses.replace(values[0], value=mean, n=sum(value.n for value in values))


def spread_pieces(performances: Sequence[Performance], count: int) -> list[Performance]:
    """Return at most ``count`` of the performances with notes, evenly spread."""
    audible = [performance for performance in performances if len(performance)]
    if len(audible) <= count:
        return audible
    return [audible[index] for index in np.linspace(0, len(audible) - 1, count).round().astype(int)]


def _unchanged(performance: Performance) -> Performance:
    return performance


def _round_trip(performance: Performance, tokenizer: Tokenizer) -> Performance:
    with doing(about(tokenizer)):
        return tokenizer.decode(tokenizer.encode(performance))


def shuffled(performance: Performance, tokenizer: Tokenizer, rng: np.random.Generator) -> Performance:
    """Return the performance's tokens in random order, decoded."""
    with doing(about(tokenizer)):
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
