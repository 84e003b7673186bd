"""Record the environment of a result: versions, machine, git state."""

from __future__ import annotations

import functools
import importlib.metadata
import platform
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ablate.registry import Registry

#: Packages whose version can change a number.
PACKAGES = ("ablate-music", "torch", "numpy", "scipy", "pretty_midi", "optuna", "sqlalchemy", "safetensors")


@functools.cache
def environment(registry: Registry) -> dict[str, Any]:
    """Return the versions of packages and plugins, Python, platform, and the git state of the working folder."""
    distributions = {plugin.distribution for plugin in registry.plugins} - {"unknown"}
    packages = sorted({*PACKAGES, *distributions})
    return {
        "packages": {name: _version(name) for name in packages},
        "python": platform.python_version(),
        "platform": platform.platform(),
        "git": _git(),
    }


def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "not installed"


def _git() -> dict[str, Any]:
    """Return the commit of the working folder and whether it has changes; empty without git or a repository."""
    try:
        commit = _ask_git("rev-parse", "HEAD")
        changes = _ask_git("status", "--porcelain")
    except (OSError, subprocess.SubprocessError):
        return {}
    return {"commit": commit, "dirty": bool(changes)}


def _ask_git(*words: str) -> str:
    command = ["git", *words]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=10, cwd=Path.cwd())  # noqa: S603
    return done.stdout.strip()
