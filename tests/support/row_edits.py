"""Edits of a database by hand, at random: rows, values, JSON, tables; the same for the same number."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import random
import re
import sqlite3
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

#: Our tables, and Optuna's, that have rows after a study.
OURS = (
    *("studies", "variants", "runs", "run_stages", "looks", "stages", "environments", "sources"),
    *("measurements", "histograms", "alembic_version"),
)
OPTUNAS = (
    *("studies", "trials", "trial_params", "trial_values", "trial_intermediate_values", "trial_user_attributes"),
    *("study_directions", "version_info"),
)
TABLES = (*(f"ablate_{name}" for name in OURS), *OPTUNAS)
#: Values that a person, another program or a damaged disk could leave in any column.
VALUES: tuple[Any, ...] = (
    *(
        None,
        "",
        " ",
        "text",
        "\x1b[31mred\x1b[0m",
        "two\nlines",
        "a\0b",
        b"\xff\xfe\x00",
        b"",
        "é" * 300,
        "x" * 100_000,
    ),
    *(0, 1, -1, 2**31, 2**63 - 1, -(2**63), 1e308, float("inf"), -float("inf"), 0.5, "NaN", "1e999", "../../x"),
    *("[]", "{}", "null", "true", "3", '"text"', "[1, 2", "{'a': 1}", '{"a": [1, {"b": null}]}', '{"": ""}'),
    *("[" * 3000 + "]" * 3000, "9" * 5000, '{"a": "\\ud800"}', "[NaN]", "done", "measure", "2026-01-01 00:00:00"),
)
#: What takes the place of a part of JSON.
PARTS: tuple[Any, ...] = (
    *(None, True, 0, -1, 10**30, 1e400, 0.5, "", "text", "\x1b[31m", [], {}, [None], {"a": 1}, [[]], "10 %"),
    *([{"name": "lstm"}], {"name": 3}, "../x", "none", float("nan")),
)


@dataclasses.dataclass(frozen=True)
class Edit:
    """An edit that was made.

    Attributes:
        table: its table.
        what: the change, for people.
    """

    table: str
    what: str


def edit(database: Path, number: int, tables: tuple[str, ...] = TABLES) -> Edit:
    """Edit a database; the same number makes the same edit of the same database.

    Args:
        database: an SQLite file.
        number: of the edit.
        tables: those to choose from.
    """
    rng = random.Random(f"edit {number}")
    table = tables[number % len(tables)]
    with contextlib.closing(sqlite3.connect(database, isolation_level=None)) as connection:
        rows = connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
        if rng.random() < 0.03 or not rows:
            return Edit(table, _change_table(connection, table, rng))
        if rng.random() < 0.15:
            return Edit(table, _change_rows(connection, table, rng))
        return Edit(table, _change_value(connection, table, rng))


def _columns(connection: sqlite3.Connection, table: str) -> dict[str, str]:
    return {name: kind for _, name, kind, *_ in connection.execute(f"PRAGMA table_info({table})")}


def _change_table(connection: sqlite3.Connection, table: str, rng: random.Random) -> str:
    columns = list(_columns(connection, table))
    column = rng.choice(columns)
    with _without_views(connection):
        change = rng.choice(("drop", "rename", "empty", "rename column", *["drop column"] * (len(columns) > 1)))
        if change == "drop":
            connection.execute(f"DROP TABLE {table}")
        elif change == "rename":
            connection.execute(f"ALTER TABLE {table} RENAME TO renamed")
        elif change == "empty":
            connection.execute(f"DELETE FROM {table}")
        elif change == "rename column":
            connection.execute(f"ALTER TABLE {table} RENAME COLUMN {column} TO renamed")
        else:
            _loosen(connection, table)
            connection.execute(f"ALTER TABLE {table} DROP COLUMN {column}")
    return f"{change} {column if 'column' in change else ''}".strip()


@contextlib.contextmanager
def _without_views(connection: sqlite3.Connection) -> Iterator[None]:
    for (view,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'view'").fetchall():
        connection.execute(f"DROP VIEW {view}")
    yield


def _change_rows(connection: sqlite3.Connection, table: str, rng: random.Random) -> str:
    change = rng.choice(("delete one", "delete half", "twice", "twice with another key"))
    if change.startswith("delete"):
        share = "1" if change == "delete one" else f"(SELECT (count(*) + 1) / 2 FROM {table})"
        chosen = f"SELECT rowid FROM {table} ORDER BY abs(rowid * {rng.randrange(1, 10**6)}) % 1009 LIMIT {share}"
        connection.execute(f"DELETE FROM {table} WHERE rowid IN ({chosen})")
        return change
    columns = _columns(connection, table)
    _loosen(connection, table)
    names = list(columns)
    key = "id" if "id" in columns and change.endswith("key") else ""
    listed = ", ".join("1000000 + id" if name == key else name for name in names)
    row = _row(connection, table, rng)
    connection.execute(f"INSERT INTO {table} ({', '.join(names)}) SELECT {listed} FROM {table} WHERE rowid = {row}")
    return f"{change}: row {row}"


def _row(connection: sqlite3.Connection, table: str, rng: random.Random) -> int:
    rows = [row for (row,) in connection.execute(f"SELECT rowid FROM {table} ORDER BY rowid")]
    return int(rng.choice(rows[:40]))


def _change_value(connection: sqlite3.Connection, table: str, rng: random.Random) -> str:
    columns = _columns(connection, table)
    column, row = rng.choice(list(columns)), _row(connection, table, rng)
    if columns[column] == "JSON" and rng.random() < 0.6:
        (before,) = connection.execute(f"SELECT {column} FROM {table} WHERE rowid = {row}").fetchone()
        value, change = _changed_json(before, rng)
    elif rng.random() < 0.1:
        (value,) = connection.execute(f"SELECT {rng.choice(list(columns))} FROM {table} WHERE rowid = {row}").fetchone()
        change = f"= {value!r:.60}"
    elif rng.random() < 0.15:
        (value,) = connection.execute(f"SELECT {column} FROM {table} ORDER BY rowid DESC LIMIT 1").fetchone()
        change = f"= {value!r:.60}"
    else:
        value = rng.choice(VALUES)
        change = f"= {value!r:.60}"
    try:
        connection.execute(f"UPDATE {table} SET {column} = ? WHERE rowid = {row}", (value,))
    except sqlite3.IntegrityError:
        _loosen(connection, table)
        with contextlib.suppress(sqlite3.IntegrityError):  # a key that is a row's number takes whole numbers only
            connection.execute(f"UPDATE {table} SET {column} = ? WHERE rowid = {row}", (value,))
    return f"{column} of row {row} {change}"


def _changed_json(text: str, rng: random.Random) -> tuple[str, str]:
    """Return JSON with one part changed, and the change."""
    data = json.loads(text)
    path: list[Any] = []
    holder, key = {"": data}, ""
    whole: Any = holder
    here: Any = holder
    while True:
        value = here[key]
        inside = list(value) if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
        if not inside or (path and rng.random() < 0.35):
            break
        here, key = value, rng.choice(list(inside))  # type: ignore[assignment]
        path.append(key)
    change = rng.choice(("replace", "replace", "replace", "remove", "rename"))
    if change == "remove" and path:
        del here[key]
    elif change == "rename" and path and isinstance(here, dict):
        here[f"{key}x"] = here.pop(key)
    else:
        change = "replace"
        here[key] = rng.choice(PARTS)
    shown = "" if change != "replace" else f" by {here[key]!r:.40}"
    return json.dumps(whole[""]), f"{change} {'.'.join(map(str, path))}{shown}"


def _loosen(connection: sqlite3.Connection, table: str) -> None:
    """Make a table again without its constraints, as a table that another program has copied."""
    (sql,) = connection.execute("SELECT sql FROM sqlite_master WHERE name = ?", (table,)).fetchone()
    columns = _columns(connection, table)
    lines = [f"{name} {kind}" for name, kind in columns.items()]
    with _without_views(connection):
        connection.execute("PRAGMA legacy_alter_table = ON")
        connection.execute(f"ALTER TABLE {table} RENAME TO before_that")
        connection.execute(f"CREATE TABLE {table} ({', '.join(lines)})")
        connection.execute(f"INSERT INTO {table} SELECT {', '.join(columns)} FROM before_that ORDER BY rowid")
        connection.execute("DROP TABLE before_that")
    assert re.match("CREATE TABLE", sql)
