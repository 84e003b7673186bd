"""The parameters of trials and runs: which of them are axes, and which is the replicate."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from ablate.study.judge.columns import REPLICATE, VARIANT, listed, plain_name
from ablate.study.judge.reading import is_empty, number

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ablate.study.judge.reading import Table

#: The level of an axis that a trial or run does not set.
NOT_SET = "not set"
#: Parameters that are labels of replicates; a run of a tracker is no replicate by its own name.
_SEEDS = tuple(name for name in REPLICATE if name not in ("run", "trial"))


@dataclasses.dataclass(frozen=True)
class Axes:
    """The roles of parameters.

    Attributes:
        axes: at least one, unless there are no parameters.
        replicate: the parameter with the seeds; empty without one.
        others: the parameters that are neither.
        notes: the parameters that are no axes, one line for each reason.
    """

    axes: tuple[str, ...]
    replicate: str
    others: tuple[str, ...]
    notes: tuple[str, ...]


def roles_of(table: Table, names: Sequence[str]) -> Axes:
    """Return which parameters are axes.

    A parameter with one value is none, nor is one whose value follows from that of a parameter with text: a learning
    rate that belongs to a method varies with it.

    Args:
        table: a row for each trial or run.
        names: the columns with parameters.
    """
    replicate = next((name for word in _SEEDS for name in names if plain_name(name) == word), "")
    varied = [name for name in names if name != replicate and len(set(_texts(table, name))) > 1]
    texts = [name for name in varied if any(_is_text(cell) for cell in table.column(name))]
    # of parameters with one meaning, the one with the usual name of a variant stays
    varied.sort(key=lambda name: plain_name(name) not in VARIANT)
    following: dict[str, list[str]] = {}
    for name in reversed(varied):
        others = [other for other in texts if other != name and not any(other in each for each in following.values())]
        leader = next((other for other in others if _follows(table, name, other)), "")
        if leader:
            following.setdefault(leader, []).insert(0, name)
    dropped = {name for each in following.values() for name in each}
    axes = [name for name in varied if name not in dropped]
    constant = [name for name in names if name not in varied and name != replicate]
    kept = axes or constant[:1]
    rest = tuple(name for name in names if name not in (*kept, replicate))
    return Axes(tuple(kept), replicate, rest, tuple(_notes([one for one in constant if one not in kept], following)))


def _texts(table: Table, name: str) -> list[str]:
    return [str(cell) for cell in table.column(name)]


def _is_text(cell: Any) -> bool:
    return not is_empty(cell) and number(cell) is None


def _follows(table: Table, name: str, leader: str) -> bool:
    """Return whether the value of one parameter follows from another one with repeated values."""
    pairs = set(zip(_texts(table, leader), _texts(table, name), strict=True))
    values = len(set(_texts(table, leader)))
    return len(pairs) == values < len(table.rows)


def _notes(constant: Sequence[str], following: dict[str, list[str]]) -> Iterator[str]:
    if constant:
        yield f"no axes, because they have one value: {listed(constant)}"
    for leader, names in following.items():
        yield f"no axes, because they follow from {leader}: {listed(names)}"
