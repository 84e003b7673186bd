"""The plugins that are loaded: all that are installed, or those that ``ABLATE_PLUGINS`` chooses."""

from __future__ import annotations

import importlib.metadata
import os
from typing import TYPE_CHECKING, NamedTuple

from ablate.errors import UnknownName, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable

#: The group of the entry points of plugins.
GROUP = "ablate"
#: The environment variable that chooses among them: names with commas between; ``-NAME`` leaves a plugin out.
PLUGINS = "ABLATE_PLUGINS"
#: The environment variable that turns the first failure of a plugin into an error.
STRICT = "ABLATE_STRICT_PLUGINS"

_SWITCH = {"": False, "0": False, "false": False, "no": False, "off": False}
_SWITCH |= {"1": True, "true": True, "yes": True, "on": True}


class Chosen(NamedTuple):
    """Entry points, by whether they are to be loaded."""

    loaded: list[importlib.metadata.EntryPoint]
    left_out: list[importlib.metadata.EntryPoint]


def installed() -> Chosen:
    """Return all installed entry points, those that the environment leaves out apart; loads nothing.

    Raises:
        UsageError: ``ABLATE_PLUGINS`` names a plugin that is not installed.
    """
    return choose(importlib.metadata.entry_points(group=GROUP), os.environ.get(PLUGINS, ""))


def choose(entry_points: Iterable[importlib.metadata.EntryPoint], text: str) -> Chosen:
    """Return the entry points that a text chooses, and the others.

    Args:
        entry_points: those of all plugins.
        text: the value of ``ABLATE_PLUGINS``: the names of the plugins to load; only names with ``-`` before them mean
            all plugins but these, and an empty text all.

    Raises:
        UsageError: a plugin of that name is not installed.
    """
    every = in_order(entry_points)
    names = [name for part in text.split(",") if (name := part.strip())]
    wanted = {name for name in names if not name.startswith("-")} or {each.name for each in every}
    unwanted = {name[1:].strip() for name in names if name.startswith("-")}
    offered = {each.name for each in every}
    for name in sorted((wanted | unwanted) - offered):
        raise UsageError(f"{PLUGINS}: {UnknownName('plugin', name, offered)}")
    kept = wanted - unwanted
    return Chosen([each for each in every if each.name in kept], [each for each in every if each.name not in kept])


def in_order(entry_points: Iterable[importlib.metadata.EntryPoint]) -> list[importlib.metadata.EntryPoint]:
    """Return the entry points in the order in which they are loaded, each once."""
    return sorted(set(entry_points), key=lambda each: (each.name, each.value))


def is_strict() -> bool:
    """Return whether the first failure of a plugin is an error: ``ABLATE_STRICT_PLUGINS``.

    Raises:
        UsageError: it is neither on nor off.
    """
    text = os.environ.get(STRICT, "")
    if text.strip().lower() not in _SWITCH:
        raise UsageError(f"{STRICT} must be 1 (or true, yes, on) or 0 (or false, no, off), not '{text}'")
    return _SWITCH[text.strip().lower()]
