"""Two variants, or two studies, against each other: the numbers of ``ablate study compare``."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import pandas as pd

from ablate.errors import AblateError, UnknownName, UsageError
from ablate.kinds import FIT
from ablate.registry import get_registry
from ablate.report.data.study import Study
from ablate.report.statistics import roles, verdicts
from ablate.report.statistics.analysis.analysis import Analysis
from ablate.report.statistics.described import summary
from ablate.report.statistics.pairs import unshared
from ablate.report.statistics.pairs.comparisons import judge_in_study, judge_paired, judge_unpaired
from ablate.report.statistics.pairs.words import HEADERS, Kind, kind_of, notes, pairing, table_row
from ablate.report.statistics.rows import keys_of, records
from ablate.store.differences import differing_paths

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ablate.registry import Registry
    from ablate.store.store import Store

#: The settings that two variants must share: values of another metric or corpus measure something else.
_COMMON = ("corpus", "metric", "measure", "split")


@dataclasses.dataclass(frozen=True)
class Pair:
    """The comparison of two variants or studies.

    Attributes:
        paired: whether replicate k of both has the same seeds.
        pairing: a sentence about that.
        differs: the settings in which the two differ.
        frame: from :func:`ablate.report.statistics.effects.judge`, with a column ``paired``.
        sentences: a verdict for each comparison of the first headline quantity.
        headers: the headers of a table of all comparisons.
        rows: its rows.
        notes: what the marks in the table mean, and the families that p is corrected for.
        studies: both.
    """

    paired: bool
    pairing: str
    differs: list[str]
    frame: pd.DataFrame
    sentences: list[str]
    headers: tuple[str, ...]
    rows: list[tuple[str, ...]]
    notes: tuple[str, ...] = ()
    studies: tuple[Study, ...] = ()


def compare_pair(
    store: Store, one: str, other: str, metric: str | None = None, registry: Registry | None = None
) -> Pair:
    """Compare ``STUDY`` or ``STUDY:VARIANT`` with another one; see ``ablate study compare``.

    Args:
        store: the database with the studies.
        one: the first side.
        other: the second side.
        metric: compare every feature of this metric; default the headline features of all metrics.
        registry: the components; default those that are installed.

    Raises:
        UnknownName: no such study, variant or metric.
        UsageError: a study and a variant, or two that cannot be compared.
        AblateError: a study has no measurements yet.
    """
    (first, a), (second, b) = (_study_and_variant(store, text) for text in (one, other))
    if bool(a) != bool(b):
        raise UsageError(f"compare two variants or two studies, not one of each: {one} and {other}")
    known = {name: Study.read(store, name) for name in dict.fromkeys((first, second))}  # two variants: read once
    read = [_read(known[name], variant) for name, variant in ((first, a), (second, b))]
    studies = [Analysis(study, registry or get_registry()) for study, _ in read]
    if first == second:
        studies[1] = studies[0]
    baselines = (studies[0].study.baseline, studies[1].study.baseline)
    left, right = (a, b) if a else baselines
    differs = _differences(studies, left, right)
    obstacles = [path for path in differs if path.partition(".")[0] in _COMMON]
    if obstacles or (not a and differs):
        sides = "the two" if a else f"their baselines, {left} and {right},"
        raise UsageError(f"cannot compare {one} with {other}: {sides} differ in {', '.join(obstacles or differs)}")
    of_other = "tokenizer" in {path.partition(".")[0] for path in differs} or _fitted_apart(studies, left, right)
    quantities, apart = _quantities(studies, metric, other_tokenizers=of_other)
    variants = (a, b) if a else None
    kind = kind_of(studies, variants, (read[0][1], read[1][1]))
    pair = _pair(studies, variants, differs, quantities, kind) if len(quantities) else None
    if apart and (pair is None or pair.frame.empty):
        raise UsageError(f"cannot compare {one} with {other} in {', '.join(apart)}: they have other tokenizers")
    if pair is None or pair.frame.empty:
        raise UsageError(f"cannot compare {one} with {other}: they have no replicate with the same measurements")
    note = (f"{', '.join(apart)} cannot be compared: other tokenizers.",) if apart else ()
    return dataclasses.replace(pair, notes=(*pair.notes, *note), studies=tuple(study for study, _ in read))


def _read(study: Study, variant: str) -> tuple[Study, str]:
    """Return a study and the block of a variant, which has its own seeds; empty for a whole study."""
    name = study.record.name
    if study.frame.empty:
        raise AblateError(f"study '{name}' has no measurements yet, so there is nothing to compare; run it first")
    if not study.blocks:
        return study, ""
    if not variant:
        raise UsageError(f"study '{name}' has blocks; compare two of its variants, {name}:VARIANT")
    return study.without_blocks(), study.blocks.names[study.blocks.of[variant][0]]


def _study_and_variant(store: Store, text: str) -> tuple[str, str]:
    """Return a study and a variant, empty for the whole study; the names of studies may contain colons too."""
    names = {study.name: study.settings for study in store.studies()}
    if text in names:
        return text, ""
    prefixes = [name for name in names if text.startswith(f"{name}:")]
    parts = [(name, text[len(name) + 1 :]) for name in sorted(prefixes, key=len, reverse=True)]
    for study, variant in parts:
        if any(record.name == variant for record in store.variants(study)):
            return study, variant
    if not parts:
        raise UnknownName("study", text.partition(":")[0], names, where="in this home")
    study, variant = parts[0]
    variants = [record.name for record in store.variants(study)]
    raise UnknownName("variant", variant, variants, where=f"of study '{study}'")


def _differences(studies: list[Analysis], left: str, right: str) -> list[str]:
    pairs = zip(studies, (left, right), strict=True)
    configs = [dict(analysis.study.configs().get(name, {})) for analysis, name in pairs]
    metrics = [{metric["name"]: metric for metric in config.get("metric", ())} for config in configs]
    both = [name for name in metrics[0] if name in metrics[1]]
    if both:  # a metric that only one study has is no obstacle
        for config, by_name in zip(configs, metrics, strict=True):
            config["metric"] = [by_name[name] for name in both]
    return differing_paths(*configs)


def _fitted_apart(studies: list[Analysis], left: str, right: str) -> bool:
    """Check whether a replicate of the two has tokenizers that were fitted on other pieces."""
    first, second = (
        {run.replicate: run.stages.get(FIT) for run in analysis.study.runs if run.variant == name}
        for analysis, name in zip(studies, (left, right), strict=True)
    )
    return any(first[replicate] != second[replicate] for replicate in first.keys() & second.keys())


def _quantities(
    studies: list[Analysis], metric: str | None, *, other_tokenizers: bool
) -> tuple[pd.DataFrame, list[str]]:
    """Return the quantities that both have measured, or those of one metric, with the first study's directions.

    Quantities that need equal tokenizers are left out where the tokenizers differ; their names are returned too.
    """
    frame, other = (analysis.replicates.quantities for analysis in studies)
    keys = keys_of(frame)
    other_keys = set(keys_of(other))
    directions = studies[0].directions
    frame = frame.assign(direction=[directions[key] for key in keys])[[key in other_keys for key in keys]]
    if metric is None:
        chosen = summary.headline(frame, studies[0].study.details)
    else:
        metrics = list(frame["metric"].unique())
        if metric not in metrics:
            raise UnknownName("metric", metric, metrics, where="in these studies")
        chosen = frame[frame["metric"] == metric]
    apart = [key for key in keys_of(chosen) if other_tokenizers and key in studies[0].study.within_tokenizer]
    return chosen[pd.Series([key not in apart for key in keys_of(chosen)], chosen.index, dtype="bool")], [
        studies[0].label(key) for key in apart
    ]


def _pair(
    studies: Sequence[Analysis],
    variants: tuple[str, str] | None,
    differs: list[str],
    quantities: pd.DataFrame,
    kind: Kind,
) -> Pair:
    first = _primary(studies[0], quantities)
    of_keys = [roles.PRIMARY if key == first else roles.SECONDARY for key in keys_of(quantities)]
    quantities = quantities.assign(role=of_keys)
    if kind.one_study and variants:
        frame = judge_in_study(studies[0], variants, quantities)
    elif kind.paired:
        frame = judge_paired(studies, variants, quantities)
    else:
        frame = judge_unpaired(studies, variants, quantities)
    labels = [studies[0].label((row["metric"], row["feature"])) for row in records(frame)]
    sentences = [
        unshared.sentence(row, label) if row["between"] else verdicts.sentence(row, studies[0].rules, label)
        for row, label in zip(records(frame), labels, strict=True)
        if (row["metric"], row["feature"]) == first and row["verdict"]
    ]
    rows = [table_row(row, label) for row, label in zip(records(frame), labels, strict=True)]
    in_report = kind.one_study or not variants
    found = tuple(notes(frame, in_report=in_report, between=not kind.one_study))
    return Pair(kind.paired, pairing(studies, kind, variants), differs, frame, sentences, HEADERS, rows, found)


def _primary(analysis: Analysis, quantities: pd.DataFrame) -> tuple[str, str]:
    keys = keys_of(quantities)
    return next((key for key in analysis.primary if key in keys), keys[0])
