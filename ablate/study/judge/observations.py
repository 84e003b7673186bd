"""The numbers of a table with the variants, replicates and samples that they belong to."""

from __future__ import annotations

import collections
import dataclasses
import math
from typing import TYPE_CHECKING, Any, NamedTuple

from ablate.errors import TableError
from ablate.printable import printable
from ablate.study.judge.columns import listed
from ablate.study.judge.reading import is_empty, number

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from ablate.study.judge.columns import Columns
    from ablate.study.judge.reading import Table
    from ablate.study.judge.text import Row

#: A level of each axis.
Levels = tuple[Any, ...]
#: The reason of a row whose values another row has already.
REPEATED = "repeated rows with equal values"
#: The place of a number: levels, replicate, metric, sample.
Place = tuple[Levels, Any, str, Any]


class Left(NamedTuple):
    """A row, or a cell of it, that is left out.

    Attributes:
        reason: the rows or values of this kind (``"values of loss that are text"``).
        line: of the row.
    """

    reason: str
    line: int


@dataclasses.dataclass(frozen=True)
class Observations:
    """The numbers of a table.

    Attributes:
        axes: the names of the axes.
        values: the numbers by their place; finite.
        empty: the places of numbers that are missing or not finite.
        notes: what was left out, one line for each reason with its count.
    """

    axes: tuple[str, ...]
    values: Mapping[Place, float]
    empty: frozenset[Place]
    notes: tuple[str, ...]


def observations(table: Table, columns: Columns) -> Observations:
    """Return the numbers of a table.

    Raises:
        TableError: a replicate has two different values of a metric, or the table has no number.
    """
    levels = {name: _levels(table.column(name)) for name in columns.variants}
    labels = _levels(table.column(columns.replicate)) if columns.replicate else []
    samples = _levels(table.column(columns.sample)) if columns.sample else []
    values: dict[Place, tuple[float, int]] = {}
    empty: set[Place] = set()
    left: list[Left] = []
    counts: collections.Counter[Any] = collections.Counter()
    for index, row in enumerate(table.rows):
        missing = [c for c in (*columns.variants, columns.replicate, columns.sample) if c and is_empty(row.cells[c])]
        if missing:
            left.append(Left(f"rows without {missing[0]}", row.line))
            continue
        variant = tuple(levels[name][index] for name in columns.variants)
        sample = samples[index] if samples else 0
        for metric, cell in _cells(row, columns):
            # without labels, each row that has the metric is a replicate
            counts[variant, metric, sample] += 1
            label = labels[index] if labels else counts[variant, metric, sample]
            place = (variant, label, metric, sample)
            value = number(cell)
            if value is None or not math.isfinite(value):
                left.append(Left(_why_left(metric, value), row.line))
                empty.add(place)
            elif place not in values:
                values[place] = value, row.line
            elif values[place][0] == value:
                left.append(Left(REPEATED, row.line))
            else:
                raise TableError(table.source, _clash(place, values[place], (value, row.line), table, columns))
    if not values:
        raise TableError(table.source, f"has no number in {listed(columns.metrics)}; there is nothing to judge")
    numbers = {place: value for place, (value, _) in values.items()}
    notes = (*_notes(left, table.row), *_merged(table, levels), *_unequal(numbers, columns.sample))
    return Observations(columns.variants, numbers, frozenset(empty - set(values)), notes)


def _cells(row: Row, columns: Columns) -> Iterator[tuple[str, Any]]:
    """Yield each metric of a row that is judged, with its cell."""
    if not columns.metric:
        yield from ((metric, row.cells[metric]) for metric in columns.metrics)
    elif str(row.cells[columns.metric]) in columns.metrics:
        yield str(row.cells[columns.metric]), row.cells[columns.value]


def _levels(cells: Sequence[Any]) -> list[Any]:
    """Return cells as levels: numbers if all of them are, booleans if all of them are, otherwise text."""
    full = [cell for cell in cells if not is_empty(cell)]
    numbers = [number(cell) for cell in full]
    if full and all(each is not None and math.isfinite(each) for each in numbers):
        return [cell if is_empty(cell) else _whole(float(cell)) for cell in cells]
    truths = {"true": True, "false": False}
    if full and all(str(cell).lower() in truths for cell in full):
        return [cell if is_empty(cell) else truths[str(cell).lower()] for cell in cells]
    return [cell if is_empty(cell) else printable(str(cell)) for cell in cells]


def _merged(table: Table, levels: Mapping[str, Sequence[Any]]) -> Iterator[str]:
    """Yield a line for each column in which several texts are one number: versions 1.1 and 1.10, say."""
    for name, own in levels.items():
        texts: dict[Any, dict[str, None]] = {}
        for cell, level in zip(table.column(name), own, strict=True):
            if not is_empty(cell):
                texts.setdefault(level, {})[printable(str(cell))] = None
        for found in texts.values():
            if len(found) > 1:
                yield f"one level of {name}, because they are the same number: {listed(found)}"


def _unequal(numbers: Mapping[Place, float], sample: str) -> Iterator[str]:
    """Yield a line for each metric whose runs have different samples: a mean without the hard ones is better."""
    runs: dict[str, dict[tuple[Levels, Any], set[Any]]] = collections.defaultdict(lambda: collections.defaultdict(set))
    for levels, label, metric, each in numbers:
        runs[metric][levels, label].add(each)
    for metric, own in runs.items():
        every = dict.fromkeys(each for _, _, other, each in numbers if other == metric)
        lacking = {
            run: [each for each in every if each not in has] for run, has in own.items() if len(has) < len(every)
        }
        if lacking:
            names = listed(dict.fromkeys(", ".join(map(str, levels)) for levels, _ in lacking))
            samples = listed(each for each in every if any(each in missing for missing in lacking.values()))
            yield (
                f"warning: {len(lacking)} of {len(own)} runs ({names}) lack values of {metric} of some {sample} "
                f"({samples}), so means over different values of {sample} are compared: leave these out everywhere"
            )


def _whole(value: float) -> float | int:
    return int(value) if value.is_integer() and abs(value) < 1e15 else value


def _why_left(metric: str, value: float | None) -> str:
    if value is None:
        return f"values of {metric} that are text"
    return f"values of {metric} that are missing or NaN" if math.isnan(value) else f"infinite values of {metric}"


def _clash(place: Place, first: tuple[float, int], second: tuple[float, int], table: Table, columns: Columns) -> str:
    variant, label, metric, _ = place
    name = ", ".join(map(str, variant))
    steps = [name for name in table.names if name.lower() in ("step", "epoch", "iteration")]
    hint = f"keep the row of one {steps[0]}" if steps else "remove one"
    by = f"{columns.replicate} {label}" if columns.replicate else f"row {label}"
    return (
        f"{name}, {by} has two values of {metric}: {first[0]:g} in {table.row} {first[1]} and {second[0]:g} in "
        f"{table.row} {second[1]}; {hint}, or name the column that tells samples of a replicate apart with --sample"
    )


def _notes(left: Sequence[Left], row: str) -> Iterator[str]:
    """Yield a line for each reason, with the number of rows or values and their first lines."""
    lines: dict[str, list[int]] = collections.defaultdict(list)
    for each in left:
        lines[each.reason].append(each.line)
    for reason, numbers in lines.items():
        places = list(dict.fromkeys(numbers))  # a row of a wide table has several values
        count = len(places if reason == REPEATED else numbers)
        yield f"left out, {reason}: {count} ({row}{'' if len(places) == 1 else 's'} {listed(places)})"
