"""Records as JSON-ready data, and back: how they leave a database for another one, without its file.

Data that come back may be from anybody, so every field is checked before a record is made.
"""

from __future__ import annotations

import dataclasses
import functools
import types
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from ablate.store.records import FinishedStage, HistogramRecord, MeasurementRecord, StageRecord

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Record = TypeVar("Record", bound="DataclassInstance")
#: Databases store whole numbers in 64 bits.
_WHOLE = range(-(2**63), 2**63)


def to_plain(record: DataclassInstance) -> dict[str, Any]:
    """Return a record as JSON-ready data."""
    return {key: value.isoformat() if isinstance(value, datetime) else value for key, value in vars(record).items()}


def from_plain(kind: type[Record], data: Any) -> Record:
    """Return the record that :func:`to_plain` made ``data`` from.

    Raises:
        ValueError: a field is missing, unknown, or has a wrong type.
    """
    if not isinstance(data, dict):
        raise ValueError(f"{kind.__name__}: is {_shown(data)}, not a table")  # noqa: TRY004 - the data, not a bug
    hints = _hints(kind)
    unknown = data.keys() - hints.keys()
    if unknown:
        raise ValueError(f"{kind.__name__}: unknown field '{min(unknown)}'")
    values = {}
    for name, hint in hints.items():
        if name in data:
            values[name] = _checked(data[name], hint, f"{kind.__name__}.{name}")
    try:
        return kind(**values)
    except TypeError as error:
        raise ValueError(f"{kind.__name__}: a field is missing ({error})") from error


def stage_to_plain(finished: FinishedStage) -> dict[str, Any]:
    """Return a finished stage as JSON-ready data; measurements are rows, in the order of their fields."""
    return {
        "stage": to_plain(finished.stage),
        "measurements": [list(vars(each).values()) for each in finished.measurements],
        "histograms": [to_plain(each) for each in finished.histograms],
    }


def stage_from_plain(data: Any) -> FinishedStage:
    """Return the finished stage that :func:`stage_to_plain` made ``data`` from.

    Raises:
        ValueError: as for :func:`from_plain`.
    """
    if not isinstance(data, dict) or data.keys() != {"stage", "measurements", "histograms"}:
        raise ValueError("a stage has the fields stage, measurements and histograms")
    if not isinstance(data["measurements"], list) or not isinstance(data["histograms"], list):
        raise ValueError("measurements and histograms are lists")  # noqa: TRY004
    return FinishedStage(
        from_plain(StageRecord, data["stage"]),
        tuple(_measurement(row) for row in data["measurements"]),
        tuple(from_plain(HistogramRecord, each) for each in data["histograms"]),
    )


def _measurement(row: Any) -> MeasurementRecord:
    hints = _hints(MeasurementRecord)
    if not isinstance(row, list) or len(row) != len(hints):
        raise ValueError(f"a measurement is a list of {', '.join(hints)}")
    return from_plain(MeasurementRecord, dict(zip(hints, row, strict=True)))


@functools.cache
def _hints(kind: type[Any]) -> dict[str, Any]:
    hints = get_type_hints(kind, localns={"datetime": datetime})
    return {field.name: hints[field.name] for field in dataclasses.fields(kind)}


def _checked(value: Any, hint: Any, where: str) -> Any:
    """Return a value as its field has it; raise ValueError if it has another type."""
    origin, args = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        kinds = [each for each in args if each is not type(None)]
        return None if value is None and len(kinds) < len(args) else _checked(value, kinds[0], where)
    if origin is tuple and isinstance(value, list):
        return tuple(_checked(each, args[0], where) for each in value)
    if origin is Mapping and isinstance(value, dict):
        return {key: _checked(each, args[1], where) for key, each in value.items()}
    if hint is datetime and isinstance(value, str):
        return _time(value, where)
    fits = value in args if origin is Literal else _SCALARS.get(hint, _never)(value)
    if not fits:
        raise ValueError(f"{where}: {_shown(value)} is not valid")
    return float(value) if hint is float else value


def _time(text: str, where: str) -> datetime:
    try:
        time = datetime.fromisoformat(text)
    except ValueError as error:
        raise ValueError(f"{where}: {_shown(text)} is no time") from error
    return time if time.tzinfo else time.replace(tzinfo=UTC)


def _is_text(value: Any) -> bool:
    """Return whether a value is a text that can be encoded; half a surrogate pair, which JSON allows, cannot."""
    return isinstance(value, str) and (value.isascii() or not any("\ud800" <= each <= "\udfff" for each in value))


def _never(_: Any) -> bool:
    return False


#: Whether a value is of a type; ``True`` is no number here.
_SCALARS: dict[Any, Callable[[Any], bool]] = {
    Any: lambda _: True,
    str: _is_text,
    bool: lambda value: isinstance(value, bool),
    int: lambda value: type(value) is int and value in _WHOLE,
    float: lambda value: type(value) in (int, float),
}


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
