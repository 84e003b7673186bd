"""The components and files that a stage uses, with their digests, as they are recorded with its result."""

from __future__ import annotations

import functools
import json
from typing import TYPE_CHECKING, Any

from ablate.errors import AblateError
from ablate.options import defaults
from ablate.study.plan.identity import components
from ablate.study.sources.files import FileDigests, named_paths
from ablate.study.sources.reach import SourceReader

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ablate.registry import Component, Registry
    from ablate.study.stage import Stage

#: The kinds of components of a training with which its weights are used.
_OF_WEIGHTS = ("tokenizer", "conditioner", "model")


class Sources:
    """Digests of what stages use, as it is while one command runs.

    Args:
        registry: the components.
    """

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._components = _components_of(registry)
        self._stages: dict[str, dict[str, Any]] = {}
        self.files = FileDigests()

    def of(self, stage: Stage) -> Mapping[str, Any]:
        """Return the facts of a stage, JSON-ready.

        ``components`` has for each one (``"model.lstm"``) its ``source`` by file, the ``unknown`` modules without a
        readable source, and the ``defaults`` of its options. ``files`` has for each file or folder that an option
        names its ``digest``, its ``stamp``, and the ``option``.
        """
        used = list(used_components(stage))
        key = json.dumps(used, sort_keys=True)
        if key not in self._stages:
            self._stages[key] = self._facts(used)
        return self._stages[key]

    def _facts(self, used: list[tuple[str, Mapping[str, Any]]]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        files: dict[str, Any] = {}
        for kind, choice in used:
            try:
                component = self._registry.component(kind, choice["name"])
            except AblateError:  # uninstalled; what needs it says so
                continue
            name = f"{kind}.{choice['name']}"
            found[name] = self._components.facts(component)
            # a corpus identifies its music itself
            options = choice["options"] if kind != "corpus" else {}
            for option, path in named_paths(options, component.spec.options):
                facts = self.files.of(path)
                if facts:
                    files[path] = {**facts, "option": f"{name}.{option}"}
        return {"components": found, "files": files}


class _Components:
    """The facts of components, each read once: this process has loaded them already."""

    def __init__(self) -> None:
        self._reader = SourceReader()
        self._known: dict[int, tuple[Component, dict[str, Any]]] = {}

    def facts(self, component: Component) -> dict[str, Any]:
        key = id(component.spec)
        if key not in self._known:
            source = self._reader.source(component)
            facts = {"source": source.files, "defaults": dict(defaults(component.spec.options))}
            unknown = {"unknown": list(source.unknown)} if source.unknown else {}
            self._known[key] = component, {**facts, **unknown}
        return self._known[key][1]


@functools.cache
def _components_of(registry: Registry) -> _Components:
    del registry
    return _Components()


def well_formed(facts: Mapping[str, Any]) -> bool:
    """Return whether facts from elsewhere are empty, or have the form that :meth:`Sources.of` gives."""
    components, files = facts.get("components"), facts.get("files")
    if not facts:
        return True
    if not isinstance(components, dict) or not isinstance(files, dict):
        return False
    return all(map(_is_component, components.values())) and all(map(_is_file, files.values()))


def _is_component(facts: Any) -> bool:
    return (
        isinstance(facts, dict)
        and isinstance(facts.get("source"), dict)
        and isinstance(facts.get("defaults"), dict)
        and isinstance(facts.get("unknown", []), list)
        and all(isinstance(each, str) for each in facts.get("unknown", []))
    )


def _is_file(facts: Any) -> bool:
    return isinstance(facts, dict) and all(isinstance(facts.get(key), str) for key in ("digest", "stamp", "option"))


def used_components(stage: Stage) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield the kind and the plain choice of each component that the work of a stage uses."""
    if "corpus" in stage.config:
        yield "corpus", stage.extra.get("corpus", {**stage.config["corpus"], "options": {}})
    yield from components(stage.config)
    if "weights" in stage.inputs:
        yield from (each for each in components(stage.inputs["weights"].config) if each[0] in _OF_WEIGHTS)
