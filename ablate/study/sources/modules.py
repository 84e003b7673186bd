"""Find modules, and read their source, without importing anything."""

from __future__ import annotations

import importlib.machinery
import importlib.metadata
import importlib.util
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from importlib.machinery import ModuleSpec

#: Folders of installed distributions; several of them share one.
_SHARED = ("site-packages", "dist-packages")
#: The package of the core: what it computes has the versions of :mod:`ablate.kinds`.
_CORE = "ablate"


def find(name: str) -> ModuleSpec | None:
    """Return the spec of a module; None if there is no such module."""
    loaded = sys.modules.get(name)
    known = getattr(loaded, "__spec__", None)
    if isinstance(known, importlib.machinery.ModuleSpec):
        return known
    parent = name.rpartition(".")[0]
    try:
        if not parent:
            return importlib.util.find_spec(name)
        above = find(parent)
        # importlib.util.find_spec would import the parent
        locations = above.submodule_search_locations if above else None
        return importlib.machinery.PathFinder.find_spec(name, locations) if locations is not None else None
    except (ImportError, ValueError):
        return None


def read(spec: ModuleSpec) -> bytes | str | None:
    """Return the source of a module, also of one in an archive; empty for a folder without one, None if unknown."""
    if spec.origin is None or spec.loader is None:
        return "" if spec.submodule_search_locations is not None else None
    if spec.origin.endswith(".py"):
        try:
            return Path(spec.origin).read_bytes()
        except OSError:
            pass  # in an archive
    try:
        source: str | None = spec.loader.get_source(spec.name)  # type: ignore[attr-defined]
    except (AttributeError, ImportError, OSError, SyntaxError):
        return None
    return source


class OwnPackages:
    """Decides which modules belong to a plugin: those of its package, and of packages in the same source tree.

    In a folder that distributions share, these are the packages of the plugin's distribution. Everything else has
    versions of its own, which are recorded with each result.

    Args:
        module: one of the plugin's modules.
        distribution: the name of the plugin's distribution.
    """

    def __init__(self, module: str, distribution: str) -> None:
        self._top = module.partition(".")[0]
        self._distribution = distribution
        self._folder = _folder(self._top)
        self._known: dict[str, bool] = {self._top: True, _CORE: False}

    def has(self, module: str) -> bool:
        """Return whether a module belongs to the plugin."""
        top = module.partition(".")[0]
        if top not in self._known:
            self._known[top] = self._is_own(top)
        return self._known[top]

    def _is_own(self, top: str) -> bool:
        if top in sys.stdlib_module_names or self._folder is None or _folder(top) != self._folder:
            return False
        return self._folder.name not in _SHARED or top in self._distributed()

    def _distributed(self) -> set[str]:
        """Return the names at the top of the plugin's distribution."""
        try:
            files = importlib.metadata.files(self._distribution) or []
        except importlib.metadata.PackageNotFoundError:
            return set()
        return {file.parts[0].removesuffix(".py") for file in files}


def is_shared(module: str) -> bool:
    """Return whether a module is of Python or ablate itself, or in a folder that distributions share."""
    top = module.partition(".")[0]
    folder = _folder(top)
    return top == _CORE or top in sys.stdlib_module_names or folder is None or folder.name in _SHARED


def _folder(top: str) -> Path | None:
    """Return the folder that holds a package or a single module; None if it is not known."""
    spec = find(top)
    if spec is None:
        return None
    if spec.submodule_search_locations:
        return Path(next(iter(spec.submodule_search_locations))).parent
    return Path(spec.origin).parent if spec.has_location and spec.origin else None
