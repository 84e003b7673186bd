"""Options of components and of the sections of a study file.

Options are frozen standard-library dataclasses whose fields are declared with :func:`option`.
One declaration serves the check of a study file, its error messages, ``ablate plugin show`` and the docs:

    @dataclass(frozen=True)
    class TemperatureOptions:
        tau: float = option(1.0, ge=0, doc="Divides the logits; 0 is greedy.")

pydantic checks the values. It is imported only when something is checked, so declaring options takes no time.
"""

from __future__ import annotations

import collections.abc
import dataclasses
import functools
import itertools
import json
import types
import typing
from typing import Any

from ablate.errors import MOST_PROBLEMS, AblateError, InvalidOptions, did_you_mean, named_line, one_line, shortened
from ablate.printable import has_bytes, printable

if typing.TYPE_CHECKING:
    from collections.abc import Mapping

    import pydantic

T = typing.TypeVar("T")

_REQUIRED: Any = dataclasses.MISSING
_UNIONS = (typing.Union, types.UnionType)
_LONGEST_SHOWN = 80
#: Limits from here on are in no message about smaller values.
_FAR = 5_000


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
        default: the value if a study file does not set the option; without a default the option is required.
        doc: one sentence for the reader, with the unit.
        ge: the smallest value. For a sequence, this and the other bounds apply to each item.
        gt: the value is greater than this.
        le: the largest value.
        lt: the value is less than this.
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
    """One option, described for the reader."""

    name: str
    type: str
    default: Any
    required: bool
    bounds: str
    doc: str


def validate(options: type[T], values: Mapping[str, Any]) -> T:
    """Build ``options`` from the plain values of a TOML table.

    Types are checked strictly (no text as number, no bool as int; an int is accepted for a float).

    Raises:
        InvalidOptions: with every problem, keyed by option name.
    """
    fields = {field.name: field for field in dataclasses.fields(options)}  # type: ignore[arg-type]
    problems = [
        (key, f"unknown key{did_you_mean(key, fields)} (known: {', '.join(fields) or 'none'})")
        for key in itertools.islice((key for key in values if key not in fields), MOST_PROBLEMS)
    ]
    checked: dict[str, Any] = {}
    for name, field in fields.items():
        if name in values:
            try:
                checked[name] = _checked(options, name, values[name])
            except ValueError:  # from pydantic, or for a value that JSON does not have, such as a date
                problems.append((name, _complaint(options, field, values[name])))
        elif _required(field):
            problems.append((name, "is required"))
    if problems:
        raise InvalidOptions(problems)
    try:
        return options(**checked)
    except ValueError as error:  # from a __post_init__ that checks options together
        raise InvalidOptions([("", one_line(error))]) from error
    except AblateError:
        raise
    except Exception as error:
        raise InvalidOptions([("", named_line(error))]) from error


def plain(options: Any) -> dict[str, Any]:
    """Return the options as JSON-ready data (tuples become lists), defaults included."""
    data: dict[str, Any] = json.loads(json.dumps(dataclasses.asdict(options)))
    return data


def defaults(options: Any) -> Mapping[str, Any]:
    """Return the default of each option of a dataclass that has one, as JSON-ready data."""
    return _defaults(options)


@functools.cache
def _defaults(options: Any) -> Mapping[str, Any]:
    values = {field.name: _default(field) for field in dataclasses.fields(options) if not _required(field)}
    data: dict[str, Any] = json.loads(json.dumps(values))
    return data


def describe(options: type[Any]) -> list[OptionField]:
    """List every option of a component, in the order of declaration."""
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
    """Return a type in words for study authors: ``float``, ``list of int``, ``"a" | "b"``."""
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if origin is typing.Literal:
        return " | ".join(json.dumps(arg) for arg in args)
    if origin in (tuple, list):
        return f"list of {type_name(args[0])}" if args else "list"
    if origin is collections.abc.Mapping:
        return f"table of {type_name(args[1])}"
    if origin in _UNIONS:
        return " | ".join(type_name(arg) for arg in args if arg is not types.NoneType)
    name = getattr(hint, "__name__", str(hint))
    return {"str": "text", "bool": "true | false"}.get(name, name)


