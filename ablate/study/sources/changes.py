"""Find results that would be reused although what they were computed with has changed under an equal fingerprint."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from ablate.kinds import TRAIN
from ablate.names import same
from ablate.options import shown
from ablate.study.sources.started import read_started
from ablate.study.stage import checkpoint_path

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from ablate.study.plan.plan import Plan
    from ablate.study.sources.facts import Sources
    from ablate.study.stage import Stage


@dataclasses.dataclass(frozen=True)
class Change:
    """Something that has changed since results were computed with it.

    Attributes:
        component: that it belongs to (``"model.lstm"``).
        what: the file of its source, the file that one of its options names, or the default that has changed.
        stages: fingerprints of the stages that were computed with it.
    """

    component: str
    what: tuple[str, ...]
    stages: tuple[str, ...]


@dataclasses.dataclass(frozen=True)
class Comparison:
    """The results of a plan that would be reused, compared with the present.

    Attributes:
        changes: one for each component that has changed.
        stages: fingerprints of the finished stages that used one of them, or that depend on such a stage.
        seconds: that these stages took.
        unfinished: fingerprints of trainings whose checkpoint was written with something that has changed.
        unknown: the number of finished stages of which nothing is recorded.
        unreadable: for each component whose source cannot be read, its modules.
    """

    changes: tuple[Change, ...] = ()
    stages: frozenset[str] = frozenset()
    seconds: float = 0.0
    unfinished: frozenset[str] = frozenset()
    unknown: int = 0
    unreadable: Mapping[str, tuple[str, ...]] = dataclasses.field(default_factory=dict)


def compare(plan: Plan, sources: Sources, home: Path) -> Comparison:
    """Compare what the reused stages of a plan, and its unfinished trainings, used with the present.

    Args:
        plan: the stages to run and to reuse.
        sources: of the present.
        home: the folder for files, with the checkpoints.
    """
    stages = plan.layout.stages()
    recorded: dict[str, Mapping[str, Any]] = {f: record.sources for f, record in plan.reused.items()}
    recorded |= {f: started for f, stage in plan.missing.items() if (started := _started(stage, home))}
    found: dict[tuple[int, int], dict[str, tuple[str, ...]]] = {}
    users: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    unreadable: dict[str, tuple[str, ...]] = {}
    direct: set[str] = set()
    for fingerprint, before in recorded.items():
        if not before:
            continue
        sources.files.learn(before["files"])
        now = sources.of(stages[fingerprint])
        key = id(before), id(now)  # many stages have the same facts
        if key not in found:
            found[key] = dict(changes_between(before, now))
            unreadable |= _unreadable(before, now)
        for component, what in found[key].items():
            users.setdefault((component, what), []).append(fingerprint)
            direct.add(fingerprint)
    affected = with_dependents(stages, direct)
    reused = frozenset(affected & plan.reused.keys())
    return Comparison(
        changes=tuple(Change(component, what, tuple(each)) for (component, what), each in users.items()),
        stages=reused,
        seconds=sum(plan.reused[fingerprint].seconds for fingerprint in reused),
        unfinished=frozenset(direct - plan.reused.keys()),
        unknown=sum(not record.sources for record in plan.reused.values()),
        unreadable=unreadable,
    )


def _started(stage: Stage, home: Path) -> Mapping[str, Any] | None:
    """Return what an unfinished training was started with; None if there is no checkpoint, or nothing is recorded."""
    if stage.kind != TRAIN or not (home / checkpoint_path(stage.fingerprint)).exists():
        return None
    return read_started(home, stage.fingerprint)


def with_dependents(stages: Mapping[str, Stage], chosen: set[str]) -> set[str]:
    """Return the chosen stages with all that depend on them.

    Args:
        stages: by fingerprint, inputs before outputs.
        chosen: fingerprints among them.
    """
    found = set(chosen)
    for fingerprint, stage in stages.items():
        if any(source.fingerprint in found for source in stage.inputs.values()):
            found.add(fingerprint)
    return found


def changes_between(before: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield each component that differs in the facts of :meth:`Sources.of`, with what differs."""
    files = dict(_changed_files(before["files"], now["files"]))
    for name, component in before["components"].items():
        present = now["components"].get(name)
        if present is None:
            continue  # uninstalled, or the stage does not use it any more
        what = [*_changed_source(component["source"], present["source"])]
        what += _changed_defaults(component["defaults"], present["defaults"])
        what += files.get(name, [])
        if what:
            yield name, tuple(what)


def _changed_source(before: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    return sorted(file for file in {*before, *now} if before.get(file) != now.get(file))


def _changed_defaults(before: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[str]:
    """Yield the options whose default is another one; an added option changes nothing."""
    for name in before.keys() & now.keys():
        if not same(before[name], now[name]):
            yield f"default of {name}, {shown(before[name])} before and {shown(now[name])} now"


def _changed_files(before: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[tuple[str, list[str]]]:
    """Yield the component of each file that differs, with a text."""
    by_component: dict[str, list[str]] = {}
    for path in sorted({*before, *now}):
        one, other = before.get(path), now.get(path)
        if (one or {}).get("digest") != (other or {}).get("digest"):
            component, _, option = {**(other or {}), **(one or {})}["option"].rpartition(".")
            gone = "" if other else ", which is gone"
            by_component.setdefault(component, []).append(f"{path} (its option {option}{gone})")
    yield from by_component.items()


def _unreadable(before: Mapping[str, Any], now: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    """Return the components with modules whose source could not be read, then or now."""
    every = [*before["components"].items(), *now["components"].items()]
    return {name: tuple(component["unknown"]) for name, component in every if component.get("unknown")}
