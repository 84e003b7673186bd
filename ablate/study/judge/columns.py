"""The columns of a table: which one has the variants, the replicates and the metrics.

A long table has a row for each number, with a column of metrics and a column of values. A wide table has a column for
each metric.
"""

from __future__ import annotations

import collections
import dataclasses
import math
from typing import TYPE_CHECKING, Any

from ablate.errors import TableError, UnknownName, UsageError
from ablate.study.judge.reading import is_empty, number

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from ablate.study.judge.reading import Table

#: The usual names of columns, in lower case, the best first.
VARIANT = (
    *("variant", "method", "model", "algorithm", "system", "approach", "configuration", "config", "condition"),
    *("architecture", "setting", "arm", "name"),
)
REPLICATE = (
    *("replicate", "seed", "random_seed", "rep", "repeat", "repetition", "run", "trial", "fold"),
    *("run_id", "run_number", "trial_id", "seed_id"),
)
SAMPLE = ("sample", "piece", "item")
METRIC = ("metric", "measure", "quantity", "variable")
VALUE = ("value", "score", "result")
#: Numbers that describe a row and are no result.
BOOKKEEPING = ("step", "epoch", "iteration", "index", "id", "timestamp", "time", "date", "line", "row")
_CONSTANT = "one value in each variant"
#: The most names that a line lists.
MOST_NAMES = 8


@dataclasses.dataclass(frozen=True)
class Wanted:
    """The columns that a command names; empty where they are guessed.

    Attributes:
        variants: each becomes an axis.
        replicate: has the labels of replicates, such as seeds.
        sample: tells apart the samples of a replicate, which are averaged.
        metrics: the metrics to judge, the primary one first.
        metric: of a long table, the column with the names of metrics.
        value: of a long table, the column with the numbers.
        ignored: columns that have no role and were reported already.
    """

    variants: tuple[str, ...] = ()
    replicate: str = ""
    sample: str = ""
    metrics: tuple[str, ...] = ()
    metric: str = ""
    value: str = ""
    ignored: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True)
class Columns:
    """The role of each column that is used.

    Attributes:
        variants: at least one.
        replicate: empty if the rows of a variant are its replicates.
        sample: empty if a replicate has one number of each metric.
        metrics: the metrics to judge, the primary one first; of a wide table also the names of their columns.
        metric: of a long table, the column with the names of metrics; otherwise empty.
        value: of a long table, the column with the numbers; otherwise empty.
        guessed: the roles that were guessed, as ``role = column``.
        notes: the columns that are not used, one line for each reason.
    """

    variants: tuple[str, ...]
    replicate: str
    sample: str
    metrics: tuple[str, ...]
    metric: str = ""
    value: str = ""
    guessed: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def resolve_columns(table: Table, wanted: Wanted) -> Columns:
    """Return the roles of a table's columns, as the command names them or as their names and contents suggest.

    Raises:
        UnknownName: the table has no column or metric of a name, with a suggestion.
        UsageError: one column has two roles.
        TableError: a role cannot be guessed, or there is nothing to judge.
    """
    _check(table, wanted)
    taken = {*wanted.variants, wanted.replicate, wanted.sample, wanted.metric, wanted.value, *wanted.metrics} - {""}
    guesses: list[str] = []

    def guess(role: str, given: str, usual: Sequence[str]) -> str:
        found = given or next(_named_like(table.names, usual, taken), "")
        if found and not given:
            guesses.append(f"{role} = {found}")
        taken.add(found)
        return found

    metric, value = _long(table, wanted, taken)
    if metric and not (wanted.metric and wanted.value):
        guesses.append(f"metric = {metric}, value = {value}")
    taken |= {metric, value}
    replicate = guess("replicate", wanted.replicate, REPLICATE)
    sample = guess("sample", wanted.sample, SAMPLE)
    variants = wanted.variants or (_variant(table, taken),)
    if not wanted.variants:
        guesses.insert(0, f"variant = {variants[0]}")
    known = Columns(variants, replicate, sample, (), metric, value)
    chosen = _of_long(table, known, wanted) if metric else _of_wide(table, known, wanted)
    if not wanted.metrics:
        guesses.append(f"metrics = {listed(chosen.metrics)}")
    return dataclasses.replace(chosen, guessed=tuple(guesses))


def listed(names: Iterable[Any]) -> str:
    """Return names in a line, the first :data:`MOST_NAMES` of them."""
    texts = [str(name) for name in names]
    more = f" and {len(texts) - MOST_NAMES} more" if len(texts) > MOST_NAMES else ""
    return ", ".join(texts[:MOST_NAMES]) + more


def _check(table: Table, wanted: Wanted) -> None:
    single = [wanted.replicate, wanted.sample, wanted.metric, wanted.value]
    named = [*wanted.variants, *(name for name in single if name)]
    for name in named:
        if name not in table.names:
            raise UnknownName("column", name, table.names, where=f"in {table.source}")
        if named.count(name) > 1 or name in wanted.metrics:
            raise UsageError(f"column '{name}' cannot have two roles; name it once")
    if bool(wanted.metric) != bool(wanted.value):
        raise UsageError("a long table needs both --metric-column and --value-column")


