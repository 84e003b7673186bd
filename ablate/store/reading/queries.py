"""Queries: SQL that SQLite and SQLAlchemy run alike, with the check of every column that they return."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from ablate.store.reading.columns import TABLES, DamagedRow, finite, mean, text, whole

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from ablate.store.reading.columns import Column

#: Runs SQL with its parameters by name, and returns all rows.
Execute = Callable[[str, Mapping[str, Any]], "Sequence[Sequence[Any]]"]
#: The names of the tables in the queries.
_TABLES = {
    "study": "ablate_studies",
    "variant": "ablate_variants",
    "run": "ablate_runs",
    "link": "ablate_run_stages",
    "look": "ablate_looks",
    "stage": "ablate_stages",
    "environment": "ablate_environments",
    "source": "ablate_sources",
    "m": "ablate_measurements",
    "h": "ablate_histograms",
}
_COUNT = whole(0)
#: The checks of what is worked out of columns.
_WORKED_OUT: dict[str, Column] = {
    "avg(m.value)": mean,
    "min(m.value)": finite,  # of values of several types, a text is the greatest
    "max(m.value)": finite,
    "min(m.unit)": text,
    "max(m.unit)": text,
    "min(m.direction)": text,
    "count(*)": _COUNT,
}
#: The columns of the records of measurements and histograms.
MEASUREMENT = "m.sample m.metric m.feature m.value m.unit m.direction m.n"
HISTOGRAM = "h.sample h.metric h.feature h.unit h.edges h.reference h.generated h.floor"


def read(execute: Execute, columns: str, rest: str, **values: Any) -> list[tuple[Any, ...]]:
    """Return the rows of a query, checked and converted.

    Args:
        execute: runs it.
        columns: their names with those of their tables, with spaces between them (``"m.sample m.metric"``).
        rest: of the query, from ``FROM`` on; see :func:`source`.
        values: the parameters by name.

    Raises:
        DamagedRow: a value is none that its column can have.
    """
    names = columns.split()
    found = execute(f"SELECT {', '.join(names)} {rest}", values)
    if not found:
        return []
    try:
        checked = [_check(name)(values) for name, values in zip(names, zip(*found, strict=True), strict=True)]
    except ValueError as error:
        raise DamagedRow(str(error)) from error
    return list(zip(*checked, strict=True))


def _check(name: str) -> Column:
    table, _, column = name.partition(".")
    return _WORKED_OUT[name] if name in _WORKED_OUT else TABLES[_TABLES[table]].columns[column]


def source(*names: str) -> str:
    """Return the part of a query that names its tables, joined as they belong together.

    Args:
        names: of tables; each after the first belongs to one of those before it.
    """
    joined = [f"FROM {_TABLES[names[0]]} AS {names[0]}"]
    for place, name in enumerate(names[1:], start=1):
        condition = next(_JOINS[one, name] for one in names[:place] if (one, name) in _JOINS)
        joined.append(f"JOIN {_TABLES[name]} AS {name} ON {condition}")
    return " ".join(joined)


_JOINS = {
    ("m", "link"): "link.fingerprint = m.fingerprint",
    ("h", "link"): "link.fingerprint = h.fingerprint",
    ("link", "run"): "run.id = link.run_id",
    ("run", "variant"): "variant.id = run.variant_id",
    ("variant", "study"): "study.id = variant.study_id",
}


def of_runs(table: str) -> str:
    """Return the part of a query from ``FROM`` to ``WHERE``: measurements or histograms of the runs of a study."""
    return f"{source(table, 'link', 'run', 'variant')} WHERE variant.study_id = :study AND {table}.floor = ''"


def ordered(table: str) -> str:
    """Return an order that does not depend on which stage finished first."""
    return f"ORDER BY variant.position, run.replicate, {table}.sample, {table}.metric, {table}.id"


def portions(fingerprints: Iterable[str], most: int = 500) -> Iterator[list[str]]:
    """Yield each fingerprint once, at most ``most`` at a time: databases limit the parameters of a statement."""
    unique = sorted(set(fingerprints))
    for start in range(0, len(unique), most):
        yield unique[start : start + most]


def among(column: str, values: Sequence[Any]) -> tuple[str, dict[str, Any]]:
    """Return the condition that a column has one of these values, and its parameters."""
    names = [f"v{index}" for index in range(len(values))]
    return f"{column} IN ({', '.join(f':{name}' for name in names)})", dict(zip(names, values, strict=True))
