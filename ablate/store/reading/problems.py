"""Rows that ablate cannot use, looked for when a command has met one, and by ``ablate db check``.

No command writes such rows: they were changed by hand or by another program, or the file is damaged.
"""

from __future__ import annotations

import hashlib
import itertools
import json
from typing import TYPE_CHECKING, Any, NamedTuple

from ablate.names import shell_name
from ablate.printable import printable
from ablate.store.reading.columns import TABLES, shown

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from ablate.store.reading.queries import Execute

#: The rows of a table that are checked at once.
_PORTION = 10_000
#: Each column whose values have to be among those of a column of another table.
_PARENTS = (
    ("ablate_variants", "study_id", "ablate_studies", "id"),
    ("ablate_runs", "variant_id", "ablate_variants", "id"),
    ("ablate_run_stages", "run_id", "ablate_runs", "id"),
    ("ablate_looks", "study_id", "ablate_studies", "id"),
    ("ablate_stages", "environment", "ablate_environments", "digest"),
    ("ablate_stages", "sources", "ablate_sources", "digest"),
    ("ablate_measurements", "fingerprint", "ablate_stages", "fingerprint"),
    ("ablate_histograms", "fingerprint", "ablate_stages", "fingerprint"),
)
#: Columns of which no two rows of a table have the same values.
_UNIQUE = (
    ("ablate_studies", ("name",)),
    ("ablate_variants", ("study_id", "name")),
    ("ablate_runs", ("variant_id", "replicate")),
    ("ablate_run_stages", ("run_id", "name")),
    ("ablate_stages", ("fingerprint",)),
    ("ablate_environments", ("digest",)),
    ("ablate_sources", ("digest",)),
)


class RowProblem(NamedTuple):
    """A row that cannot be used.

    Attributes:
        table: its name.
        key: the columns that name it, with their values.
        problem: what is wrong, beginning with the column.
        study: the study that it belongs to; empty if that is unknown, or if it belongs to several.
    """

    table: str
    key: Mapping[str, Any]
    problem: str
    study: str = ""

    def __str__(self) -> str:
        """Return table, row and problem for a message."""
        key = ", ".join(f"{name} {_plain(value)}" for name, value in self.key.items())
        return f"table {self.table}, row {key}: {printable(self.problem)}"


def _plain(value: Any) -> str:
    return printable(value) if isinstance(value, str) and len(value) <= 64 else shown(value)


def row_problems(execute: Execute) -> Iterator[RowProblem]:
    """Yield every row with a value that its column cannot have, table by table.

    Args:
        execute: runs SQL; texts that are no UTF-8 come with surrogates in place of their bytes.
    """
    for table, (key, columns, rule) in TABLES.items():
        names = list(columns)
        rows = execute(f"SELECT {', '.join(names)} FROM {table}", {})  # noqa: S608 - our own names
        for start in range(0, len(rows), _PORTION):
            portion = rows[start : start + _PORTION]
            if not rule and not any(_wrong(columns, zip(*portion, strict=True))):
                continue
            for row in portion:
                values = dict(zip(names, row, strict=True))
                problem = next(_wrong(columns, ((each,) for each in row)), "")
                if rule and not problem:
                    problem = rule({name: columns[name]((value,))[0] for name, value in values.items()})
                if problem:
                    yield RowProblem(
                        table, {name: values[name] for name in key}, problem, _study(execute, table, values)
                    )


def _wrong(columns: Mapping[str, Any], found: Any) -> Iterator[str]:
    """Yield what is wrong with each column, given its values."""
    for (name, check), values in zip(columns.items(), found, strict=True):
        if any(isinstance(each, str) and not each.isascii() and _has_bytes(each) for each in values):
            yield f"{name} is not valid UTF-8"
            continue
        try:
            check(values)
        except ValueError as error:
            problem = str(error)
            yield f"{name}{problem}" if problem[:1] in " .[:" else f"{name} {problem}"


def _has_bytes(text: str) -> bool:
    return any("\ud800" <= each <= "\udfff" for each in text)


def related_problems(execute: Execute) -> Iterator[RowProblem]:
    """Yield the rows that do not fit together: without the row that they belong to, twice, or changed facts.

    It is for databases of which :func:`row_problems` yields nothing.
    """
    yield from _orphans(execute)
    yield from _twice(execute)
    yield from _changed_facts(execute)
    yield from _incomplete_studies(execute)


