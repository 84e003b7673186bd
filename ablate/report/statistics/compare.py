"""Two variants, or two studies, against each other."""

from __future__ import annotations

import dataclasses
import math
from typing import TYPE_CHECKING, Any

import pandas as pd

from ablate.differences import differing_paths
from ablate.errors import AblateError, UnknownName, UsageError
from ablate.report.data.study import Study
from ablate.report.statistics import effects, summary, verdicts
from ablate.report.statistics.analysis import Analysis
from ablate.report.statistics.effects import Replicates, Weights

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ablate.store.store import Store

#: What two things that are compared must have in common: values of other metrics or of another corpus are no values of
#: the same thing.
_COMMON = ("corpus", "metric", "measure", "split")


@dataclasses.dataclass(frozen=True)
class Pair:
    """What came of a comparison.

    Attributes:
        differs: settings in which the two differ.
        frame: of :func:`ablate.report.statistics.effects.compared`.
        sentences: a verdict for each comparison of the first headline quantity.
        headers: of a table of all of them.
        rows: its rows.
    """

    differs: list[str]
    frame: pd.DataFrame
    sentences: list[str]
    headers: tuple[str, ...]
    rows: list[tuple[str, ...]]


def compared_pair(store: Store, one: str, other: str, metric: str | None = None) -> Pair:
    """Compare ``STUDY`` or ``STUDY:VARIANT`` with another one; see ``ablate study compare``.

    Raises:
        UnknownName: no such study, variant or metric.
        UsageError: a study beside a variant, or two that cannot be compared.
        AblateError: nothing has been measured yet.
    """
    (first, a), (second, b) = (_found(store, each) for each in (one, other))
    if bool(a) != bool(b):
        raise UsageError(f"compare two variants or two studies, not one of each: {one} and {other}")
    studies = [_read(store, first), _read(store, second)]
    baselines = (studies[0].study.baseline, studies[1].study.baseline)
    left, right = (a, b) if a else baselines
    differs = _differences(studies, left, right)
    unfit = [path for path in differs if path.partition(".")[0] in _COMMON]
    if unfit or (not a and differs):
        what = "the two" if a else f"their baselines, {left} and {right},"
        raise UsageError(f"cannot compare {one} with {other}: {what} differ in {', '.join(unfit or differs)}")
    pairs = list(_two_variants(first, left, second, right) if a else _two_studies(studies))
    quantities = _quantities(studies, metric)
    found = _judged(studies, pairs, differs, quantities) if len(quantities) else None
    if found is None or found.frame.empty:
        raise UsageError(f"cannot compare {one} with {other}: no replicate of both has measured the same")
    return found


def _read(store: Store, name: str) -> Analysis:
    study = Study.read(store, name)
    if study.frame.empty:
        raise AblateError(f"study '{name}' has no measurements yet, so there is nothing to compare; run it first")
    return Analysis(study)


def _found(store: Store, text: str) -> tuple[str, str]:
    """A study and a variant of it, empty for the study as a whole; study names may hold colons too."""
    names = [study.name for study in store.studies()]
    if text in names:
        return text, ""
    begun = [name for name in names if text.startswith(f"{name}:")]
    parts = [(name, text[len(name) + 1 :]) for name in sorted(begun, key=len, reverse=True)]
    for study, variant in parts:
        if any(each.name == variant for each in store.variants(study)):
            return study, variant
    if not parts:
        raise UnknownName("study", text.partition(":")[0], names, where="in this home")
    study, variant = parts[0]
    variants = [each.name for each in store.variants(study)]
    raise UnknownName("variant", variant, variants, where=f"of study '{study}'")


def _differences(studies: list[Analysis], left: str, right: str) -> list[str]:
    names = (left, right)
    configs = [dict(each.study.configs().get(name, {})) for each, name in zip(studies, names, strict=True)]
    metrics = [{metric["name"]: metric for metric in config.get("metric", ())} for config in configs]
    both = [name for name in metrics[0] if name in metrics[1]]
    if both:  # what one study measures beside the other does not make them another thing
        for config, own in zip(configs, metrics, strict=True):
            config["metric"] = [own[name] for name in both]
    return differing_paths(*configs)


