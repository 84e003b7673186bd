"""Bring homes together: their results first, then their studies, whose runs are done where all results are there."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from ablate.digests import home_words
from ablate.errors import HomeError, StoreError, UsageError, one_line
from ablate.home import DATABASE
from ablate.printable import printable
from ablate.store.database.address import home_url
from ablate.store.store import Store
from ablate.study.design import ADAPTIVE
from ablate.study.merge.outcome import Conflict, Merged
from ablate.study.merge.stages import StageMerger
from ablate.study.merge.studies import joined, study_differences, write
from ablate.study.records import StudyRecords
from ablate.study.run.home import only_command
from ablate.study.trials.transfer import put_trials, trials_to_plain

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


def merge_homes(sources: Sequence[Path], home: Path, url: str) -> Merged:
    """Bring homes together in one; those that are merged are only read.

    Args:
        sources: the homes to merge.
        home: the home that gets everything; it exists.
        url: its database.

    Raises:
        UsageError: a home would be merged into itself.
        HomeError: one of the homes has no database, the home is in use by another command, or cannot be written.
        StoreError: a database cannot be opened, or has rows that cannot be used. Nothing is merged then.
    """
    places: dict[Path, str] = {}
    for given in sources:
        places.setdefault(given.resolve(), str(given))
    if home.resolve() in places:
        raise UsageError(
            f"{printable(places[home.resolve()])} is the home to merge into; leave it out, or choose --home"
        )
    for place, shown in places.items():
        _check_source(place, shown)
    merged = Merged()
    with contextlib.ExitStack() as stack:
        stack.enter_context(only_command(home, url, "db merge", whole=True))
        store = stack.enter_context(Store(url))
        try:
            for place, shown in places.items():
                with Store(home_url(place), writing=False) as source:
                    StageMerger(source, place, shown, store, home).merge(merged)
            for place, shown in places.items():
                with Store(home_url(place), writing=False) as source:
                    _merge_studies(source, shown, store, merged)
        except OSError as error:
            raise HomeError(
                f"cannot write to {home} ({error.strerror or error}); what was merged is kept, and the same command "
                "continues"
            ) from error
    return merged


def _check_source(place: Path, shown: str) -> None:
    """Check that a home can be read from its first to its last row, before anything is written.

    Raises:
        HomeError, StoreError: it cannot; in one line with the home.
    """
    if not (place / DATABASE).is_file():
        inside = sum(1 for _ in place.glob(f"*/{DATABASE}")) if place.is_dir() else 0
        advice = f"name the {inside} homes in it ({printable(shown)}/*)" if inside > 1 else "nothing was merged"
        raise HomeError(f"{printable(shown)} is no home with results: it has no {DATABASE}; {advice}")
    with Store(home_url(place), writing=False) as source:
        problem = next(source.row_problems(), None)
    if problem:
        raise StoreError(f"{printable(shown)}: {problem}; nothing was merged; see: ablate db check{home_words(place)}")


def _merge_studies(source: Store, shown: str, store: Store, merged: Merged) -> None:
    """Join the studies of a home with those of the same name; the results of all homes were merged before."""
    finished = set(store.stage_inputs())
    for record in source.studies():
        name, there = record.name, StudyRecords.read(source, record.name)
        here = StudyRecords.read(store, name) if store.has_study(name) else None
        different = study_differences(here, there) if here else []
        if different:
            problem = (
                f"it differs from the study of this name in {' and '.join(different)}; its results are merged, but not "
                "its records: run it there under another --name"
            )
            merged.conflicts.append(Conflict(shown, "study", "", (name,), problem))
            continue
        wanted = joined(here, there, finished)
        if here is None and there.study.spec.get("design") in ADAPTIVE:
            _copy_trials(source, store, name, merged)
        if write(store, name, here, wanted) and name not in merged.changed:
            merged.changed.append(name)
        merged.studies[name] = wanted.done, len(wanted.runs)


def _copy_trials(source: Store, store: Store, name: str, merged: Merged) -> None:
    """Copy the trials of a search: some of them cannot be made again; those of other studies are a view of results."""
    try:
        trials = trials_to_plain(source.url, name)
        if trials:
            put_trials(store.url, name, trials)
    except (StoreError, ValueError) as error:
        merged.notes.append(f"the trials of study '{name}' are not merged: {one_line(error)}")
