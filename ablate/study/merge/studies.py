"""Join the records of a study from two homes: its runs, their states, and the looks at its verdicts."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from ablate.kinds import COLLECT, KINDS, PROGRAM, TRAIN, kind_of
from ablate.store.parts import SHARDS, joined_shards
from ablate.study.records import StudyRecords
from ablate.study.run.replicates import MOST

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from ablate.store.records import LookRecord, RunRecord, StudyRecord
    from ablate.store.store import Store

#: Parts of a study's record that are about the last command and its machine, and not about what is asked. Fingerprints
#: of the runs decide whether the music is the same.
_OF_THE_COMMAND = ("source", "file", "overrides", "profile", "corpus", "replicates", MOST, SHARDS)
#: The states of a run that is not done, the one to keep first.
_STATES = ("failed", "pruned", "interrupted", "pending")


def study_differences(here: StudyRecords, there: StudyRecords) -> list[str]:
    """Return a phrase for everything in which two studies of one name differ; empty if they are the same one.

    One of them may have more replicates.
    """
    found = ["the seed"] if here.study.seed != there.study.seed else []
    found += ["the variants"] if here.variants != there.variants else []
    one, other = ({**each.study.spec, **dict.fromkeys(_OF_THE_COMMAND)} for each in (here, there))
    keys = [key for key in dict.fromkeys([*one, *other]) if one.get(key) != other.get(key) and key != "seed"]
    found += [f"the settings {', '.join(keys)}"] if keys else []
    known = {(run.variant, run.replicate): run.stages for run in here.runs}
    others = sum(known.get((run.variant, run.replicate), run.stages) != run.stages for run in there.runs)
    found += [f"the stages of {others:,} run{'s' if others > 1 else ''}"] if others else []
    return found


def joined(here: StudyRecords | None, there: StudyRecords, finished: Collection[str]) -> StudyRecords:
    """Return the records of a study that two homes have, or one of them.

    Args:
        here: as the home has it that both become part of; None if it does not have it.
        there: as the other home has it.
        finished: the fingerprints of all stages that are in the database now.
    """
    both = [each for each in (here, there) if each]
    records: dict[tuple[str, int], list[RunRecord]] = {}
    for run in (run for each in both for run in each.runs):
        records.setdefault((run.variant, run.replicate), []).append(run)
    order = {variant.name: position for position, variant in enumerate(both[0].variants)}
    keys = sorted(records, key=lambda key: (order[key[0]], key[1]))
    runs = tuple(_run(records[key], finished) for key in keys)
    return StudyRecords(_study([each.study for each in both], runs), both[0].variants, runs, tuple(_looks(both)))


def _study(records: Sequence[StudyRecord], runs: Iterable[RunRecord]) -> StudyRecord:
    """Return the record of a study: that with the most replicates, or else that of the first home."""
    most = max(records, key=lambda record: record.spec.get("replicates", 0))
    spec: dict[str, Any] = {key: value for key, value in most.spec.items() if key not in (SHARDS, MOST)}
    stored = max(record.spec.get(MOST) or 0 for record in records)
    spec |= {MOST: stored} if stored > spec.get("replicates", 0) else {}
    if any(run.state in ("pending", "interrupted") for run in runs):
        spec |= joined_shards(record.spec for record in records)
    created = min((record.created for record in records if record.created), default=None)
    updated = max((record.updated for record in records if record.updated), default=None)
    return dataclasses.replace(most, spec=spec, created=created, updated=updated)


def _run(records: Sequence[RunRecord], finished: Collection[str]) -> RunRecord:
    """Return the record of a run, which is done if all its results are there."""
    first = records[0]
    kinds = {name: KINDS.get(kind_of(name)) for name in first.stages}
    goals = [f for name, f in first.stages.items() if (kind := kinds[name]) and kind.goal and kind.required]
    states: Mapping[str, RunRecord] = {record.state: record for record in reversed(records)}
    if all(f in finished for f in goals) if goals else "done" in states:
        return dataclasses.replace(first, state="done", error_class="", error="")
    kept = next((states[state] for state in _STATES if state in states), None)
    if kept is None or (kept.state == "interrupted" and not _started(first, finished)):
        return dataclasses.replace(first, state="pending", error_class="", error="")
    return dataclasses.replace(first, state=kept.state, error_class=kept.error_class, error=kept.error)


def _started(run: RunRecord, finished: Collection[str]) -> bool:
    """Return whether the training of a run is there, or what takes its place; unfinished ones are not merged."""
    return any(kind_of(name) in (TRAIN, PROGRAM, COLLECT) and f in finished for name, f in run.stages.items())


def _looks(both: Iterable[StudyRecords]) -> Iterator[LookRecord]:
    """Yield the looks of all homes, each once: those of the first home, then the others."""
    seen: list[LookRecord] = []
    for look in (look for each in both for look in each.looks):
        plain = dataclasses.replace(look, made=None)
        if plain not in seen:
            seen.append(plain)
            yield look


def write(store: Store, name: str, here: StudyRecords | None, wanted: StudyRecords) -> bool:
    """Write the records of a study to a database, if they differ from those that it has; return whether they did."""
    if here == wanted:
        return False
    known = {(run.variant, run.replicate): run for run in here.runs} if here else {}
    with store.transaction():
        store.put_study(wanted.study, wanted.variants, wanted.runs)
        for run in wanted.runs:
            before = known.get((run.variant, run.replicate))
            if before and before != run:  # a run that the database has keeps its state
                store.set_run(name, run.variant, run.replicate, run.state, run.error_class, run.error)
        for look in wanted.looks[len(here.looks) if here else 0 :]:
            store.put_look(name, look)
    return True
