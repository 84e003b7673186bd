"""Check the record of a component: every field that ablate reads must be of its type, and able to be printed."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, get_args

from ablate.errors import PluginError, named_line
from ablate.options import shown
from ablate.specs import ComponentSpec, Reference

if TYPE_CHECKING:
    from collections.abc import Iterator

_OF_OPTIONS = ("path_option", "instruments_option", "pause_option", "target")
_TEXTS = ("name", "summary", "version", "copied_share", "install", *_OF_OPTIONS)
_FLAGS = ("fitted", "default")
_FUNCTIONS = ("build", "build_rows", "fewest", "fewest_pieces")
#: No text of a record is longer.
LONGEST = 10_000


def check_record(spec: ComponentSpec) -> None:
    """Check a record.

    Raises:
        PluginError: a field is not what its type says, or an option has a default that cannot be used.
    """
    for problem in _problems(spec):
        raise PluginError(f"{spec.kind} '{spec.name}': {problem}")


def _problems(spec: ComponentSpec) -> Iterator[str]:
    fields = vars(spec)
    for name in _TEXTS:
        value = fields.get(name, "")
        if not isinstance(value, str):
            yield f"{name} must be text, not {_type(value)}"
        elif len(value) > LONGEST:
            yield f"{name} has {len(value):,} characters, more than {LONGEST:,}"
    yield from (
        f"{n} must be true or false, not {_type(fields[n])}"
        for n in _FLAGS
        if not isinstance(fields.get(n, True), bool)
    )
    yield from (
        f"{n} must be a function, not {_type(fields[n])}" for n in _FUNCTIONS if not callable(fields.get(n, len))
    )
    if not isinstance(spec.cite, tuple | list) or not all(isinstance(entry, str) for entry in spec.cite):
        yield "cite must be a tuple of texts"
    if not isinstance(spec.modules, tuple | list) or not all(isinstance(name, str) for name in spec.modules):
        yield "modules must be a tuple of texts"
    if fields.get("reference") not in (None, *get_args(Reference)):
        yield f"reference must be None or one of {', '.join(get_args(Reference))}"
    main = fields.get("main", {})
    if not isinstance(main, Mapping) or not all(isinstance(text, str) for pair in main.items() for text in pair):
        yield "main must have the name of a feature for each part of the split"
    features = fields.get("features", {})
    if not isinstance(features, Mapping) or not all(
        isinstance(text, str) for pair in features.items() for text in pair
    ):
        yield "features must have a sentence for each name of a feature"
    known = {field.name for field in dataclasses.fields(spec.options)}
    yield from (
        f"{name} names no option: '{fields[name]}'"
        for name in _OF_OPTIONS
        if fields.get(name) and fields[name] not in known
    )
    for field in dataclasses.fields(spec.options):
        yield from _problems_of_default(field)


def _problems_of_default(field: dataclasses.Field[Any]) -> Iterator[str]:
    """Find a default that cannot be compared, printed, or stored with a study."""
    try:
        value = field.default_factory() if field.default_factory is not dataclasses.MISSING else field.default
        if value is dataclasses.MISSING:
            return
        shown(value)
        json.dumps(value, allow_nan=False)
        if value != value:  # noqa: PLR0124 - an object may compare as it likes
            yield f"the default of option '{field.name}' is not equal to itself"
    except Exception as error:  # noqa: BLE001 - a default may be any object
        yield (
            f"the default of option '{field.name}' cannot be used: {named_line(error)}; "
            "give text, a finite number, true or false, None, or a tuple or table of these"
        )


def _type(value: object) -> str:
    return type(value).__name__
