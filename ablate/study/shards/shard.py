"""The division of a study into shards: by training, so that nothing is trained in two of them.

The distinct trainings are dealt to the shards in turn, like cards: those of the first variant, one for each replicate,
then those of the next variant that are not dealt yet. So every shard has as many trainings of each variant as any
other, give or take one, whatever each variant costs. The division depends on the study alone, and neither on the
machine nor on what is done already.
"""

from __future__ import annotations

import dataclasses
import re
from typing import TYPE_CHECKING, Any

from ablate.errors import UsageError
from ablate.kinds import COLLECT, PROGRAM, TRAIN
from ablate.store.parts import SHARDS, joined_shards

if TYPE_CHECKING:
    from ablate.store.store import Store
    from ablate.study.plan.layout import Layout, Run

#: The most shards of a study.
MOST_SHARDS = 10_000
_TEXT = re.compile(r"([0-9]{1,9})/([0-9]{1,9})")


@dataclasses.dataclass(frozen=True)
class Shard:
    """One of the parts of a study.

    Attributes:
        number: from 1 to ``count``.
        count: the number of shards, from 1 to :data:`MOST_SHARDS`.
    """

    number: int
    count: int

    def __str__(self) -> str:
        return f"{self.number}/{self.count}"

    @classmethod
    def parse(cls, text: str) -> Shard:
        """Return the shard that a text like ``"3/20"`` names.

        Raises:
            UsageError: it is no such text, or there is no such shard.
        """
        match = _TEXT.fullmatch(text.strip())
        if match is None:
            raise UsageError(f"--shard {text}: give the number of the shard and how many there are, such as 3/20")
        shard = cls(int(match[1]), int(match[2]))
        if not 1 <= shard.count <= MOST_SHARDS:
            raise UsageError(f"--shard {text}: a study has 1 to {MOST_SHARDS:,} shards")
        if not 1 <= shard.number <= shard.count:
            raise UsageError(
                f"--shard {text}: the shards of {shard.count} are 1/{shard.count} to {shard.count}/{shard.count}"
            )
        return shard


def trainings(layout: Layout) -> list[str]:
    """Return the distinct trainings of a study in the order in which they are dealt, by fingerprint.

    Where a program takes the place of the model, these are its executions.
    """
    by_variant: dict[str, list[Run]] = {variant.name: [] for variant in layout.variants}
    for run in layout.runs:
        by_variant[run.variant.name].append(run)
    return list(dict.fromkeys(_training(run) for runs in by_variant.values() for run in runs))


def shard_layout(layout: Layout, shard: Shard) -> Layout:
    """Return the layout of a study of which only the runs of one shard are to run.

    It has none of them if there are fewer trainings than shards.
    """
    own = set(trainings(layout)[shard.number - 1 :: shard.count])
    others = ((run.variant.name, run.replicate) for run in layout.runs if _training(run) not in own)
    return dataclasses.replace(layout, skipped=frozenset(others), part=str(shard))


def shards_with(layout: Layout, store: Store) -> dict[str, Any]:
    """Return, for the stored study, the shard of a layout and those that ran before it; empty for a whole study."""
    if not layout.part:
        return {}
    known = next((study.spec for study in store.studies() if study.name == layout.spec.name), {})
    return joined_shards([known, {SHARDS: [layout.part]}])


def _training(run: Run) -> str:
    """Return the fingerprint of the training of a run, or of what takes its place."""
    stages = run.stages.stages
    return next(stages[kind].fingerprint for kind in (TRAIN, PROGRAM, COLLECT) if kind in stages)
