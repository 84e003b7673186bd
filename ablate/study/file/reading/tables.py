"""Parse contrasts, margins and published values: tables that are no settings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypedDict

from ablate.errors import did_you_mean
from ablate.options import abridged
from ablate.settings import share_of
from ablate.study.file.paths import finite

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ablate.study.file.paths import Problem

#: A margin: a number, or a share of the baseline's mean as text (``"10 %"``).
Margin = float | str


class Reported(TypedDict, total=False):
    """The table ``[reported]``: published values by variant, metric and feature, their source, and its pieces."""

    source: str
    pieces: list[str]
    values: dict[str, dict[str, dict[str, float]]]


def parse_contrasts(table: Mapping[str, Any], problems: list[Problem]) -> dict[str, dict[str, float]]:
    """Return the weights of variants by contrast."""
    contrasts = {}
    for name, weights in table.items():
        if isinstance(weights, dict) and all(map(_is_number, weights.values())):
            contrasts[name] = weights
        else:
            problems.append((f'contrasts."{name}"', f"must be a table of variant = weight, not {_written(weights)}"))
    return contrasts


def parse_margins(table: Mapping[str, Any], problems: list[Problem]) -> dict[str, Margin | dict[str, Margin]]:
    """Return the margins by metric: one for the features that stand for the metric, or one for each named feature."""
    margins = {}
    for metric, value in table.items():
        each = list(value.values()) if isinstance(value, dict) else [value]
        if each and all(map(_is_margin, each)):
            margins[metric] = value
        else:
            wanted = 'must be a number above 0, a share such as "10 %", or a table of these'
            problems.append((f'margins."{metric}"', f"{wanted}, not {_written(value)}"))
    return margins


def _is_margin(value: Any) -> bool:
    return share_of(value) is not None if isinstance(value, str) else _is_number(value) and value > 0


def parse_reported(table: Mapping[str, Any], problems: list[Problem]) -> Reported:
    """Return the published values; empty if there is a problem."""
    known = tuple(Reported.__annotations__)
    wrong = [
        (f"reported.{key}", f"unknown key{did_you_mean(key, known)} (known: {', '.join(known)})")
        for key in table
        if key not in known
    ]
    if not isinstance(table.get("source", ""), str):
        wrong.append(("reported.source", f"must be text, not {abridged(table['source'])}"))
    pieces = table.get("pieces", [])
    if not isinstance(pieces, list) or not all(isinstance(piece, str) for piece in pieces):
        wrong.append(("reported.pieces", f"must be a list of names of pieces, not {abridged(pieces)}"))
    values = table.get("values", {})
    if isinstance(values, dict):
        wrong += _reported_values_problems(values)
    else:
        wrong.append(("reported.values", f"must be a table of variants, not {abridged(values)}"))
    problems += wrong
    return {} if wrong else Reported(**table)  # type: ignore[typeddict-item]


def _reported_values_problems(values: Mapping[str, Any]) -> Iterator[Problem]:
    for variant, metrics in values.items():
        if not isinstance(metrics, dict):
            yield f"reported.values.{variant}", f"must be a table of metrics, not {abridged(metrics)}"
            continue
        for metric, features in metrics.items():
            if not isinstance(features, dict) or not all(map(_is_number, features.values())):
                key = f"reported.values.{variant}.{metric}"
                yield key, f"must be a table of feature = number, not {_written(features)}"


def _is_number(value: Any) -> bool:
    return finite(value) is not None


def _written(value: Any) -> str:
    """Return a value for an error message; a table with its content."""
    if not isinstance(value, dict):
        return abridged(value)
    return "{ " + ", ".join(f"{key} = {abridged(item)}" for key, item in value.items()) + " }" if value else "{}"
