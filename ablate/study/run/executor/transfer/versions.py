"""The versions that decide results, and the plugins: those of workers must be those of the driver."""

from __future__ import annotations

import functools
import importlib.metadata
import platform
import socket
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ablate.registry import Registry

_PYTHON, _TORCH, _ABLATE = "Python", "torch", "ablate-music"


def needed_versions(registry: Registry) -> dict[str, str]:
    """Return the versions of Python, torch, ablate, and the distributions of the plugins that could be loaded."""
    plugins = {plugin.distribution for plugin in registry.plugins if not plugin.error}
    return _versions((_PYTHON, _TORCH, _ABLATE, *sorted(plugins - {"unknown"})))


def difference(needed: Mapping[str, str]) -> str:
    """Return how this worker differs from its driver, as a sentence; empty if it does not."""
    here = _cached(tuple(needed))
    texts = [
        f"{name} {here[name]} and not {version}" if here[name] else f"no {name} ({version} is needed)"
        for name, version in needed.items()
        if here[name] != version
    ]
    where = f"the worker on {socket.gethostname()} has {', '.join(texts)}"
    return f"{where}; install there what this machine has, so that results are equal" if texts else ""


def not_loaded(registry: Registry, loaded: Iterable[str]) -> str:
    """Return, as a sentence, which plugin this worker cannot load; empty if it loads all that it needs.

    Args:
        registry: loaded here.
        loaded: the names of the plugins that the driver has loaded.
    """
    needed = set(loaded)
    for plugin in registry.failed:
        if plugin.name in needed:
            return f"the worker on {socket.gethostname()} cannot load plugin '{plugin.name}': {plugin.error}"
    return ""


@functools.cache
def processor() -> str:
    """Return what decides the last bits of results on a CPU: its model, and the instructions that torch uses."""
    import torch

    return f"{_model()}, {torch.backends.cpu.get_cpu_capability()}"


def _model() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").split("\n")
    except OSError:
        lines = []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, "") or platform.processor() or platform.machine()


@functools.lru_cache(maxsize=4)
def _cached(names: tuple[str, ...]) -> dict[str, str]:
    return _versions(names)


def _versions(names: Iterable[str]) -> dict[str, str]:
    return {name: _version(name) for name in names}


def _version(name: str) -> str:
    """Return a version; empty where nothing of this name is installed."""
    if name == _PYTHON:
        return f"{sys.version_info.major}.{sys.version_info.minor}"
    if name == _TORCH:
        import torch

        return str(torch.__version__)
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return ""
