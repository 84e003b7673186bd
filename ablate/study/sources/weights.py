"""Changes since a run was trained, for music that is generated with its weights."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ablate.kinds import FIT, LOAD, PREPARE, TRAIN
from ablate.study.sources.changes import changes_between
from ablate.study.sources.facts import Sources
from ablate.study.stage import Stage

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ablate.registry import Registry
    from ablate.store.store import Store

#: The kinds of components that make music from weights.
_OF_GENERATING = ("tokenizer", "conditioner", "model", "sampler")


def versions_since_training(store: Store, study: str, variant: str, replicate: int, registry: Registry) -> list[str]:
    """Return a line for each component of generating that has another version than in a run, or is not installed.

    These are the tokenizer, the conditioners, the model and the samplers.
    """
    runs = {(run.variant, run.replicate): run for run in store.runs(study)}
    run = runs.get((variant, replicate))
    lines: list[str] = []
    if run is None:
        return lines
    for kind in _OF_GENERATING:
        for choice in run.config.get(kind, ()):
            name, before = choice["name"], choice["version"]
            now = registry.spec(kind, name).version
            if now != before:
                lines.append(f"{kind} '{name}': version {before} then, {now} now")
    return lines


def changes_since_training(store: Store, study: str, variant: str, replicate: int, registry: Registry) -> list[str]:
    """Return a line for each component that has changed since a run was trained; nothing if there is no such run."""
    runs = {(run.variant, run.replicate): run for run in store.runs(study)}
    run = runs.get((variant, replicate))
    return list(dict.fromkeys(_lines(store, list(run.stages.items()), registry))) if run else []


def _lines(store: Store, stages: list[tuple[str, str]], registry: Registry) -> Iterator[str]:
    sources = Sources(registry)
    wanted = [fingerprint for name, fingerprint in stages if name in (LOAD, FIT, PREPARE, TRAIN)]
    for record in store.stages(wanted).values():
        if record.sources:
            sources.files.learn(record.sources["files"])
            now = sources.of(Stage(record.kind, record.config))
            for component, what in changes_between(record.sources, now):
                kind, _, name = component.partition(".")
                yield f"{kind} '{name}': {'; '.join(what)}"
