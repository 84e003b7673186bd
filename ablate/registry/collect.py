"""Collect the records of one plugin, and check what its hooks return."""

from __future__ import annotations

import functools
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import pluggy

from ablate import hookspecs
from ablate.errors import PluginError, did_you_mean
from ablate.registry.records import check_record
from ablate.specs import ALL_SPEC_TYPES, ALL_SPECS, ComponentSpec

if TYPE_CHECKING:
    from collections.abc import Iterator

#: The most components of one plugin: a hook that never stops to yield records is an error.
MOST_COMPONENTS = 1000


def collect(module: Any) -> list[ComponentSpec]:
    """Return every record that a plugin offers, checked; raises the plugin's error."""
    manager = _manager()
    manager.register(module)
    try:
        _check_hooks(manager, module)
        specs = [spec for spec_type in ALL_SPECS.values() for spec in _offered(manager, spec_type)]
    finally:
        # one plugin at a time, so that a faulty one cannot affect the others
        manager.unregister(module)
    for spec in specs:
        check_record(spec)
    names = [f"{spec.kind} '{spec.name}'" for spec in specs]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise PluginError(f"offers {', '.join(twice)} twice")
    return specs


@functools.cache
def _manager() -> pluggy.PluginManager:
    manager = pluggy.PluginManager("ablate")
    manager.add_hookspecs(hookspecs)
    return manager


def _check_hooks(manager: pluggy.PluginManager, module: Any) -> None:
    implemented = manager.get_hookcallers(module)
    if not implemented:
        raise PluginError("implements no hook; mark its functions with @ablate.hookimpl")
    known = [f"ablate_{spec_type.kinds}" for spec_type in ALL_SPECS.values()]
    for hook in implemented:
        if hook.name in hookspecs.EVENTS:
            raise PluginError(
                f"{hook.name} is a method of an observer, not a function of the module; offer an ablate.ObserverSpec "
                "with ablate_observers"
            )
        if not hook.has_spec():
            raise PluginError(f"unknown hook '{hook.name}'{did_you_mean(hook.name, known)}")


def _offered(manager: pluggy.PluginManager, spec_type: type[ComponentSpec]) -> Iterator[ComponentSpec]:
    hook = f"ablate_{spec_type.kinds}"
    types = tuple(each for each in ALL_SPEC_TYPES if each.kind == spec_type.kind)
    *most, last = (each.__name__ for each in types)
    names = f"{', '.join(most)} or {last}" if most else last
    caller = getattr(manager.hook, hook)
    results = caller()
    if len(results) < len(caller.get_hookimpls()):  # pluggy leaves out what returns None
        raise TypeError(f"{hook} returned nothing; yield each {names}")
    for offered in results:
        if not isinstance(offered, Iterable):
            raise TypeError(f"{hook} yields each {names}; it returned {type(offered).__name__}")
        for count, spec in enumerate(offered):
            if not isinstance(spec, types):
                raise TypeError(f"{hook} yields {names}, not {type(spec).__name__}")
            if count >= MOST_COMPONENTS:
                raise PluginError(f"{hook} yields more than {MOST_COMPONENTS:,} records")
            yield spec
