"""Dotted paths into a study file, and the spellings of its values.

The *file shape* is what TOML gives: a table for each kind whose keys are component names in order
(``{"sampler": {"temperature": {"tau": 1.0}}}``).
"""

from __future__ import annotations

import copy
from typing import Any

from ablate.specs import SPECS

Problem = tuple[str, str]

FileShape = dict[str, Any]


def named(value: Any) -> dict[str, dict[str, Any]] | None:
    """A kind's value in any of its spellings as name -> options; None if it is none of them.

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


def split_path(path: str, config: FileShape) -> tuple[str, str, str]:
    """A dotted path as (section, component, option); empty parts where there are none.

    Component names may contain dots (``metric.distance.pitch.bins``): the longest chosen name that fits is meant.
    """
    section, _, rest = path.partition(".")
    if section not in SPECS:
        return section, "", rest
    names = named(config.get(section, {})) or {}
    fitting = [name for name in names if rest == name or rest.startswith(f"{name}.")]
    if fitting:
        name = max(fitting, key=len)
        return section, name, rest[len(name) + 1 :]
    name, _, option = rest.rpartition(".")
    return (section, name, option) if name else (section, option, "")


def set_path(config: FileShape, path: str, value: Any) -> FileShape:
    """A copy of ``config`` with the value at ``path`` replaced."""
    section, component, option = split_path(path, config)
    changed = copy.deepcopy(config)
    if not component and not option:
        changed[section] = copy.deepcopy(value)
    elif section in SPECS:
        choices = named(changed.get(section, {})) or {}
        if option:
            choices.setdefault(component, {})[option] = value
        else:
            choices[component] = value
        changed[section] = choices
    else:
        changed.setdefault(section, {})[option] = value
    return changed


def get_path(config: FileShape, path: str) -> Any:
    """The value at ``path``, or None where the file is silent."""
    section, component, option = split_path(path, config)
    value = config.get(section)
    if component:
        value = (named(value) or {}).get(component)
    if option:
        value = value.get(option) if isinstance(value, dict) else None
    return value
