"""The components and packages that a study was run with, and a lock of all packages they need."""

from __future__ import annotations

import importlib.metadata
import re
from typing import TYPE_CHECKING, Any

from ablate.errors import UnknownName
from ablate.specs import SPECS
from ablate.study.run.provenance import environment

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from ablate.registry import Registry
    from ablate.store.records import RunRecord, StageRecord

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


def components(runs: Iterable[RunRecord], registry: Registry) -> list[dict[str, Any]]:
    """Return the components of a study's runs: kind, name, version, and the distribution that offers each here."""
    used = {
        (kind, choice["name"], choice["version"])
        for run in runs
        for kind in SPECS
        for choice in _choices(run.config.get(kind, []))
    }
    return [
        {"kind": kind, "name": name, "version": version, **_distribution(kind, name, registry)}
        for kind, name, version in sorted(used)
    ]


def _choices(value: Any) -> list[Mapping[str, Any]]:
    return [each for each in value if isinstance(each, dict) and {"name", "version"} <= each.keys()]


def _distribution(kind: str, name: str, registry: Registry) -> dict[str, str]:
    try:
        plugin = registry.component(kind, name).plugin
    except UnknownName:
        return {"distribution": "not installed", "distribution_version": ""}
    return {"distribution": plugin.distribution, "distribution_version": plugin.version}


def packages(stages: Iterable[StageRecord], registry: Registry) -> dict[str, str]:
    """Return the packages that computed the results with their versions; the latest one where there are several.

    Without any stage, as in a study of results from elsewhere, those of this machine.
    """
    found = dict(environment(registry)["packages"])
    for stage in sorted(stages, key=lambda stage: str(stage.finished)):
        found |= stage.environment.get("packages", {})
    return {name: version for name, version in sorted(found.items()) if version not in ("not installed", "unknown")}


def requirements(used: Mapping[str, str], components: Iterable[Mapping[str, Any]]) -> str:
    """Return a lock for ``pip install -r``: the packages used, and everything that they need here.

    Packages that computed the results have the version that they had then, the others the one that is installed here.
    A local version (``2.13.0+cpu``) is written without its local part, which no index offers.
    """
    roots = {"ablate-music", *(each["distribution"] for each in components)} & used.keys()
    versions = {_normal(name): (name, version) for name, version in _needed(roots)}
    for name, version in used.items():
        if _normal(name) in versions:
            versions[_normal(name)] = (name, version)
    lines = [f"{name}=={version.partition('+')[0]}" for name, version in sorted(versions.values(), key=_by_name)]
    return "# pip install -r requirements.txt\n" + "".join(f"{line}\n" for line in lines)


def _by_name(pair: tuple[str, str]) -> str:
    return pair[0].lower()


def _needed(roots: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Yield the installed distributions that these need, and these, with their versions."""
    waiting, seen = sorted(roots), set()
    while waiting:
        name = waiting.pop()
        if _normal(name) in seen:
            continue
        seen.add(_normal(name))
        try:
            distribution = importlib.metadata.distribution(name)
        except importlib.metadata.PackageNotFoundError:
            continue  # for another system or version of Python
        yield distribution.name, distribution.version
        for requirement in distribution.requires or ():
            needed, _, marker = requirement.partition(";")
            match = _NAME.match(needed)
            if match and "extra ==" not in marker.replace("extra==", "extra =="):
                waiting.append(match[0])


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
