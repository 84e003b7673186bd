"""The study that a study would replace: an earlier one of its name, with other axes, another seed or another file."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ablate.names import level_name, same
from ablate.study.file.configuration import SECTIONS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ablate.store.records import StudyRecord
    from ablate.store.store import Store
    from ablate.study.plan.layout import Layout

#: The most settings that are named.
MOST_SETTINGS = 4


@dataclasses.dataclass(frozen=True)
class Replaced:
    """An earlier study of the same name whose results would no longer be shown; they are kept.

    Attributes:
        changes: what differs, a phrase each, the reasons to ask first.
        runs: the number of finished runs that are no longer shown.
        another: whether it is another study rather than a new state of the same: another file, or other axes.
    """

    changes: tuple[str, ...]
    runs: int
    another: bool


def replaced(layout: Layout, store: Store) -> Replaced | None:
    """Return what a study would take the place of; None where nothing that is shown would disappear.

    A study file that has only moved, or that got more levels, metrics or replicates, replaces nothing. Fewer replicates
    are not counted: see :func:`ablate.study.run.replicates.kept_replicates`.
    """
    spec, new = layout.spec, layout.plain()
    known = next((study for study in store.studies() if study.name == spec.name), None)
    if known is None or spec.elsewhere or "judged" in known.spec or "judged" in new:
        return None
    asked = [*_axes(known.spec, new)]
    changes = [*_levels(known.spec, new), *_seed(known, spec.seed), *_metrics(known.spec, new)]
    changes += [*_settings(known.spec, new), *_design(known.spec, new)]
    lost = _lost(layout, store) if asked or changes else 0
    if not lost:
        return None
    files = [_file(known.spec), _file(new)]
    if files[0] and files[0] != files[1]:
        asked.insert(0, f"file {files[1]} (was {files[0]})")
    return Replaced((*asked, *changes), lost, bool(asked))


def _lost(layout: Layout, store: Store) -> int:
    """Return the number of finished runs with other variants, or with other stages than those of the layout."""
    runs = {(run.variant.name, run.replicate): run.stages.fingerprints() for run in layout.runs}
    replicates = {replicate for _, replicate in runs}
    done = [run for run in store.runs(layout.spec.name) if run.state == "done" and run.replicate in replicates]
    return sum(runs.get((run.variant, run.replicate)) != run.stages for run in done)


def _axes(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[str]:
    before, now = list(old.get("axes", {})), list(new["axes"])
    if sorted(before) != sorted(now):
        yield f"axes {', '.join(now) or 'none'} (were {', '.join(before) or 'none'})"


def _levels(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[str]:
    """Yield the levels of each axis that are no longer there, and named variants that are others."""
    before, now = old.get("axes", {}), new["axes"]
    for axis in (each for each in now if each in before and before[each] != now[each]):
        one, other = (own if isinstance(own, list) else own.get("levels") for own in (before[axis], now[axis]))
        if one is None or other is None:
            yield f"another range of {axis}"
            continue
        gone = [level_name(level) for level in one if not any(same(level, each) for each in other)]
        if gone:
            yield f"{axis} without {', '.join(gone)}"
    variants = new.get("variants", {})
    changed = [name for name, own in old.get("variants", {}).items() if name in variants and variants[name] != own]
    if changed:
        yield f"other settings of the variants {', '.join(changed)}"


def _design(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[str]:
    if old.get("design") != new["design"]:
        yield f"design {new['design']} (was {old.get('design')})"
    elif new["design"] == "path" and (old.get("path"), old.get("baseline")) != (new.get("path"), new["baseline"]):
        yield "another path"
    elif new["design"] not in ("factorial", "search") and old.get("baseline") != new["baseline"]:
        yield "another baseline"


def _seed(known: StudyRecord, seed: int) -> Iterator[str]:
    if known.seed != seed:
        yield f"seed {seed} (was {known.seed})"


def _metrics(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[str]:
    gone = [name for name in _names(old.get("metric")) if name not in _names(new.get("metric"))]
    if gone:
        yield f"without the metrics {', '.join(gone)}"


def _names(metrics: Any) -> list[str]:
    return [metrics] if isinstance(metrics, str) else [str(name) for name in metrics or ()]


def _settings(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """Return a phrase about the settings outside the axes that differ, if any do."""
    names = [
        f"{section}.{key}"
        for section in SECTIONS
        if section not in ("metric", "corpus")
        for key in _differing(old.get(section), new.get(section))
    ]
    more = f" and {len(names) - MOST_SETTINGS} more" if len(names) > MOST_SETTINGS else ""
    return [f"other settings: {', '.join(names[:MOST_SETTINGS])}{more}"] if names else []


def _differing(old: Any, new: Any) -> list[str]:
    if old == new:
        return []
    one, other = (value if isinstance(value, dict) else {str(value): None} for value in (old or {}, new or {}))
    return [
        key for key in dict.fromkeys([*one, *other]) if key not in one or key not in other or one[key] != other[key]
    ]


def _file(spec: Mapping[str, Any]) -> str:
    """Return the path of a study's file, which is relative in databases of older versions; empty without one."""
    folder, source = (spec.get("file") or {}).get("folder", ""), str(spec.get("source", ""))
    return str(Path(folder, Path(source).name)) if folder else source
