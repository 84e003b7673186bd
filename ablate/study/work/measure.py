"""Measure samples and models, and check what the metrics return."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ablate.blame import about, take_blame
from ablate.errors import AblateError, NothingMeasured, StageError, one_line
from ablate.interfaces import Measurements, SetMetric
from ablate.kinds import GENERATE
from ablate.music.instruments import Chooser, counts, listed
from ablate.music.storage import read_performances
from ablate.study.instruments.stored import instruments_choice
from ablate.study.work.components import build
from ablate.study.work.doing import doing
from ablate.study.work.load import pieces
from ablate.study.work.measurements import check_alike, checked
from ablate.study.work.messages import MetricRecord, StageResult
from ablate.study.work.program import measure_program
from ablate.study.work.scoring import Scorer

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from ablate.interfaces import Metric
    from ablate.music.performance import Performance
    from ablate.study.stage import Stage
    from ablate.study.work.load import Split
    from ablate.study.work.messages import Context


def measure(stages: tuple[Stage, ...], context: Context) -> list[StageResult]:
    """Measure every sample of a generation or a program, or a trained model, or read a metric that a program wrote."""
    (stage,) = stages
    if "results" in stage.inputs:
        return [measure_program(stage, context)]
    choice = stage.config["metric"]
    metric = build("metric", choice, context.registry)
    split = pieces(context.home / stage.inputs["reference"].artifact, stage.config.get("split", {}))
    name = choice["name"]
    if "weights" in stage.inputs:
        score = Scorer(stage, context, split)
        with doing(about(metric)):
            found = metric.measure(score, *split)
        measured = Measured({0: checked(found, about(metric))}, {})
    else:
        reference, _ = reference_and_others(split, stage.config)
        measured = measure_music(metric, cases(metric, samples_to_measure(stage, context), reference))
    if len(measured.refused) > 1 and not measured.results:
        refused = measured.refusals()
        raise NothingMeasured(name, refused["refused"], refused["reason"])
    measured.check()
    values = [MetricRecord(i, name, value) for i, one in measured.results.items() for value in one.values]
    histograms = [MetricRecord(i, name, each) for i, one in measured.results.items() for each in one.histograms]
    result = {
        "samples": len(measured.results),
        **measured.refusals(),
        **_declared(measured),
        **_unchosen(stage, context),
    }
    return [StageResult(stage, result, 0.0, tuple(values), tuple(histograms))]


def _declared(measured: Measured) -> dict[str, list[str]]:
    """Return what the values declare about themselves: features by ``within_tokenizer``, ``details`` and ``shares``."""
    values = [value for one in measured.results.values() for value in one.values]
    marked = {
        "within_tokenizer": [value.feature for value in values if value.within == "tokenizer"],
        "details": [value.feature for value in values if value.detail],
        "shares": [value.feature for value in values if value.share],
    }
    return {key: list(dict.fromkeys(features)) for key, features in marked.items() if features}


#: A function that makes the arguments of a metric: what it measures, a performance or a set of them, and the reference.
Case = Callable[[], "tuple[Any, Sequence[Performance]]"]


class Measured(NamedTuple):
    """The results of a metric.

    Attributes:
        results: by the index of the case.
        refused: the error of each case that the metric refused, by its index.
    """

    results: dict[int, Measurements]
    refused: dict[int, Exception]

    def refusals(self) -> dict[str, Any]:
        """Return the number of refused cases and the first reason, for the result of a stage; empty without any."""
        if not self.refused:
            return {}
        return {"refused": len(self.refused), "reason": one_line(next(iter(self.refused.values())))}

    def check(self) -> None:
        """Raise the first refusal if there is no result."""
        if self.refused and not self.results:
            raise next(iter(self.refused.values()))


def measure_music(metric: Metric | SetMetric, music: Iterable[Case]) -> Measured:
    """Measure each case; one that the metric or a tokenizer refuses (ValueError, AblateError) costs only itself.

    Raises:
        StageError: the metric returned something that is not valid.
    """
    measured, name = Measured({}, {}), about(metric)
    for index, case in enumerate(music):
        try:
            arguments = case()
            with doing(name):
                found = metric.measure(*arguments)
        except (AblateError, ValueError) as error:
            take_blame(error)
            measured.refused[index] = error
        else:
            measured.results[index] = checked(found, name)
            check_alike(next(iter(measured.results.values())), measured.results[index], name)
    return measured


def cases(metric: Metric | SetMetric, generated: Sequence[Performance], reference: Sequence[Performance]) -> list[Case]:
    """Return a case for each performance, or with a metric of sets one for all of them."""
    if isinstance(metric, SetMetric):
        return [lambda: (generated, reference)]
    return [functools.partial(_both, performance, reference) for performance in generated]


def _both(performance: Performance, reference: Sequence[Performance]) -> tuple[Performance, Sequence[Performance]]:
    return performance, reference


def reference_and_others(split: Split, config: Mapping[str, Any]) -> tuple[list[Performance], list[Performance]]:
    """Return the pieces that a stage compares with, and other pieces of the corpus.

    The others of the training pieces are the test pieces, or without these the validation pieces; the others of pieces
    that are held out are the training pieces.
    """
    part = config.get("reference", "train")
    return getattr(split, part), split.train if part != "train" else split.test or split.validation


def samples_to_measure(stage: Stage, context: Context) -> list[Performance]:
    """Return the samples to measure, with or without their primer, as set in the study file.

    Of music that ablate did not generate, only the instruments that are chosen of the corpus are measured.
    """
    generated = stage.inputs["generated"]
    samples = read_performances(context.home / generated.artifact / "performances.npz")
    if generated.kind != GENERATE:
        chooser = _chooser(stage, context)
        samples = [_chosen(sample, chooser) for sample in samples]
    return [sample.whole() if stage.config.get("primer") else sample.continuation() for sample in samples]


def _unchosen(stage: Stage, context: Context) -> dict[str, Any]:
    """Return the notes of the samples that are not measured, by instrument, and the number of all; or nothing."""
    generated = stage.inputs.get("generated")
    if generated is None or generated.kind == GENERATE:
        return {}
    samples = read_performances(context.home / generated.artifact / "performances.npz")
    notes = np.concatenate([sample.whole().notes for sample in samples])
    lost = _chooser(stage, context).left_out(notes)
    return {"unchosen": {str(number): count for number, count in lost.items()}, "notes": len(notes)} if lost else {}


def _chooser(stage: Stage, context: Context) -> Chooser:
    return Chooser(instruments_choice(stage.inputs["reference"].extra["corpus"], context.registry))


def _chosen(sample: Performance, chooser: Chooser) -> Performance:
    chosen = chooser(sample)
    if len(sample) and not len(chosen):
        raise StageError(
            f"{sample.name} has no note of the instruments that are chosen of the reference, but "
            f"{listed(counts(sample.notes))}; choose others, or measure other music"
        )
    return chosen
