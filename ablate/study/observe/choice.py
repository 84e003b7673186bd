"""Choose observers by text: ``NAME``, ``NAME:TARGET`` and ``NAME,OPTION=VALUE``."""

from __future__ import annotations

import dataclasses
import re
from typing import TYPE_CHECKING, Any

import pluggy

from ablate import hookspecs
from ablate.errors import AblateError, InvalidOptions, PluginError, UsageError, did_you_mean, named_line, one_line
from ablate.interrupts import is_ctrl_c
from ablate.options import describe
from ablate.study.file.text.toml import loads

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from ablate.options import OptionField
    from ablate.registry import Plugin, Registry
    from ablate.specs import ObserverSpec

#: The folder of the observers' files inside the home; each has a folder of its own name there.
FOLDER = "observers"

_OPTION = re.compile(r",(?=[a-z_]+=)")


@dataclasses.dataclass(frozen=True)
class Observer:
    """A built observer.

    Attributes:
        name: of its record.
        plugin: the plugin that offers it.
        hooks: calls its methods.
        events: the hooks that it has.
    """

    name: str
    plugin: Plugin
    hooks: pluggy.HookRelay
    events: frozenset[str]

    def __str__(self) -> str:
        """Return the observer with its plugin, for messages."""
        return f"observer '{self.name}' of {self.plugin}"


def build_observers(texts: Sequence[str], registry: Registry, home: Path) -> list[Observer]:
    """Build the observers that a person has chosen.

    Args:
        texts: one for each observer.
        registry: offers them.
        home: the home folder.

    Raises:
        PluginError: an observer cannot be built, or has no hook or an unknown one.
        UnknownName: no plugin offers an observer of this name.
        UsageError: an option that does not exist or has an invalid value, or two observers of one name.
    """
    observers: list[Observer] = []
    for text in texts:
        head, *settings = _OPTION.split(text)
        name, _, target = head.partition(":")
        if any(name == each.name for each in observers):
            raise UsageError(f"--observe {text}: '{name}' is given twice; give it once")
        component = registry.component("observer", name)
        spec: Any = component.spec
        options = _options(text, spec, target, settings)
        observers.append(_build(spec, options, component.plugin, home / FOLDER / name))
    return observers


def _options(text: str, spec: ObserverSpec, target: str, settings: Sequence[str]) -> Any:
    """Return the options of an observer that a text sets."""
    fields = {field.name: field for field in describe(spec.options)}
    values: dict[str, Any] = {}
    if target and not spec.target:
        raise UsageError(f"--observe {text}: '{spec.name}' takes no target; write --observe {spec.name}")
    if target:
        values[spec.target] = target
    for setting in settings:
        name, _, value = setting.partition("=")
        if name not in fields:
            offered = ", ".join(fields) or "none"
            raise UsageError(
                f"--observe {text}: '{spec.name}' has no option '{name}'{did_you_mean(name, fields) or '.'} "
                f"Offered: {offered}"
            )
        values[name] = _value(fields[name], value)
    try:
        return spec.parse(values)
    except InvalidOptions as error:
        raise UsageError(f"--observe {text}: {'; '.join(str(error).splitlines())}") from error


def _value(field: OptionField, text: str) -> Any:
    """Return the value of an option: text as it is, anything else as TOML."""
    if field.type.startswith(("text", '"')):
        return text
    try:
        return loads(f"value = {text}")["value"]
    except ValueError:  # no TOML, or more than is read
        return text


def _build(spec: ObserverSpec, options: Any, plugin: Plugin, folder: Path) -> Observer:
    origin = f"observer '{spec.name}' of {plugin}"
    try:
        hooks, events = hooks_of(spec.build(options, folder))
    except PluginError as error:
        raise PluginError(f"{origin} {error}") from error
    except AblateError:
        raise
    except BaseException as error:
        if is_ctrl_c(error):
            raise
        raise PluginError(f"{origin} cannot be built: {named_line(error)}") from error
    return Observer(spec.name, plugin, hooks, events)


def hooks_of(built: object) -> tuple[pluggy.HookRelay, frozenset[str]]:
    """Return what calls the hooks of a built observer, and their names.

    Raises:
        PluginError: it has no hook, an unknown one, or one with other arguments.
    """
    manager = pluggy.PluginManager("ablate")
    manager.add_hookspecs(hookspecs)
    try:
        manager.register(built)
    except pluggy.PluginValidationError as error:
        raise PluginError(f"has a hook with other arguments: {one_line(error)}") from error
    events = frozenset(hook.name for hook in manager.get_hookcallers(built) or ())
    unknown = sorted(events - set(hookspecs.EVENTS))
    if unknown:
        raise PluginError(f"has an unknown hook '{unknown[0]}'{did_you_mean(unknown[0], hookspecs.EVENTS)}")
    if not events:
        raise PluginError("has no hook; mark its methods with @ablate.hookimpl")
    return manager.hook, events
