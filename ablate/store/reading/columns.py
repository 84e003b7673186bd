"""The columns of ablate's tables as a database returns them: how each is checked and converted.

One table (:data:`TABLES`) is behind all reading: whole columns are checked at once, which takes a tenth of a
microsecond for each value, and a row that does not fit is then looked for (:mod:`ablate.store.reading.problems`).
"""

from __future__ import annotations

import datetime as dt
import json
import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from ablate.kinds import KINDS
from ablate.store.reading import shapes

if TYPE_CHECKING:
    from ablate.store.reading.shapes import Shape

#: Checks values of a column and returns them as records have them; raises ValueError with the problem.
Column = Callable[[Sequence[Any]], Sequence[Any]]
#: The smallest whole number of a database.
_LEAST = -(2**63)
#: The most replicates of a variant, and samples of a run.
_MOST = 10**6
#: Where half a surrogate pair, which no text can hold, is in JSON.
_SURROGATE = ("\\ud", "\\uD")


class DamagedRow(Exception):  # noqa: N818 - reads as the sentence it is caught in
    """A row has a value that its column cannot have; which row is not known yet."""


class Table(NamedTuple):
    """A table.

    Attributes:
        key: the columns that name a row to people; the first ones are its primary key.
        columns: every column with its check.
        rule: returns what is wrong with a row as a whole, given its converted values by column; empty if nothing is.
            None where every row fits whose columns do.
    """

    key: tuple[str, ...]
    columns: dict[str, Column]
    rule: Callable[[dict[str, Any]], str] | None = None


def _typed(noun: str, *types: type) -> Column:
    allowed = set(types)

    def check(values: Sequence[Any]) -> Sequence[Any]:
        if not set(map(type, values)) <= allowed:
            wrong = next(each for each in values if type(each) not in allowed)
            raise ValueError(f"is {shown(wrong)}, not {noun}")
        return values

    return check


text = _typed("a text", str)
_whole = _typed("a whole number", int)
_real = _typed("a number", float, int)


def whole(least: int = _LEAST, most: int = -_LEAST) -> Column:
    """Return the check of whole numbers from ``least`` to ``most``."""

    def check(values: Sequence[Any]) -> Sequence[Any]:
        if values and not least <= min(_whole(values)) <= max(values) <= most:
            wrong = min(values) if min(values) < least else max(values)
            raise ValueError(f"is {wrong}, not between {least} and {most}")
        return values

    return check


def finite(values: Sequence[Any]) -> Sequence[Any]:
    """Check that values are finite numbers."""
    if not all(map(math.isfinite, _real(values))):
        raise ValueError("is no finite number")
    return values


def mean(values: Sequence[Any]) -> Sequence[Any]:
    """Return means, of which a database returns either the number or the list of what it is the mean of.

    SQLite adds with a correction that makes its sums as exact as these, nearly always to the bit.
    """
    numbers = [math.fsum(finite(each)) / len(each) if isinstance(each, list) else each for each in values]
    return finite(numbers)


def flag(values: Sequence[Any]) -> Sequence[Any]:
    """Return values that are 0 or 1 as they are stored, as false or true."""
    if not set(_typed("true or false", int, bool)(values)) <= {0, 1}:
        raise ValueError("is neither 0 nor 1, which stand for false and true")
    return list(map(bool, values))


def one_of(*allowed: str) -> Column:
    """Return the check of texts out of a few."""

    def check(values: Sequence[Any]) -> Sequence[Any]:
        unknown = set(text(values)) - set(allowed)
        if unknown:
            raise ValueError(f"is {shown(min(unknown))}, none of {', '.join(map(repr, allowed))}")
        return values

    return check


def optional(column: Column) -> Column:
    """Return the check of values that may be NULL."""

    def check(values: Sequence[Any]) -> Sequence[Any]:
        given = iter(column([each for each in values if each is not None]))
        return [None if each is None else next(given) for each in values]

    return check


def time(values: Sequence[Any]) -> Sequence[Any]:
    """Return times in UTC."""
    return [_time(each) for each in values]


def _time(value: Any) -> dt.datetime:
    try:
        found = value if isinstance(value, dt.datetime) else dt.datetime.fromisoformat(value)
    except (TypeError, ValueError) as error:
        raise ValueError(f"is {shown(value)}, not a time like 2026-01-31 12:00:00") from error
    return found.replace(tzinfo=dt.UTC)


