"""The components of all plugins.

Plugins are the entry points of the group ``ablate``; our own are found in the same way as all others. A plugin that
fails to load or breaks its contract is recorded with its distribution and error, and the others are loaded; with
``ABLATE_STRICT_PLUGINS=1`` the first failure is raised.
"""

from __future__ import annotations

import dataclasses
import functools
import importlib.metadata
import logging
import sys
from typing import TYPE_CHECKING, Any

from ablate.errors import AblateError, PluginError, UnknownName, named_line, one_line
from ablate.interrupts import is_ctrl_c
from ablate.printable import printable
from ablate.registry.choice import PLUGINS, in_order, installed, is_strict
from ablate.registry.collect import collect
from ablate.registry.trial import is_possible, seconds_to_load, try_to_load
from ablate.specs import ALL_SPECS, DEFAULTED, ComponentSpec
from ablate.stdout import divert_prints
from ablate.surroundings import kept_while_loading

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

#: Our own distribution, whose plugins are loaded without a trial.
OWN = "ablate-music"
#: The most plugins that a message about a component names.
FEW = 3

_log = logging.getLogger(__name__)


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
        refused: the error of each entry point that is not to be loaded, by its name and value.
        left_out: the names of the plugins that the person has left out, for messages.
        origins: the name and version of the distribution of each entry point, by its name and value, where the entry
            points come from another process.
    """

    def __init__(
        self,
        entry_points: Iterable[importlib.metadata.EntryPoint] | None = None,
        *,
        strict: bool = False,
        refused: Mapping[tuple[str, str], str] | None = None,
        left_out: Sequence[str] = (),
        origins: Mapping[tuple[str, str], tuple[str, str]] | None = None,
    ) -> None:
        self._strict, self._refused, self._left_out = strict, dict(refused or {}), tuple(left_out)
        self.plugins: list[Plugin] = []
        self.components: list[Component] = []
        self._distributions: dict[int, tuple[str, str]] = {}
        self._origins = dict(origins or {})
        self._entry_points = in_order(installed().loaded if entry_points is None else entry_points)
        for entry_point in self._entry_points:
            self._load(entry_point)
        if strict and self.clashes():
            raise PluginError("\n".join(self.clashes()))

    def __reduce__(self) -> tuple[Any, ...]:
        origins = {(each.name, each.module): (each.distribution, each.version) for each in self.plugins}
        facts: dict[str, Any] = {"strict": self._strict, "refused": self._refused, "left_out": self._left_out}
        # without their distributions, which are folders of this machine
        plain = [importlib.metadata.EntryPoint(each.name, each.value, each.group) for each in self._entry_points]
        return functools.partial(Registry, **facts, origins=origins), (plain,)

    def _load(self, entry_point: importlib.metadata.EntryPoint) -> None:
        plugin = Plugin(entry_point.name, entry_point.value, *self._distribution(entry_point))
        try:
            specs = self._collect(entry_point)
        except BaseException as error:  # a plugin may raise anything, and the others must load
            if is_ctrl_c(error):
                raise
            plugin = dataclasses.replace(plugin, error=_message(error))
            if self._strict:
                raise PluginError(f"{plugin} failed to load: {plugin.error}") from error
            specs = []
        for spec in specs:
            object.__setattr__(spec, "plugin", plugin.name)
        self.plugins.append(plugin)
        self.components += [Component(spec, plugin) for spec in specs]

    def _collect(self, entry_point: importlib.metadata.EntryPoint) -> list[ComponentSpec]:
        refusal = self._refused.get((entry_point.name, entry_point.value))
        if refusal is not None:
            raise PluginError(refusal)
        with kept_while_loading():
            return collect(entry_point.load())

    def _distribution(self, entry_point: importlib.metadata.EntryPoint) -> tuple[str, str]:
        """Return the name and version of a plugin's distribution; each is read once, because parsing takes time."""
        origin = self._origins.get((entry_point.name, entry_point.value))
        if origin:
            return origin
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
        candidates = [c for c in self.components if c.spec.name == name and c.kind == kind]
        if not candidates:
            raise UnknownName(kind, name, self.names(kind), self._hint())
        if len(candidates) > 1:
            owners = " and ".join(str(c.plugin) for c in candidates)
            raise PluginError(f"{kind} '{name}' is offered by {owners}; uninstall one of them")
        return candidates[0]

    def _hint(self) -> str:
        """Return the plugins that could not be loaded: a missing component may be one of theirs."""
        failed, left_out = _counted([plugin.name for plugin in self.failed]), _counted(self._left_out)
        hints = [f"Not loaded, see ablate plugin list: {failed}"] if failed else []
        hints += [f"Left out by {PLUGINS}, see ablate plugin list --installed: {left_out}"] if left_out else []
        return ". ".join(hints)

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
            names, hint = self.names(kind), self._hint()
            what = f"; name one in the study file (offered: {', '.join(names)})" if names else ", and none is offered"
            raise PluginError(f"no installed {kind} is the default{what}{f'. {hint}' if hint else ''}")
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
    """Return the registry of the chosen plugins, loaded once for each process.

    Raises:
        UsageError: an environment variable has a value that it cannot have.
        PluginError: a plugin failed, and ``ABLATE_STRICT_PLUGINS`` is on.
    """
    strict, chosen = is_strict(), installed()
    divert_prints()
    left_out = [each.name for each in chosen.left_out]
    return Registry(chosen.loaded, strict=strict, refused=_refused(chosen.loaded), left_out=left_out)


def _refused(entry_points: Sequence[importlib.metadata.EntryPoint]) -> dict[tuple[str, str], str]:
    """Return the errors of the plugins that hang or end their process while they are loaded, and say so."""
    foreign = [each for each in entry_points if each.dist is not None and each.dist.name != OWN]
    foreign = [each for each in foreign if each.module not in sys.modules]
    if not foreign or not is_possible():
        return {}
    refused = {}
    for index, problem in try_to_load(foreign, seconds_to_load()).items():
        name, value = foreign[index].name, foreign[index].value
        refused[name, value] = f"{problem}; {PLUGINS}=-{name} leaves it out without a trial"
        _log.warning("plugin '%s' (%s) is left out: %s", printable(name), printable(value), refused[name, value])
    return refused


def _counted(names: Sequence[str]) -> str:
    """Return the names of a few plugins, or the number of many: a file may have many problems with one reason."""
    return f"{len(names)} plugins" if len(names) > FEW else ", ".join(f"'{name}'" for name in names)


def _message(error: BaseException) -> str:
    """Return the message, with the name of its class unless it is one of ablate's own errors."""
    return one_line(error) if isinstance(error, AblateError) else named_line(error)
