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

T = typing.TypeVar("T")

_REQUIRED: Any = dataclasses.MISSING


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
    known = [field.name for field in dataclasses.fields(options)]  # type: ignore[arg-type]
    problems = [
        (key, f"unknown key{did_you_mean(key, known)} (known: {', '.join(known) or 'none'})")
        for key in values
        if key not in known
    ]
    import pydantic

    given = {key: value for key, value in values.items() if key in known}
    try:
        model: Any = _model(options)  # type: ignore[arg-type]
        checked = model.model_validate_json(json.dumps(given, default=_refuse), strict=True)
    except pydantic.ValidationError as error:
        problems += [(".".join(map(str, e["loc"])), _words(e)) for e in error.errors()]
    except _NotPlainError as error:
        problems.append(("", str(error)))
    if problems:
        raise InvalidOptions(problems)
    return options(**{key: getattr(checked, key) for key in known})


def plain(options: Any) -> dict[str, Any]:
    """The options as JSON-ready data (tuples become lists), defaults included."""
    data: dict[str, Any] = json.loads(json.dumps(dataclasses.asdict(options)))
    return data


def describe(options: type[Any]) -> list[OptionField]:
    """Every option of a component, in the order of declaration."""
    hints = typing.get_type_hints(options)
    return [_describe_field(field, hints[field.name]) for field in dataclasses.fields(options)]


def _describe_field(field: dataclasses.Field[Any], hint: Any) -> OptionField:
    signs = {"ge": "≥", "gt": ">", "le": "≤", "lt": "<"}
    bounds = [f"{signs[key]} {value:g}" for key, value in field.metadata.get("bounds", {}).items()]
    required = field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
    default = None if required else _default(field)
    return OptionField(field.name, type_name(hint), default, required, ", ".join(bounds), field.metadata.get("doc", ""))


def _default(field: dataclasses.Field[Any]) -> Any:
    if field.default_factory is not dataclasses.MISSING:
        return field.default_factory()
    return field.default


def type_name(hint: Any) -> str:
    """A type as a study's author would say it: ``float``, ``list of int``, ``"a" | "b"``."""
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if origin is typing.Literal:
        return " | ".join(json.dumps(arg) for arg in args)
    if origin in (tuple, list):
        return f"list of {type_name(args[0])}" if args else "list"
    if origin in (typing.Union, types.UnionType):
        return " | ".join(type_name(arg) for arg in args if arg is not type(None))
    return {"str": "text", "bool": "true | false"}.get(
        getattr(hint, "__name__", ""), getattr(hint, "__name__", str(hint))
    )


@functools.cache
def _model(options: Any) -> Any:
    """The pydantic model that checks ``options``; built once for each class."""
    import pydantic

    hints = typing.get_type_hints(options)
    fields: dict[str, Any] = {}
    for field in dataclasses.fields(options):
        hint = _bounded(hints[field.name], field.metadata.get("bounds", {}))
        required = field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
        info = pydantic.Field(... if required else _default(field), min_length=field.metadata.get("min_length"))
        fields[field.name] = (hint, info)
    config = pydantic.ConfigDict(allow_inf_nan=False)
    return pydantic.create_model(options.__name__, __config__=config, **fields)


def _bounded(hint: Any, bounds: Mapping[str, float]) -> Any:
    """``hint`` with its bounds; those of a sequence or union go to the numbers inside it."""
    import pydantic

    if not bounds:
        return hint
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if origin is tuple:
        return tuple[tuple(_bounded(arg, bounds) if arg is not Ellipsis else arg for arg in args)]  # type: ignore[misc]
    if origin in (typing.Union, types.UnionType):
        return typing.Union[tuple(_bounded(arg, bounds) for arg in args)]  # noqa: UP007 - built at run time
    if hint in (int, float):
        limits: dict[str, Any] = dict(bounds)
        return typing.Annotated[hint, pydantic.Field(**limits)]
    return hint


class _NotPlainError(TypeError):
    pass


def _refuse(value: Any) -> Any:
    raise _NotPlainError(f"{value!r} is no number, text, boolean, list or table")


def _words(error: Any) -> str:
    """Pydantic's message, shortened, with the value that caused it."""
    if error["type"] == "missing":
        return "is required"
    message = error["msg"].removeprefix("Input ").replace("should be a valid", "should be a")
    return f"{message}, not {json.dumps(error['input'], default=str)}"
