"""The shards that a stored study consists of: one that ran as a shard is a part of a study."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ablate.store.records import RunRecord

#: The key of a stored study with the shards that have run in its home (``["3/20"]``).
SHARDS = "shards"
#: The most shards that a sentence names.
_MOST_NAMES = 6
#: The states of runs that nobody has to continue.
_ENDED = ("done", "failed", "pruned")


def joined_shards(specs: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the key :data:`SHARDS` with all shards of these stored studies, sorted; empty without any."""
    texts = {text for spec in specs for text in spec.get(SHARDS) or ()}
    return {SHARDS: sorted(texts, key=_order)} if texts else {}


def _order(text: str) -> tuple[list[int], str]:
    return [int(number) for number in reversed(re.findall(r"\d{1,9}", text))], text


def part_sentence(spec: Mapping[str, Any], runs: Iterable[RunRecord]) -> str:
    """Return a sentence that says that a study is only a part; empty where it is whole.

    Args:
        spec: the study as plain data.
        runs: of the study.
    """
    shards, states = spec.get(SHARDS) or (), [run.state for run in runs]
    unfinished = sum(state not in _ENDED for state in states)
    if not shards or not unfinished:
        return ""
    more = f" and {len(shards) - _MOST_NAMES} more" if len(shards) > _MOST_NAMES else ""
    which = "shard" if len(shards) == 1 else "shards"
    return (
        f"This is a part of the study, {which} {', '.join(shards[:_MOST_NAMES])}{more}: {unfinished:,} of its "
        f"{len(states):,} runs are not finished here, so its numbers and verdicts are not those of the study; "
        "'ablate db merge' brings all shards together."
    )
