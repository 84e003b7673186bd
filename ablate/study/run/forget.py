"""Forget results, so that they are computed again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ablate.study.clean.remove import remove_checkpoints
from ablate.study.trials.storage import delete_trials

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from ablate.store.store import Store


def forget(store: Store, home: Path, study: str, fingerprints: frozenset[str]) -> dict[str, int]:
    """Drop the results of stages, so that they are computed again, and what unfinished trainings have left.

    What other studies have computed from these results is dropped too: under its fingerprint it would be reused. Trials
    are a view of the results, and are made again.

    Returns:
        The number of results that each other study has lost beside those that it shares with this one.
    """
    derived = dependents(fingerprints, store.stage_inputs())
    others = (other.name for other in store.studies() if other.name != study)
    lost = {name: count for name in others if (count := len(derived & {f for _, f in store.links(name)}))}
    for name in (study, *lost):
        delete_trials(store.url, name)  # first: finished trials of results that are gone would stay as they are
    store.forget_stages(fingerprints | derived)
    remove_checkpoints(home, fingerprints)
    for name in lost:
        _reopen(store, name, derived)
    return lost


def dependents(fingerprints: frozenset[str], inputs: Mapping[str, Sequence[str]]) -> set[str]:
    """Return all stages that were computed from these, directly or not, without these."""
    users: dict[str, list[str]] = {}
    for fingerprint, sources in inputs.items():
        for source in sources:
            users.setdefault(source, []).append(fingerprint)
    found, waiting = set(fingerprints), list(fingerprints)
    while waiting:
        new = set(users.get(waiting.pop(), ())) - found
        found |= new
        waiting += new
    return found - fingerprints


def _reopen(store: Store, study: str, gone: set[str]) -> None:
    """Mark the runs of a study that have lost results as not done."""
    for run in store.runs(study):
        if run.state == "done" and gone & set(run.stages.values()):
            store.set_run(study, run.variant, run.replicate, "pending")
