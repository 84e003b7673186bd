"""The replicates of a study that are complete in the store."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ablate.store.store import Store
    from ablate.study.plan.layout import Layout

#: The key of a stored study with the greatest number of replicates that it was run with, where it now has fewer.
MOST = "most_replicates"
#: The states of runs that the next command does not continue.
_ENDED = ("done", "failed", "pruned")


def complete_replicates(layout: Layout, store: Store) -> int:
    """Return the number of complete replicates of a study, counted from the first.

    It is 0 if the store has no study of this name, or if that study had other settings.
    """
    name = layout.spec.name
    if all(study.name != name for study in store.studies()):
        return 0
    stored = {(run.variant, run.replicate): run for run in store.runs(name)}
    for run in layout.runs:
        known = stored.get((run.variant.name, 0))
        if run.replicate == 0 and (known is None or known.stages != run.stages.fingerprints()):
            return 0
    unfinished = {replicate for (_, replicate), run in stored.items() if run.state not in _ENDED}
    return min(unfinished, default=1 + max((replicate for _, replicate in stored), default=-1))


def most_replicates(layout: Layout, store: Store) -> dict[str, Any]:
    """Return the key :data:`MOST` for a study that has been run with more replicates before; empty otherwise."""
    known = next((study for study in store.studies() if study.name == layout.spec.name), None)
    if known is None or known.seed != layout.spec.seed:
        return {}
    most = known.spec.get(MOST) or known.spec.get("replicates", 0)
    return {MOST: most} if most > layout.spec.replicates else {}


def stored_replicates(name: str, store: Store) -> int:
    """Return the greatest number of replicates that a study was run with, complete or not; 0 without any."""
    known = next((study for study in store.studies() if study.name == name), None)
    return 0 if known is None else max(known.spec.get(MOST) or 0, known.spec.get("replicates", 0))