def as_json(shape: Shape) -> Column:
    """Return the check of JSON of this shape."""

    def check(values: Sequence[Any]) -> Sequence[Any]:
        return [_parsed(each, shape) for each in values]

    return check


def _parsed(value: Any, shape: Shape) -> Any:
    if isinstance(value, bytes | int | float | None):
        raise ValueError(f"is {shown(value)}, not JSON")  # noqa: TRY004 - the data, not a bug
    try:
        data = json.loads(value) if isinstance(value, str) else value
    except (ValueError, RecursionError) as error:
        raise ValueError(f"is {shown(value)}, not valid JSON") from error
    if isinstance(value, str) and any(half in value for half in _SURROGATE):
        try:
            json.dumps(data, ensure_ascii=False).encode()
        except UnicodeEncodeError as error:
            raise ValueError("has a character that no text can hold (half a surrogate pair)") from error
    problem = shape(data)
    if problem:
        raise ValueError(problem)
    return data


def shown(value: Any) -> str:
    """Return a value for a message, shortened."""
    known = "NULL" if value is None else ascii(value) if isinstance(value, str) else repr(value)
    return known if len(known) <= 40 else f"{known[:37]}..."


def _stage_rule(row: dict[str, Any]) -> str:
    problem = shapes.result_of(row["kind"], row["result"])
    return f"result{problem}" if problem else ""


def _histogram_rule(row: dict[str, Any]) -> str:
    bins = len(row["edges"]) - 1
    if bins < 0 or not len(row["reference"]) == len(row["generated"]) == bins:
        return "edges, reference and generated do not fit: a histogram has one edge more than counts"
    return ""


_id, _numbers = whole(), as_json(shapes.items(shapes.number))
_MEASURED: dict[str, Column] = {
    "id": _id, "fingerprint": text, "sample": whole(0, _MOST), "metric": text, "feature": text, "unit": text,
    "floor": text,
}  # fmt: skip
_FACTS = ("digest",)
#: Every table of ablate, in the order in which problems are looked for.
TABLES: dict[str, Table] = {
    "ablate_studies": Table(
        ("id", "name"),
        {
            "id": _id, "name": text, "spec": as_json(shapes.SPEC), "profile": text, "corpus": text,
            "seed": whole(), "created": time, "updated": time,
        },
    ),
    "ablate_variants": Table(
        ("id", "name"),
        {
            "id": _id, "study_id": _id, "position": whole(), "name": text, "fingerprint": text,
            "levels": as_json(shapes.mapping(shapes.anything)), "baseline": flag,
        },
    ),
    "ablate_runs": Table(
        ("id", "variant_id", "replicate"),
        {
            "id": _id, "variant_id": _id, "replicate": whole(0, _MOST), "config": as_json(shapes.RUN_CONFIG),
            "state": one_of("pending", "done", "failed", "interrupted", "pruned"), "error_class": text, "error": text,
        },
    ),
    "ablate_run_stages": Table(("run_id", "name"), {"run_id": _id, "name": text, "fingerprint": text}),
    "ablate_looks": Table(
        ("id", "study_id"),
        {
            "id": _id, "study_id": _id, "replicates": whole(0, _MOST), "share": optional(finite),
            "states": as_json(shapes.STATES), "p": as_json(shapes.P_VALUES),
            "variants": as_json(shapes.FINGERPRINTS), "made": time,
        },
    ),
    "ablate_stages": Table(
        ("fingerprint",),
        {
            "fingerprint": text, "kind": one_of(*KINDS), "config": as_json(shapes.STAGE_CONFIG),
            "result": as_json(shapes.RESULT), "artifact": text, "device": text, "seconds": finite,
            "environment": text, "finished": time, "sources": optional(text),
            "files": optional(as_json(shapes.mapping(shapes.text))),
        },
        _stage_rule,
    ),
    "ablate_environments": Table(_FACTS, {"digest": text, "facts": as_json(shapes.ENVIRONMENT)}),
    "ablate_sources": Table(_FACTS, {"digest": text, "facts": as_json(shapes.SOURCES)}),
    "ablate_measurements": Table(
        ("id", "fingerprint"),
        {**_MEASURED, "value": finite, "direction": one_of("lower", "higher", "none"), "n": whole(0)},
    ),
    "ablate_histograms": Table(
        ("id", "fingerprint"),
        {**_MEASURED, "edges": _numbers, "reference": _numbers, "generated": _numbers},
        _histogram_rule,
    ),
}  # fmt: skip
