"""Load the plugins, and find the components that they offer by kind and name.

Plugins are the entry points of the group ``ablate``; our own are found in the same way as all others. A plugin that
fails to load or breaks its contract is recorded with its distribution and error, and the others are loaded; with
``ABLATE_STRICT_PLUGINS=1`` the first failure is raised.
"""

from __future__ import annotations

import dataclasses
import functools
import importlib.metadata
import os
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import pluggy

from ablate import hookspecs
from ablate.errors import AblateError, PluginError, UnknownName, did_you_mean, one_line
from ablate.specs import ALL_SPEC_TYPES, ALL_SPECS, DEFAULTED, ComponentSpec
from ablate.stdout import divert_prints

if TYPE_CHECKING:
    from collections.abc import Iterator

GROUP = "ablate"


@dataclasses.dataclass(frozen=True)
class Plugin:
    """A plugin: its entry point, its distribution, and its error if it cannot be used."""

    name: str
    module: str
    distribution: str
    version: str
    error: str = ""

    def __str__(self) -> str:
        """Return the plugin's origin, for error messages."""
        return f"plugin '{self.name}' ({self.module}, of {self.distribution} {self.version})"


@dataclasses.dataclass(frozen=True)
class Component:
    """A component and the plugin that offers it."""

    spec: ComponentSpec
    plugin: Plugin

    @property
    def kind(self) -> str:
        """The hook point, as a word."""
        return self.spec.kind


class Registry:
    """The components of a set of entry points.

    It pickles as its entry points, which are loaded again: each process has its own components.

    Args:
        entry_points: those to load; by default all installed ones of the group ``ablate``.
        strict: raise the first failure or clash instead of recording it.
    """

    def __init__(
        self, entry_points: Iterable[importlib.metadata.EntryPoint] | None = None, *, strict: bool = False
    ) -> None:
        self._strict = strict
        self.plugins: list[Plugin] = []
        self.components: list[Component] = []
        self._distributions: dict[int, tuple[str, str]] = {}
        chosen = importlib.metadata.entry_points(group=GROUP) if entry_points is None else entry_points
        self._entry_points = sorted(set(chosen), key=lambda e: (e.name, e.value))
        for entry_point in self._entry_points:
            self._load(entry_point)
        if strict and self.clashes():
            raise PluginError("\n".join(self.clashes()))

    def __reduce__(self) -> tuple[Any, ...]:
        return functools.partial(Registry, strict=self._strict), (self._entry_points,)

    def _load(self, entry_point: importlib.metadata.EntryPoint) -> None:
        plugin = Plugin(entry_point.name, entry_point.value, *self._distribution(entry_point))
        try:
            specs = _collect(entry_point.load())
        except (Exception, SystemExit) as error:  # a plugin may raise anything, and the others must load
            plugin = dataclasses.replace(plugin, error=_message(error))
            if self._strict:
                raise PluginError(f"{plugin} failed to load: {plugin.error}") from error
            specs = []
        self.plugins.append(plugin)
        self.components += [Component(spec, plugin) for spec in specs]

    def _distribution(self, entry_point: importlib.metadata.EntryPoint) -> tuple[str, str]:
        """Return the name and version of a plugin's distribution; each is read once, because parsing takes time."""
        dist = entry_point.dist
        if dist is None:
            return "unknown", "unknown"
        if id(dist) not in self._distributions:
            about = dist.metadata
            self._distributions[id(dist)] = about["Name"], about["Version"]
        return self._distributions[id(dist)]

    def offered(self, kind: str) -> list[Component]:
        """Return every component of a kind, sorted by name."""
        return sorted((c for c in self.components if c.kind == kind), key=lambda c: c.spec.name)

    def names(self, kind: str) -> list[str]:
        """Return the names of a kind's components, sorted, each once."""
        return sorted({c.spec.name for c in self.offered(kind)})

    def component(self, kind: str, name: str) -> Component:
        """Return the component of this kind and name.

        Raises:
            UnknownName: no component has this name; the message has a suggestion.
            PluginError: two plugins claim the name; both are named.
        """
        candidates = [c for c in self.offered(kind) if c.spec.name == name]
        if not candidates:
            raise UnknownName(kind, name, self.names(kind), self._hint())
        if len(candidates) > 1:
            owners = " and ".join(str(c.plugin) for c in candidates)
            raise PluginError(f"{kind} '{name}' is offered by {owners}; uninstall one of them")
        return candidates[0]

    def _hint(self) -> str:
        """Return the plugins that could not be loaded: an unknown name may be one of theirs."""
        if not self.failed:
            return ""
        names = ", ".join(f"'{plugin.name}'" for plugin in self.failed)
        return f"Not loaded, see ablate plugin list: {names}"

    def spec(self, kind: str, name: str) -> Any:
        """Return the record of this kind and name; raises like :meth:`component`."""
        return self.component(kind, name).spec

    def default(self, kind: str) -> str:
        """Return the name of the component that a study gets if it names none of this kind.

        Raises:
            PluginError: two plugins claim to offer the default, and both are named; or none offers one.
        """
        clash, claims = self._default_clash(kind), self._defaults(kind)
        if clash:
            raise PluginError(clash)
        if not claims:
            listing = ", ".join(self.names(kind)) or "none"
            raise PluginError(f"no installed {kind} is the default; name one in the study file (offered: {listing})")
        return claims[0].spec.name

    def _defaults(self, kind: str) -> list[Component]:
        """Return the components whose records claim to be the default."""
        return [c for c in self.offered(kind) if getattr(c.spec, "default", False)]

    def _default_clash(self, kind: str) -> str:
        """Return an error message if more than one component claims to be the default, else an empty string."""
        claims = [f"'{c.spec.name}' of {c.plugin}" for c in self._defaults(kind)]
        todo = f"uninstall one of these plugins, or name the {kind} in the study file"
        return f"more than one {kind} is the default: {' and '.join(claims)}; {todo}" if len(claims) > 1 else ""

    def clashes(self) -> list[str]:
        """Return one line for each name, and for each default, that two plugins claim."""
        lines = [clash for kind in DEFAULTED if (clash := self._default_clash(kind))]
        for kind in ALL_SPECS:
            for name in self.names(kind):
                try:
                    self.component(kind, name)
                except PluginError as error:
                    lines.append(str(error))
        return lines

    @property
    def failed(self) -> list[Plugin]:
        """The plugins that could not be used, with their errors."""
        return [plugin for plugin in self.plugins if plugin.error]


@functools.cache
def get_registry() -> Registry:
    """Return the registry of all installed plugins, loaded once for each process."""
    divert_prints()
    return Registry(strict=os.environ.get("ABLATE_STRICT_PLUGINS", "") not in ("", "0"))


def _collect(module: Any) -> list[ComponentSpec]:
    """Return every record that a plugin offers, checked; raises the plugin's error."""
    manager = _manager()
    manager.register(module)
    try:
        _check_hooks(manager, module)
        specs = [spec for spec_type in ALL_SPECS.values() for spec in _offered(manager, spec_type)]
    finally:
        # one plugin at a time, so that a faulty one cannot affect the others
        manager.unregister(module)
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
        for spec in offered:
            if not isinstance(spec, types):
                raise TypeError(f"{hook} yields {names}, not {type(spec).__name__}")
            yield spec


def _message(error: BaseException) -> str:
    """Return the message, with the name of its class unless it is one of ablate's own errors."""
    text = one_line(error)
    return text if isinstance(error, AblateError) else f"{type(error).__name__}: {text}".removesuffix(": ")
