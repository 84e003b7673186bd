"""Finds the plugins, remembers who offers what, and answers for it.

Plugins are the entry points of the group ``ablate``, ours and a stranger's alike. One that fails to load or breaks
its contract is recorded with its distribution and error, and the others go on; with ``ABLATE_STRICT_PLUGINS=1``
the first failure is raised.
"""

from __future__ import annotations

import dataclasses
import functools
import importlib.metadata
import os
from typing import TYPE_CHECKING, Any

import pluggy

from ablate import hookspecs
from ablate.errors import AblateError, PluginError, UnknownName
from ablate.specs import SPECS, ComponentSpec

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

GROUP = "ablate"


@dataclasses.dataclass(frozen=True)
class Plugin:
    """A plugin as found: its entry point, its distribution, and its error if it could not be used."""

    name: str
    module: str
    distribution: str
    version: str
    error: str = ""


@dataclasses.dataclass(frozen=True)
class Component:
    """One component and who offers it."""

    spec: ComponentSpec
    plugin: Plugin

    @property
    def kind(self) -> str:
        """The hook point, as a word."""
        return self.spec.kind


class Registry:
    """The components of a set of entry points.

    Args:
        entry_points: those to load; by default all installed ones of the group ``ablate``.
        strict: raise the first failure instead of recording it.
    """

    def __init__(
        self, entry_points: Iterable[importlib.metadata.EntryPoint] | None = None, *, strict: bool = False
    ) -> None:
        self._strict = strict
        self._manager = pluggy.PluginManager("ablate")
        self._manager.add_hookspecs(hookspecs)
        self.plugins: list[Plugin] = []
        self.components: list[Component] = []
        found = importlib.metadata.entry_points(group=GROUP) if entry_points is None else entry_points
        for entry_point in sorted(set(found), key=lambda e: (e.name, e.value)):
            self._load(entry_point)

    def _load(self, entry_point: importlib.metadata.EntryPoint) -> None:
        dist = entry_point.dist
        plugin = Plugin(
            entry_point.name,
            entry_point.value,
            dist.name if dist else "unknown",
            dist.version if dist else "unknown",
        )
        try:
            components = list(self._collect(entry_point, plugin))
        except (Exception, SystemExit) as error:  # a stranger's module may raise anything, and the rest must go on
            if self._strict:
                raise PluginError(_blame(plugin, error)) from error
            plugin = dataclasses.replace(plugin, error=_one_line(error))
            components = []
        self.plugins.append(plugin)
        self.components += components

    def _collect(self, entry_point: importlib.metadata.EntryPoint, plugin: Plugin) -> Iterator[Component]:
        module = entry_point.load()
        self._manager.register(module, name=entry_point.name)
        try:
            self._manager.check_pending()  # catches a misspelt hook name
        except pluggy.PluginValidationError:
            self._manager.unregister(module)
            raise
        others = [other for other in self._manager.get_plugins() if other is not module]
        for spec_type in SPECS.values():
            caller = self._manager.subset_hook_caller(f"ablate_{spec_type.kinds}", others)
            for offered in caller():
                for spec in offered:
                    if not isinstance(spec, spec_type):
                        raise TypeError(
                            f"ablate_{spec_type.kinds} yields {spec_type.__name__}, not {type(spec).__name__}"
                        )
                    yield Component(spec, plugin)

    def offered(self, kind: str) -> list[Component]:
        """Every component of a kind, by name."""
        return sorted((c for c in self.components if c.kind == kind), key=lambda c: c.spec.name)

    def names(self, kind: str) -> list[str]:
        """The names of a kind's components, sorted, each once."""
        return sorted({c.spec.name for c in self.offered(kind)})

    def component(self, kind: str, name: str) -> Component:
        """The component of that kind and name.

        Raises:
            UnknownName: nothing of that name, with a suggestion.
            PluginError: two plugins claim the name; both are named.
        """
        found = [c for c in self.offered(kind) if c.spec.name == name]
        if not found:
            raise UnknownName(kind, name, self.names(kind))
        if len(found) > 1:
            owners = " and ".join(f"plugin '{c.plugin.name}' of {c.plugin.distribution}" for c in found)
            raise PluginError(f"{kind} '{name}' is offered by {owners}; uninstall one of them")
        return found[0]

    def spec(self, kind: str, name: str) -> Any:
        """The record of that kind and name; raises like :meth:`component`."""
        return self.component(kind, name).spec

    def clashes(self) -> list[str]:
        """One line for each name that two plugins claim."""
        lines = []
        for kind in SPECS:
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
    """The registry of all installed plugins, loaded once for each process."""
    return Registry(strict=os.environ.get("ABLATE_STRICT_PLUGINS", "") not in ("", "0"))


def _one_line(error: BaseException) -> str:
    text = " ".join(str(error).split())
    return text if isinstance(error, AblateError) else f"{type(error).__name__}: {text}"


def _blame(plugin: Plugin, error: BaseException) -> str:
    return (
        f"plugin '{plugin.name}' ({plugin.module}, of {plugin.distribution} {plugin.version}) "
        f"failed to load: {_one_line(error)}"
    )
