"""The source that a component uses: the definitions that its functions reach, in the plugin's own packages.

A component starts from the functions and classes of its record. From there, every name leads to its definition, and
every import to another module, as does a text with the name of a module of the package. So neither another component
in the same module nor the record's texts count. Where names cannot be followed (a closure, ``globals()``, a module that
is used as a whole), all of the module counts.
"""

from __future__ import annotations

import dataclasses
import functools
import hashlib
from typing import TYPE_CHECKING

from ablate.study.sources.modules import OwnPackages, find, is_shared, read
from ablate.study.sources.syntax import Import, ModuleSyntax

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ablate.registry import Component
    from ablate.study.sources.syntax import Statement

#: Stands for every name of a module.
ALL = "*"


@dataclasses.dataclass(frozen=True)
class Source:
    """The source of a component.

    Attributes:
        files: the digest of what it uses of each file, by the file's place in its source tree (``"pkg/network.py"``).
        unknown: the names of modules of its own without a source that can be read.
    """

    files: dict[str, str]
    unknown: tuple[str, ...]


class SourceReader:
    """Reads the sources of components; each module is read once."""

    def __init__(self) -> None:
        self._modules: dict[str, tuple[str, ModuleSyntax | None]] = {}

    def source(self, component: Component) -> Source:
        """Return the source of a component."""
        plugin = component.plugin
        roots = list(_roots(component))
        starts = [plugin.module.partition(":")[0], *(module for module, _ in roots if not is_shared(module))]
        owners = [OwnPackages(module, plugin.distribution) for module in dict.fromkeys(starts)]
        reach = _Reach(self, owners)
        for module, name in roots:
            reach.follow(module, name)
        return reach.source()

    def module(self, name: str) -> tuple[str, ModuleSyntax | None] | None:
        """Return the file and the syntax of a module; None if there is none, without syntax if it has no source."""
        if name not in self._modules:
            spec = find(name)
            if spec is None:
                return None
            is_package = spec.submodule_search_locations is not None
            source, syntax = read(spec), None
            if source is not None:
                try:
                    syntax = ModuleSyntax(name, source, is_package=is_package)
                except (SyntaxError, ValueError):  # it fails where it is used
                    syntax = None
            self._modules[name] = name.replace(".", "/") + ("/__init__.py" if is_package else ".py"), syntax
        return self._modules[name]


def _roots(component: Component) -> Iterator[tuple[str, str]]:
    """Yield the functions and classes of a component's record, as (module, name)."""
    module = component.plugin.module.partition(":")[0]
    for field in dataclasses.fields(component.spec):
        value = getattr(component.spec, field.name)
        if not callable(value):
            continue
        while isinstance(value, functools.partial):
            yield module, ALL  # its arguments are wherever it was made
            value = value.func
        if not hasattr(value, "__qualname__"):
            yield module, ALL
            value = type(value)
        name = value.__qualname__.partition(".")[0]
        # a function that was made in another one may use anything in there
        yield value.__module__ or module, ALL if "<" in value.__qualname__ else name


class _Reach:
    """The definitions that were reached so far."""

    def __init__(self, reader: SourceReader, owners: list[OwnPackages]) -> None:
        self._reader, self._owners = reader, owners
        self._followed: set[tuple[str, str]] = set()
        self._reached: dict[str, dict[int, Statement]] = {}
        self._unknown: set[str] = set()
        self._waiting: list[tuple[str, str]] = []

    def follow(self, module: str, name: str) -> None:
        """Reach a name of a module, and all that it uses."""
        self._waiting.append((module, name))
        while self._waiting:
            self._visit(*self._waiting.pop())

    def source(self) -> Source:
        """Return the digests of what was reached."""
        files = {}
        for module, reached in self._reached.items():
            found = self._reader.module(module)
            if found and reached:
                always = [s.digest for s in reached.values() if not s.names]
                # the order of definitions has no meaning
                named = sorted(s.digest for s in reached.values() if s.names)
                files[found[0]] = hashlib.sha256("\n".join([*always, "", *named]).encode()).hexdigest()[:16]
        return Source(dict(sorted(files.items())), tuple(sorted(self._unknown)))

    def _visit(self, module: str, name: str) -> None:
        if (module, name) in self._followed or not any(owner.has(module) for owner in self._owners):
            return
        self._followed.add((module, name))
        found = self._reader.module(module)
        if found is None:
            return
        syntax = found[1]
        if syntax is None:
            self._unknown.add(module)
            return
        if module not in self._reached:
            self._begin(module, syntax)
        self._name(syntax, name if syntax.plain or not name else ALL)

    def _begin(self, module: str, syntax: ModuleSyntax) -> None:
        """Reach what happens when a module is imported: the statements that define nothing, here and in its parents."""
        self._reached[module] = {}
        parent = module.rpartition(".")[0]
        self._waiting += [(parent, "")] if parent else []
        self._waiting += [(each.module, "") for targets in syntax.imported.values() for each in targets]
        for statement in syntax.statements:
            if not statement.names or any(self._is_own(syntax, name) for name in statement.decorators):
                self._include(syntax, statement)

    def _is_own(self, syntax: ModuleSyntax, name: str) -> bool:
        imported = syntax.imported.get(name, [])
        owned = (owner.has(each.module) for each in imported for owner in self._owners)
        return any(owned) if imported else name in syntax.by_name

    def _name(self, syntax: ModuleSyntax, name: str) -> None:
        if name == ALL:
            for statement in syntax.statements:
                self._include(syntax, statement)
            for module in syntax.starred:
                self._waiting.append((module, ALL))
            for targets in syntax.imported.values():  # which others may take from it
                self._import(*targets)
            return
        for statement in syntax.by_name.get(name, []):
            self._include(syntax, statement)
        # a package may import a submodule from itself
        targets = [target for target in syntax.imported.get(name, []) if target != Import(syntax.name, name)]
        self._import(*targets)
        if name and name not in syntax.by_name and not targets:
            self._waiting += [(module, name) for module in syntax.starred]
            if self._reader.module(f"{syntax.name}.{name}"):
                self._waiting.append((f"{syntax.name}.{name}", ALL))

    def _import(self, *targets: Import) -> None:
        self._waiting += [(target.module, target.name or ALL) for target in targets]

    def _load(self, syntax: ModuleSyntax, text: str) -> None:
        """Reach a module of the same package that is named by a text, as :func:`importlib.import_module` takes it."""
        name = syntax.absolute(text.partition(":")[0])
        if name.partition(".")[0] == syntax.name.partition(".")[0] and self._reader.module(name):
            self._waiting.append((name, ALL))

    def _include(self, syntax: ModuleSyntax, statement: Statement) -> None:
        reached = self._reached[syntax.name]
        if id(statement) in reached:
            return
        reached[id(statement)] = statement
        for node in statement.imports:
            for _, target in syntax.targets(node):
                self._import(target)
        for module in statement.modules:
            self._load(syntax, module)
        for name in statement.uses:
            if name in syntax.by_name or name in syntax.imported:
                self._name(syntax, name)
            elif syntax.starred:
                self._waiting += [(module, name) for module in syntax.starred]
