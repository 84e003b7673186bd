"""The replicates of a study that are complete in the store."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ablate.store.store import Store
    from ablate.study.plan.layout import Layout

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
