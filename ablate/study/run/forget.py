"""Forget results, so that they are computed again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ablate.study.run.home import remove_checkpoints
from ablate.study.trials.storage import delete_trials

if TYPE_CHECKING:
    from pathlib import Path

    from ablate.store.store import Store


def forget(store: Store, home: Path, study: str, fingerprints: frozenset[str]) -> None:
    """Drop the results of stages, so that they are computed again, and what unfinished trainings have left.

    The study's trials are dropped with them: they are a view of the results, and are made again.
    """
    store.forget_stages(fingerprints)
    remove_checkpoints(home, fingerprints)
    delete_trials(store.url, study)
