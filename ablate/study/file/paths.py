"""Dotted paths into a study file, and the spellings of its values.

The *file shape* is the form that TOML has: a table for each kind whose keys are component names in order
(``{"sampler": {"temperature": {"tau": 1.0}}}``).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from ablate.specs import SPECS

#: The dotted key of a problem, and the text for the user.
Problem = tuple[str, str]

FileShape = dict[str, Any]
#: Components of one kind as name -> options.
Components = Mapping[str, Mapping[str, Any]]


def join(*parts: str) -> str:
    """Join the parts of a dotted key, without the empty ones."""
    return ".".join(part for part in parts if part)


def named(value: Any) -> dict[str, dict[str, Any]] | None:
    """Return a kind's value, in any of its spellings, as name -> options; None if it has none of these spellings.

    Spellings: ``"name"``, ``["name", "other"]``, ``{name = {option = 1}}``; ``"none"`` and ``[]`` are no component.
    """
    if value == "none":
        return {}
    if isinstance(value, str):
        return {value: {}}
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return {item: {} for item in value}
    if isinstance(value, dict) and all(isinstance(item, dict) for item in value.values()):
        return value
    return None


def finite(value: Any) -> float | None:
    """Return the value as a finite float; None if that is not possible."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return float(value) if math.isfinite(value) else None
    except OverflowError:  # a whole number beyond all floats
        return None


def chosen(config: FileShape, kind: str) -> dict[str, dict[str, Any]]:
    """Return the components of a kind as name -> options; empty if their spelling is wrong."""
    return named(config.get(kind, {})) or {}


def metrics(config: FileShape) -> list[str]:
    """Return the names of a study's metrics: its components, then those of the metrics file that a program writes."""
    program = config.get("program")
    declared = program.get("directions") if isinstance(program, dict) else None
    return list(dict.fromkeys([*chosen(config, "metric"), *(declared if isinstance(declared, dict) else ())]))


def split_path(path: str, config: FileShape) -> tuple[str, str, str]:
    """Split a dotted path into (section, component, option); parts that it does not have are empty.

    Component names may contain dots (``metric.distance.pitch.bins``): the longest chosen name that fits is used.
    """
    section, _, rest = path.partition(".")
    if section not in SPECS:
        return section, "", rest
    fitting = [name for name in chosen(config, section) if rest == name or rest.startswith(f"{name}.")]
    if fitting:
        name = max(fitting, key=len)
        return section, name, rest[len(name) + 1 :]
    name, _, option = rest.rpartition(".")
    return (section, name, option) if name else (section, option, "")


def with_own(value: Any, own: Components) -> Any:
    """Return a kind's value with the options that it does not set, from those that the file has for its components.

    ``"lstm"`` is ``{lstm = {hidden = 24}}`` where the file has ``[model.lstm] hidden = 24``. A value of another
    spelling, or without such components, is returned as it is.
    """
    components = named(value)
    if not components or not any(own.get(name) for name in components):
        return value
    return {name: {**own.get(name, {}), **options} for name, options in components.items()}


def set_path(config: FileShape, path: str, value: Any, own: Components | None = None) -> FileShape:
    """Return a copy of ``config`` with the value at ``path`` replaced; a whole kind as in :func:`with_own`.

    Args:
        config: in file shape; it stays as it is.
        path: dotted.
        value: the new one.
        own: of a path that is a kind, the options that the file has for its components, besides those in ``config``.
    """
    section, component, option = split_path(path, config)
    if not component and not option:
        known = {**(own or {}), **chosen(config, section)} if section in SPECS else {}
        return {**config, section: with_own(value, known)}
    if section not in SPECS:
        return {**config, section: {**config.get(section, {}), option: value}}
    choices = chosen(config, section)
    if option:
        value = {**choices.get(component, {}), option: value}
    return {**config, section: {**choices, component: value}}


def get_path(config: FileShape, path: str) -> Any:
    """Return the value at ``path``, or None if the file does not set it."""
    section, component, option = split_path(path, config)
    value = config.get(section)
    if component:
        value = (named(value) or {}).get(component)
    if option:
        value = value.get(option) if isinstance(value, dict) else None
    return value
