"""Times ways of doing one thing on a GPU, each built, timed and dropped before the next: together they might not fit.

A GPU's clock drifts little, so ways need not be interleaved as in ``harness.compare``.
"""

from __future__ import annotations

import dataclasses
import statistics
import time
from typing import TYPE_CHECKING, NamedTuple

from harness import Row, Table

from ablate.engine.memory import release_memory
from ablate.errors import named_line

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Clock = Callable[[], float]


class Timing(NamedTuple):
    """What timing gave.

    Attributes:
        amount: of the work of a round, in the table's unit.
        seconds: of each round.
        note: whatever else there is to know, or an empty text.
    """

    amount: float
    seconds: Sequence[float]
    note: str = ""


@dataclasses.dataclass(frozen=True)
class Way:
    """A way of doing something.

    Attributes:
        name: for people.
        measure: prepares it, times it by a clock, and drops it.
        target: the least ratio to the baseline that it should reach, or 0.
    """

    name: str
    measure: Callable[[Clock], Timing]
    target: float = 0.0


def one_by_one(title: str, unit: str, ways: Sequence[Way], device: str, clock: Clock = time.perf_counter) -> Table:
    """Measure each way; the first is the baseline. A way that fails is a note of the table."""
    table = Table(title, unit, [])
    for way in ways:
        try:
            timing = way.measure(clock)
        except Exception as error:  # noqa: BLE001 - the others are timed all the same
            table.notes.append(f"{way.name}: not measured: {named_line(error)}")
        else:
            table.rows.append(_row(way, timing))
            table.notes += [f"{way.name}: {timing.note}"] if timing.note else []
        release_memory(device)
    rates = {row.name: row.rate for row in table.rows}
    base = rates.get(ways[0].name, float("nan"))
    table.rows = [dataclasses.replace(row, ratio=row.rate / base) for row in table.rows]
    return table


def repeated(build: Callable[[], Callable[[], float]], rounds: int = 3) -> Callable[[Clock], Timing]:
    """Return what measures a function that does the work once and returns its amount; one round warms up.

    Args:
        build: prepares the work, and returns that function.
        rounds: how often it is timed.
    """

    def measure(clock: Clock) -> Timing:
        run = build()
        amount, seconds = run(), []
        for _ in range(rounds):
            begun = clock()
            run()
            seconds.append(clock() - begun)
        return Timing(amount, seconds)

    return measure


def by_length(run: Callable[[int], float], few: int, many: int, rounds: int = 3) -> Callable[[Clock], Timing]:
    """Return what measures a generation by the difference of two lengths, without what comes before the first token.

    Args:
        run: generates that number of tokens in each row, and returns the number of all.
        few: tokens of a row, the smaller number.
        many: the larger number.
        rounds: how often both are timed.
    """

    def measure(clock: Clock) -> Timing:
        amount, seconds, starts = run(few), [], []
        for _ in range(rounds):
            begun = clock()
            run(few)
            between = clock()
            run(many)
            short, long = between - begun, clock() - between
            seconds.append(long - short)
            starts.append(short - few * (long - short) / (many - few))
        note = f"{statistics.median(starts):.3g} s before the first token"
        return Timing(amount * (many - few) / few, seconds, note)

    return measure


def _row(way: Way, timing: Timing) -> Row:
    middle = statistics.median(timing.seconds)
    spread = (max(timing.seconds) - min(timing.seconds)) / middle
    return Row(way.name, middle, spread, timing.amount / middle, float("nan"), way.target)