def plain_name(name: str) -> str:
    """Return a column's name for comparisons: the part after the last dot or slash, in lower case."""
    return name.lower().replace("/", ".").rpartition(".")[2].strip().replace(" ", "_").replace("-", "_")


def _named_like(names: Sequence[str], usual: Sequence[str], taken: Iterable[str]) -> Iterator[str]:
    """Yield the names that are usual for a role, the best first."""
    for word in usual:
        yield from (name for name in names if plain_name(name) == word and name not in taken)


def is_numeric(cells: Sequence[Any]) -> bool:
    """Return whether cells hold numbers, and more of them than texts."""
    numbers = [number(cell) for cell in cells]
    finite = sum(each is not None and math.isfinite(each) for each in numbers)
    return finite > sum(each is None for each in numbers)


def _long(table: Table, wanted: Wanted, taken: set[str]) -> tuple[str, str]:
    """Return the columns of metrics and values of a long table; empty texts for a wide one."""
    if wanted.metric:
        return wanted.metric, wanted.value
    metric = next(_named_like(table.names, METRIC, taken - set(wanted.metrics)), "")
    value = next(_named_like(table.names, VALUE, taken), "")
    if not metric or not value or is_numeric(table.column(metric)) or not is_numeric(table.column(value)):
        return "", ""
    return metric, value


def _variant(table: Table, taken: set[str]) -> str:
    """Return the column with the variants: one with a usual name, or else the only one with text."""
    usual = next(_named_like(table.names, VARIANT, taken), "")
    if usual:
        return usual
    texts = [name for name in table.names if name not in taken and not is_numeric(table.column(name))]
    texts = [name for name in texts if not all(map(is_empty, table.column(name)))]
    if len(texts) == 1:
        return texts[0]
    about = f"columns with text: {listed(texts)}" if texts else f"columns: {listed(table.names)}"
    raise TableError(table.source, f"cannot guess which column has the variants; name it with --variant ({about})")


def _of_long(table: Table, known: Columns, wanted: Wanted) -> Columns:
    names = list(dict.fromkeys(str(cell) for cell in table.column(known.metric) if not is_empty(cell)))
    for name in wanted.metrics:
        if name not in names:
            raise UnknownName("metric", name, names, where=f"in column '{known.metric}' of {table.source}")
    if not names:
        raise TableError(table.source, f"column '{known.metric}' has no metric; there is nothing to judge")
    used = {*known.variants, known.replicate, known.sample, known.metric, known.value}
    rest = [name for name in table.names if name not in used]
    notes = [f"{_columns(rest)} not used: {listed(rest)}"] if rest else []
    left = [name for name in names if name not in wanted.metrics] if wanted.metrics else []
    notes += [f"{len(left)} metrics not judged: {listed(left)}"] if left else []
    return dataclasses.replace(known, metrics=wanted.metrics or tuple(names), notes=tuple(notes))


def _of_wide(table: Table, known: Columns, wanted: Wanted) -> Columns:
    rest = [name for name in table.names if name not in {*known.variants, known.replicate, known.sample}]
    numeric = [name for name in rest if is_numeric(table.column(name))]
    for name in wanted.metrics:
        if name not in table.names:
            raise UnknownName("column", name, numeric, where=f"in {table.source}")
        if name not in numeric:
            raise TableError(table.source, f"column '{name}' has no numbers to judge")
    reasons: dict[str, list[str]] = collections.defaultdict(list)
    for name in rest:
        if name not in (*wanted.metrics, *wanted.ignored):
            reasons[_why_not(table, name, known, wanted, numeric)].append(name)
    # columns that vary in no variant are results where there are no others
    metrics = wanted.metrics or tuple(reasons.pop("", ()) or reasons.pop(_CONSTANT, ()))
    if not metrics:
        raise TableError(table.source, f"has no column of numbers to judge (columns: {listed(table.names)})")
    notes = tuple(f"{_columns(names)} not used ({why}): {listed(names)}" for why, names in reasons.items())
    return dataclasses.replace(known, metrics=metrics, notes=notes)


def _why_not(table: Table, name: str, known: Columns, wanted: Wanted, numeric: Sequence[str]) -> str:
    """Return why a column is no metric; an empty text for a metric."""
    if all(map(is_empty, table.column(name))):
        return "empty"
    if name not in numeric:
        return "text"
    if wanted.metrics:
        return "not named by --metric"
    if plain_name(name) in BOOKKEEPING:
        return "describes the row"
    return _CONSTANT if _constant(table, name, known.variants) else ""


def _constant(table: Table, name: str, variants: Sequence[str]) -> bool:
    """Return whether a column has one value in each variant, and some variant has several rows."""
    found: dict[Any, list[Any]] = collections.defaultdict(list)
    for row in table.rows:
        found[tuple(str(row.cells[each]) for each in variants)].append(row.cells[name])
    several = any(len(cells) > 1 for cells in found.values())
    return several and len(found) > 1 and all(len(set(cells)) == 1 for cells in found.values())


def _columns(names: Sequence[str]) -> str:
    return "1 column" if len(names) == 1 else f"{len(names)} columns"