def _two_variants(first: str, left: str, second: str, right: str) -> Iterator[Weights]:
    names = (left, right) if left != right else (f"{left} of {first}", f"{right} of {second}")
    yield Weights("variant", names[1], names[0], {f"1:{right}": 1.0, f"0:{left}": -1.0})


def _two_studies(studies: list[Analysis]) -> Iterator[Weights]:
    """Every variant of both against the baseline they share, and those of one name against each other."""
    base = studies[0].study.baseline
    for place, analysis in enumerate(studies):
        for name in analysis.study.names:
            if name != analysis.study.baseline:
                title = f"{name} of {analysis.study.record.name}"
                yield Weights("variant", title, base, {f"{place}:{name}": 1.0, f"0:{base}": -1.0})
    for name in studies[1].study.names:
        if name in studies[0].study.names and name != studies[1].study.baseline:
            one, other = (f"{name} of {analysis.study.record.name}" for analysis in studies)
            yield Weights("contrast", f"{other} - {one}", "", {f"1:{name}": 1.0, f"0:{name}": -1.0})


def _quantities(studies: list[Analysis], metric: str | None) -> pd.DataFrame:
    """What both have measured, or of it one metric; with the directions that the first one gives them."""
    frame, other = (analysis.replicates.quantities for analysis in studies)
    keys = list(zip(frame["metric"], frame["feature"], strict=True))
    theirs = set(zip(other["metric"], other["feature"], strict=True))
    directions = studies[0].directions()
    frame = frame.assign(direction=[directions[key] for key in keys])[[key in theirs for key in keys]]
    if metric is None:
        return summary.headline(frame)
    known = list(frame["metric"].unique())
    if metric not in known:
        raise UnknownName("metric", metric, known, where="in these studies")
    return frame[frame["metric"] == metric]


def _judged(studies: list[Analysis], pairs: list[Weights], differs: list[str], quantities: pd.DataFrame) -> Pair:
    frames = [analysis.study.frame.assign(variant=_prefixed(place, analysis)) for place, analysis in enumerate(studies)]
    shared = ["variant", "baseline", "replicate", "sample", "metric", "feature", "value", "unit", "direction"]
    replicates = Replicates(pd.concat([frame[shared] for frame in frames], ignore_index=True))
    rules, margins = studies[0].rules, studies[0].margins
    frame = effects.compared(replicates, pairs, margins, rules, quantities)
    records: list[Mapping[str, Any]] = frame.to_dict("records")  # type: ignore[assignment]
    first = _primary(studies[0], quantities)
    sentences = [
        verdicts.sentence(row, rules, studies[0].label((row["metric"], row["feature"])))
        for row in records
        if (row["metric"], row["feature"]) == first
    ]
    headers = ("comparison", "quantity", "verdict", "difference", "95 % interval", "p", "n")
    rows = [_row(studies[0], row) for row in records]
    return Pair(differs, frame, sentences, headers, rows)


def _primary(analysis: Analysis, quantities: pd.DataFrame) -> tuple[str, str]:
    keys = list(zip(quantities["metric"], quantities["feature"], strict=True))
    return next((key for key in analysis.primary if key in keys), keys[0])


def _prefixed(place: int, analysis: Analysis) -> pd.Series:
    return f"{place}:" + analysis.study.frame["variant"].astype(str)


def _row(analysis: Analysis, row: Mapping[str, Any]) -> tuple[str, ...]:
    name = f"{row['comparison']} - {row['versus']}" if row["versus"] else row["comparison"]
    label = analysis.label((row["metric"], row["feature"]))
    between = summary.NOTHING if math.isnan(row["low"]) else f"{row['low']:+.3g} to {row['high']:+.3g}"
    return (
        name,
        label,
        row["verdict"],
        f"{row['difference']:+.3g}",
        between,
        verdicts.p_text(row["p_holm"]),
        str(row["n"]),
    )
