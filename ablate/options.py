"""Options: what a component or a section of a study file can be told.

Options are frozen standard-library dataclasses whose fields are declared with :func:`option`.
One declaration serves the check of a study file, the message when it fails, ``ablate plugin show`` and the docs:

    @dataclass(frozen=True)
    class TemperatureOptions:
        tau: float = option(1.0, ge=0, doc="Divides the logits; 0 is greedy.")

pydantic does the checking and is imported only when something is checked, so that declaring options costs nothing.
"""

from __future__ import annotations

import dataclasses
import functools
import json
import types
import typing
from typing import Any

from ablate.errors import InvalidOptions, did_you_mean

if typing.TYPE_CHECKING:
    from collections.abc import Mapping

    import pydantic

T = typing.TypeVar("T")

_REQUIRED: Any = dataclasses.MISSING
_UNIONS = (typing.Union, types.UnionType)
_LONGEST_SHOWN = 80


def option(
    default: Any = _REQUIRED,
    *,
    doc: str,
    ge: float | None = None,
    gt: float | None = None,
    le: float | None = None,
    lt: float | None = None,
    min_length: int | None = None,
) -> Any:
    """Declare one option of a component.

    Args:
        default: the value where a study file is silent; without one the option must be given.
        doc: one sentence for people, with the unit.
        ge: the value is at least this. ``gt``: greater than. ``le``: at most. ``lt``: less than.
            For a sequence the bounds hold for each item.
        gt: see ``ge``.
        le: see ``ge``.
        lt: see ``ge``.
        min_length: the smallest number of items of a sequence or text.
    """
    bounds = {"ge": ge, "gt": gt, "le": le, "lt": lt}
    metadata = {
        "doc": doc,
        "bounds": {key: value for key, value in bounds.items() if value is not None},
        "min_length": min_length,
    }
    if isinstance(default, list):
        raise TypeError("an option's default is immutable: use a tuple instead of a list")
    return dataclasses.field(default=default, metadata=metadata)


@dataclasses.dataclass(frozen=True)
class OptionField:
    """One option as people see it."""

    name: str
    type: str
    default: Any
    required: bool
    bounds: str
    doc: str


def validate(options: type[T], values: Mapping[str, Any]) -> T:
    """Build ``options`` from the plain values of a TOML table.

    Types are checked strictly (no text as number, no bool as int; an int may stand for a float).

    Raises:
        InvalidOptions: with every problem found, keyed by option name.
    """
    fields = {field.name: field for field in dataclasses.fields(options)}  # type: ignore[arg-type]
    problems = [
        (key, f"unknown key{did_you_mean(key, fields)} (known: {', '.join(fields) or 'none'})")
        for key in values
        if key not in fields
    ]
    checked: dict[str, Any] = {}
    for name, field in fields.items():
        if name in values:
            try:
                checked[name] = _checked(options, name, values[name])
            except ValueError:  # pydantic's, or that of a value which no TOML table can hold
                problems.append((name, _complaint(options, field, values[name])))
        elif _required(field):
            problems.append((name, "is required"))
    if problems:
        raise InvalidOptions(problems)
    try:
        return options(**checked)
    except ValueError as error:  # a __post_init__ that says in Python's own way what does not fit together
        raise InvalidOptions([("", str(error))]) from error


def plain(options: Any) -> dict[str, Any]:
    """The options as JSON-ready data (tuples become lists), defaults included."""
    data: dict[str, Any] = json.loads(json.dumps(dataclasses.asdict(options)))
    return data


def describe(options: type[Any]) -> list[OptionField]:
    """Every option of a component, in the order of declaration."""
    hints = typing.get_type_hints(options)
    return [_describe_field(field, hints[field.name]) for field in dataclasses.fields(options)]


def _describe_field(field: dataclasses.Field[Any], hint: Any) -> OptionField:
    bounds = _bounds(field)
    if field.metadata.get("min_length") is not None:
        bounds.append(f"length ≥ {field.metadata['min_length']}")
    default = None if _required(field) else _default(field)
    doc = field.metadata.get("doc", "")
    return OptionField(field.name, type_name(hint), default, _required(field), ", ".join(bounds), doc)


def _required(field: dataclasses.Field[Any]) -> bool:
    return field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING


def _default(field: dataclasses.Field[Any]) -> Any:
    if field.default_factory is not dataclasses.MISSING:
        return field.default_factory()
    return field.default