def shown(value: Any) -> str:
    """Return a value as it is written in a study file: ``true``, ``"text"``, ``[1, 2]``."""
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
    """Return the message for a value that does not fit: "must be …, not …"."""
    if isinstance(value, str) and has_bytes(value):
        return f"'{printable(value)}' is not valid UTF-8; rename the file or folder, because names are stored as text"
    hint = typing.get_type_hints(options)[field.name]
    bounds = [bound for bound in _bounds(field) if not _is_far(field, bound, value)]
    wanted = _phrase(hint, " and ".join(bounds), field.metadata.get("min_length"))
    given = abridged(value)
    return f"must be {wanted}, not {given}{f'; write [{given}]' if _is_item(hint, value) else ''}"


def _is_item(hint: Any, value: Any) -> bool:
    """Check whether a value looks like the only item of a list that was wanted."""
    args = typing.get_args(hint)
    return typing.get_origin(hint) is tuple and Ellipsis in args and type(value) is args[0]


def _is_far(field: dataclasses.Field[Any], bound: str, value: Any) -> bool:
    """Check whether a bound is a limit of what is possible, which only a value above it has to read."""
    most = field.metadata["bounds"].get("le", 0)
    above = isinstance(value, int | float) and value > most
    return bound.startswith("≤") and most >= _FAR and not above


def abridged(value: Any) -> str:
    """Return :func:`shown` of the value, cut off where it is too long for an error message."""
    return shortened(shown(value), _LONGEST_SHOWN)


def _phrase(hint: Any, bounds: str, min_length: int | None, *, several: bool = False) -> str:
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if origin is typing.Literal:
        return " or ".join(map(shown, args))
    if origin in _UNIONS:
        members = [arg for arg in args if arg is not types.NoneType]
        if float in members:  # whole numbers are numbers
            members = [arg for arg in members if arg is not int]
        return " or ".join(_phrase(arg, bounds, min_length, several=several) for arg in members)
    if origin in (tuple, list, collections.abc.Mapping):
        fixed = f"{len(args)} " if origin is tuple and Ellipsis not in args else ""
        count = fixed if min_length is None else f"{min_length} or more "
        is_table = origin is collections.abc.Mapping
        items = _phrase(args[1 if is_table else 0], bounds, None, several=True)
        return f"a table whose values are {items}" if is_table else f"a list of {count}{items}"
    if hint in (int, float):
        number = "whole number" if hint is int else "number"
        return (f"{number}s {bounds}" if several else f"a {number} {bounds}").rstrip()
    if hint is str:
        return "text" if min_length is None else f"text of {min_length} or more characters"
    return "true or false" if hint is bool else type_name(hint)


def _checked(options: Any, name: str, value: Any) -> Any:
    """Return ``value`` as the type of that option; raise ValueError if it does not fit."""
    try:
        text = json.dumps(value)
    except TypeError as error:  # a date, an object
        raise ValueError(str(error)) from error
    # pydantic checks JSON strictly, and still turns a list into a tuple
    return _adapter(options, name).validate_json(text, strict=True)


@functools.cache
def _adapter(options: Any, name: str) -> pydantic.TypeAdapter[Any]:
    """Build the validator of one option, at its first use."""
    import pydantic

    (field,) = (field for field in dataclasses.fields(options) if field.name == name)
    hint = typing.get_type_hints(options)[name]
    return pydantic.TypeAdapter(_limited(hint, field.metadata.get("bounds", {}), field.metadata.get("min_length")))


def _limited(hint: Any, bounds: Mapping[str, float], min_length: int | None = None) -> Any:
    """Return ``hint`` with bounds on the numbers inside it, none of them infinite, and a length on the outside."""
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
