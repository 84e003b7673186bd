"""Music that metrics refused to measure: samples and floors that are in no number of a report."""

from __future__ import annotations

import collections
from typing import TYPE_CHECKING

from ablate.errors import NothingMeasured
from ablate.kinds import FLOOR, MEASURE, RESAMPLE, kind_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from ablate.report.data.study import Study
    from ablate.store.records import StageRecord


def warnings(study: Study) -> list[str]:
    """Return a sentence for each metric that refused samples, with their number by variant and the first reason."""
    total: collections.Counter[tuple[str, str]] = collections.Counter()
    refused: collections.Counter[tuple[str, str]] = collections.Counter()
    reasons: dict[str, str] = {}
    for variant, metric, stage in _stages(study, (MEASURE,)):
        count = stage.result.get("refused", 0)
        total[metric, variant] += stage.result.get("samples", 0) + count
        refused[metric, variant] += count
        if count:
            reasons.setdefault(metric, stage.result.get("reason", ""))
    for run in study.runs:
        nothing = NothingMeasured.parsed(run.error_class, run.error)
        if nothing:
            metric, count, reason = nothing
            total[metric, run.variant] += count
            refused[metric, run.variant] += count
            reasons.setdefault(metric, reason)
    sentences = []
    for metric, reason in reasons.items():
        variants = [variant for variant in study.names if refused[metric, variant]]
        listing = ", ".join(f"{refused[metric, name]} of {total[metric, name]} of {name}" for name in variants)
        sentences.append(
            f"{metric} could not measure all samples: {listing} (the first: {reason}). They are left out of its "
            "numbers. If the samples that it refuses are the bad ones, the others look better than the variant is."
        )
    return sentences


def missing_floors(study: Study, metrics: Collection[str]) -> list[str]:
    """Return a sentence for each reason why floors of these metrics are missing, or lack a part of their music."""
    found: dict[tuple[str, str], str] = {}
    for _, metric, stage in _stages(study, (FLOOR, RESAMPLE)):
        if metric not in metrics:
            continue
        for floor, reason in stage.result.get("skipped", {}).items():
            found.setdefault((metric, floor), f"missing: {reason}")
        for floor, part in stage.result.get("refused", {}).items():
            found.setdefault((metric, floor), f"lacks {part['refused']} that could not be measured: {part['reason']}")
    floors: dict[tuple[str, str], list[str]] = {}
    for (metric, floor), text in found.items():
        floors.setdefault((metric, text), []).append(_words(floor))
    return sorted(_sentence(metric, text, names) for (metric, text), names in floors.items())


def _sentence(metric: str, text: str, floors: list[str]) -> str:
    names, several = ", ".join(sorted(floors)), len(floors) > 1
    verb = {"missing:": "are missing:" if several else "is missing:", "lacks": "lack" if several else "lacks"}
    first, _, rest = text.partition(" ")
    return f"The floor{'s' if several else ''} {names} of {metric} {verb[first]} {rest}."


def _words(floor: str) -> str:
    return floor.replace("_", " ")


def _stages(study: Study, kinds: tuple[str, ...]) -> Iterator[tuple[str, str, StageRecord]]:
    """Yield the finished stages of these kinds with their variants and metrics."""
    for run in study.runs:
        for name in run.stages:
            stage = study.stage(run, name)
            if stage and kind_of(name) in kinds:
                yield run.variant, name.partition(" ")[2], stage