def _bounds(field: dataclasses.Field[Any]) -> list[str]:
    signs = {"ge": "≥", "gt": ">", "le": "≤", "lt": "<"}
    return [f"{signs[key]} {value:.12g}" for key, value in field.metadata.get("bounds", {}).items()]


def type_name(hint: Any) -> str:
    """A type as a study's author would say it: ``float``, ``list of int``, ``"a" | "b"``."""
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if origin is typing.Literal:
        return " | ".join(json.dumps(arg) for arg in args)
    if origin in (tuple, list):
        return f"list of {type_name(args[0])}" if args else "list"
    if origin in _UNIONS:
        return " | ".join(type_name(arg) for arg in args if arg is not types.NoneType)
    name = getattr(hint, "__name__", str(hint))
    return {"str": "text", "bool": "true | false"}.get(name, name)


def shown(value: Any) -> str:
    """A value as a study file would have it: ``true``, ``"text"``, ``[1, 2]``."""
    if isinstance(value, bool) or value is None:
        return str(value).lower()
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(shown, value))}]"
    if isinstance(value, dict):
        return "a table"
    if type(value) in (int, float):
        return str(value)
    return f"{type(value).__name__} {value}"


def _complaint(options: Any, field: dataclasses.Field[Any], value: Any) -> str:
    """What to do about a value that does not fit: "must be …, not …"."""
    hint = typing.get_type_hints(options)[field.name]
    wanted = _phrase(hint, " and ".join(_bounds(field)), field.metadata.get("min_length"))
    given = shown(value)
    return f"must be {wanted}, not {given if len(given) <= _LONGEST_SHOWN else given[:_LONGEST_SHOWN] + '…'}"


def _phrase(hint: Any, bounds: str, min_length: int | None, *, several: bool = False) -> str:
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if origin is typing.Literal:
        return " or ".join(map(shown, args))
    if origin in _UNIONS:
        members = (arg for arg in args if arg is not types.NoneType)
        return " or ".join(_phrase(arg, bounds, min_length, several=several) for arg in members)
    if origin in (tuple, list):
        fixed = f"{len(args)} " if origin is tuple and Ellipsis not in args else ""
        count = fixed if min_length is None else f"{min_length} or more "
        return f"a list of {count}{_phrase(args[0], bounds, None, several=True)}"
    if hint in (int, float):
        number = "whole number" if hint is int else "number"
        return f"{number}s {bounds}".rstrip() if several else f"a {number} {bounds}".rstrip()
    if hint is str:
        return "text" if min_length is None else f"text of {min_length} or more characters"
    return "true or false" if hint is bool else type_name(hint)


def _checked(options: Any, name: str, value: Any) -> Any:
    """``value`` as the type of that option; raises ValueError if it is none."""
    try:
        text = json.dumps(value)
    except TypeError as error:  # a date, an object
        raise ValueError(str(error)) from error
    # by way of JSON, where strict means what it says and a list may still become a tuple
    return _adapter(options, name).validate_json(text, strict=True)


@functools.cache
def _adapter(options: Any, name: str) -> pydantic.TypeAdapter[Any]:
    """What checks one option; built when it is first given."""
    import pydantic

    (field,) = (field for field in dataclasses.fields(options) if field.name == name)
    hint = typing.get_type_hints(options)[name]
    return pydantic.TypeAdapter(_limited(hint, field.metadata.get("bounds", {}), field.metadata.get("min_length")))


def _limited(hint: Any, bounds: Mapping[str, float], min_length: int | None = None) -> Any:
    """``hint`` with its bounds on the numbers inside it, none of them infinite, and its length on the outside."""
    import pydantic

    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if origin in _UNIONS:
        return typing.Union[tuple(_limited(arg, bounds, min_length) for arg in args)]  # noqa: UP007 - built at run time
    if origin in (tuple, list):
        items = origin[tuple(arg if arg is Ellipsis else _limited(arg, bounds) for arg in args)]
        return typing.Annotated[items, pydantic.Field(min_length=min_length)]
    if hint is str:
        return typing.Annotated[str, pydantic.Field(min_length=min_length)]
    if hint in (int, float):
        limits: dict[str, Any] = {**bounds, "allow_inf_nan": False} if hint is float else dict(bounds)
        return typing.Annotated[hint, pydantic.Field(**limits)]
    return hint