def _orphans(execute: Execute) -> Iterator[RowProblem]:
    for table, column, parents, parent in _PARENTS:
        key = TABLES[table].key
        names = ", ".join(f"child.{name}" for name in (*key, column))
        orphan = f"child.{column} IS NOT NULL AND child.{column} NOT IN (SELECT {parent} FROM {parents})"  # noqa: S608
        found = f"SELECT {names} FROM {table} AS child WHERE {orphan}"  # noqa: S608
        for *values, value in execute(f"{found} LIMIT 1000", {}):
            problem = f"{column} {_plain(value)} is in no row of {parents}"
            yield RowProblem(table, dict(zip(key, values, strict=True)), problem)


def _twice(execute: Execute) -> Iterator[RowProblem]:
    for table, columns in _UNIQUE:
        names = ", ".join(columns)
        counted = f"SELECT {names}, count(*) FROM {table} GROUP BY {names} HAVING count(*) > 1"  # noqa: S608
        for *values, count in execute(counted, {}):
            yield RowProblem(table, dict(zip(columns, values, strict=True)), f"{names} is in {count} rows")


def _changed_facts(execute: Execute) -> Iterator[RowProblem]:
    for table in ("ablate_environments", "ablate_sources"):
        for digest, facts in execute(f"SELECT digest, facts FROM {table}", {}):  # noqa: S608
            data = json.loads(facts) if isinstance(facts, str) else facts
            if digest != digest_of(data):
                yield RowProblem(table, {"digest": digest}, "facts were changed: digest is not theirs")


def digest_of(facts: Any) -> str:
    """Return the key of an environment or of sources: the SHA-256 of its facts."""
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()


def _incomplete_studies(execute: Execute) -> Iterator[RowProblem]:
    """Yield studies without variants, variants that lack an axis of others, and finished runs without any stage."""
    variants = execute("SELECT id, study_id, name, levels FROM ablate_variants ORDER BY study_id, position", {})
    axes = {
        study: {axis for *_, levels in rows for axis in _levels(levels)}
        for study, rows in itertools.groupby(variants, key=lambda row: row[1])
    }
    for key, name in execute("SELECT id, name FROM ablate_studies", {}):
        if key not in axes:
            yield RowProblem("ablate_studies", {"id": key, "name": name}, "has no row in ablate_variants", name)
    for key, study, name, levels in variants:
        lacking = axes[study] - set(_levels(levels))
        if lacking:
            problem = f"levels has no '{min(lacking)}', which other variants have"
            yield RowProblem("ablate_variants", {"id": key, "name": name}, problem, _name(execute, study))
    done = "state = 'done' AND id NOT IN (SELECT run_id FROM ablate_run_stages)"
    for key, variant, replicate in execute(f"SELECT id, variant_id, replicate FROM ablate_runs WHERE {done}", {}):  # noqa: S608
        where = {"id": key, "variant_id": variant, "replicate": replicate}
        problem = "state is 'done', but it has no row in ablate_run_stages"
        yield RowProblem("ablate_runs", where, problem, _study(execute, "ablate_runs", where))


def _levels(levels: Any) -> Sequence[str]:
    return list(json.loads(levels) if isinstance(levels, str) else levels)


def _study(execute: Execute, table: str, values: Mapping[str, Any]) -> str:
    """Return the name of the study that a row belongs to; empty if that is unknown."""
    if table == "ablate_studies":
        return values["name"] if isinstance(values["name"], str) and not _has_bytes(values["name"]) else ""
    key = values.get("study_id")
    if table == "ablate_run_stages":
        found = execute("SELECT variant_id FROM ablate_runs WHERE id = :id", {"id": values["run_id"]})
        values = {"variant_id": found[0][0]} if found else {}
    if "variant_id" in values:
        found = execute("SELECT study_id FROM ablate_variants WHERE id = :id", {"id": values["variant_id"]})
        key = found[0][0] if found else None
    return _name(execute, key)


def _name(execute: Execute, study: Any) -> str:
    found = execute("SELECT name FROM ablate_studies WHERE id = :id", {"id": study})
    return found[0][0] if found and isinstance(found[0][0], str) and not _has_bytes(found[0][0]) else ""


def explained(where: str, problem: RowProblem) -> str:
    """Return the message about a row that cannot be used: where it is, what is wrong, and what to do.

    Args:
        where: the database, for people.
        problem: of the row.
    """
    if problem.study:
        todo = f"put it right, or delete its study: ablate study delete {shell_name(problem.study)}"
    else:
        todo = "put it right, or drop what cannot be used: ablate db check --repair"
    return f"{where}: {problem}; it was changed by hand or is damaged; {todo}; ablate db check lists all such rows"
