"""Rows that were edited by hand: every command ends well, or in one line with the table, the row and what to do."""

from __future__ import annotations

import re
import shutil
import sqlite3
import time
from typing import TYPE_CHECKING, Any

import pytest
from support.checkout import ROOT
from support.row_commands import ending, load
from support.row_edits import TABLES as EDITED
from support.row_edits import edit

from ablate.errors import StoreError
from ablate.store.database import versions
from ablate.store.reading.columns import TABLES
from ablate.store.store import Store

if TYPE_CHECKING:
    from pathlib import Path

#: Each column of a table of ours.
COLUMNS = [(table, column) for table, (_, columns, _) in TABLES.items() for column in columns]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home with two finished studies, without files."""
    folder = tmp_path / "home"
    folder.mkdir()
    shutil.copy(ROOT / f"tests/data/db/{versions.newest()}.db", folder / "ablate.db")
    return folder


def change(home: Path, sql: str, *values: Any) -> None:
    with sqlite3.connect(home / "ablate.db") as connection:
        connection.execute(sql, values)
    connection.close()


def opened(home: Path) -> Store:
    return Store(f"sqlite:///{home / 'ablate.db'}", writing=False)


def test_a_database_as_ablate_left_it_has_no_problem(home: Path) -> None:
    with opened(home) as store:
        assert [str(problem) for problem in store.row_problems()] == []


@pytest.mark.parametrize(("table", "column"), COLUMNS)
def test_bytes_in_any_column_are_found(home: Path, table: str, column: str) -> None:
    if column in ("id", "run_id"):
        pytest.skip("SQLite itself allows whole numbers only")
    change(home, f"UPDATE {table} SET {column} = x'fffe' WHERE rowid = (SELECT min(rowid) FROM {table})")
    with opened(home) as store:
        problem = next(store.row_problems())
    assert (problem.table, problem.problem.partition(" ")[0]) == (table, column)
    assert list(problem.key) == list(TABLES[table].key)


@pytest.mark.parametrize(
    ("sql", "message"),
    [
        (
            "UPDATE ablate_studies SET spec = '[]' WHERE id = 1",
            "table ablate_studies, row id 1, name small: spec is a list",
        ),
        ("UPDATE ablate_studies SET spec = '{' WHERE id = 1", "spec is '{', not valid JSON"),
        ("UPDATE ablate_studies SET seed = 'x' WHERE id = 1", "seed is 'x', not a whole number"),
        ("UPDATE ablate_studies SET updated = 'soon' WHERE id = 1", "updated is 'soon', not a time like"),
        (
            "UPDATE ablate_runs SET state = 'ready' WHERE id = 1",
            "table ablate_runs, row id 1, variant_id 1, replicate 0: state",
        ),
        ("UPDATE ablate_runs SET replicate = -1 WHERE id = 1", "replicate is -1, not between 0 and"),
        ("UPDATE ablate_variants SET baseline = 7 WHERE id = 1", "baseline is neither 0 nor 1"),
        ("UPDATE ablate_variants SET levels = 'null' WHERE id = 1", "levels is null, not a table"),
    ],
)
def test_a_row_that_cannot_be_used_is_named(home: Path, sql: str, message: str) -> None:
    change(home, sql)
    found = ending(["study", "show", "small"], home)
    assert (found.kind, message in found.text) == ("named", True), found.text
    assert "delete its study: ablate study delete small; ablate db check lists all such rows" in found.text


@pytest.mark.parametrize("value", ["'many'", "9e999", "x'00'"])
def test_a_number_that_is_none_is_named_among_all_measurements(home: Path, value: str) -> None:
    change(home, f"UPDATE ablate_measurements SET value = {value} WHERE id = 7")
    found = ending(["study", "export", "small"], home)
    assert found.kind == "named"
    assert "table ablate_measurements, row id 7, fingerprint" in found.text
    assert "ablate db check --repair" in found.text


def test_a_study_whose_rows_cannot_be_read_can_be_deleted(home: Path) -> None:
    change(home, "UPDATE ablate_studies SET spec = '[[' WHERE id = 1")
    change(home, "UPDATE ablate_runs SET config = 'x' WHERE id = 1")
    assert ending(["study", "show", "small"], home).kind == "named"
    assert ending(["study", "delete", "small", "--yes"], home).kind == "well"
    assert ending(["study", "show", "small@again"], home).kind == "well"


def test_a_name_that_is_no_text_is_named(home: Path) -> None:
    change(home, "UPDATE ablate_studies SET corpus = CAST(x'fffe41' AS TEXT) WHERE id = 1")
    with (
        opened(home) as store,
        pytest.raises(StoreError, match="ablate_studies, row id 1, name small: corpus is not valid"),
    ):
        store.studies()


@pytest.mark.parametrize(
    ("sql", "message"),
    [
        ("DELETE FROM ablate_variants WHERE id = 1", "variant_id 1 is in no row of ablate_variants"),
        (
            "INSERT INTO ablate_studies SELECT 9, 'x', spec, '', '', 1, created, updated FROM ablate_studies LIMIT 1",
            "id 9, name x: has no row",
        ),
        ("DELETE FROM ablate_environments", "environment .* is in no row of ablate_environments"),
        ("UPDATE ablate_environments SET facts = '{}'", "facts were changed"),
        (
            "UPDATE ablate_measurements SET fingerprint = 'other' WHERE id = 3",
            "fingerprint other is in no row of ablate_stages",
        ),
        ("UPDATE ablate_runs SET variant_id = 99 WHERE id = 1", "variant_id 99 is in no row of ablate_variants"),
        ("UPDATE ablate_variants SET levels = '{}' WHERE id = 1", "levels has no 'sampler.temperature.tau'"),
        ("DELETE FROM ablate_run_stages", "state is 'done', but it has no row in ablate_run_stages"),
    ],
)
def test_rows_that_do_not_fit_together_are_found(home: Path, sql: str, message: str) -> None:
    change(home, sql)
    with opened(home) as store:
        text = str(next(store.row_problems()))
    assert re.search(message, text), text


def test_an_error_that_no_row_explains_stays_a_traceback(home: Path) -> None:
    with pytest.raises(KeyError, match="ours"), opened(home):
        raise KeyError("ours")


def test_an_error_that_a_row_explains_names_it(home: Path) -> None:
    change(home, "UPDATE ablate_runs SET variant_id = 99 WHERE id = 3")
    with pytest.raises(StoreError, match="row id 3, variant_id 99"), opened(home):
        raise KeyError("a variant")


@pytest.mark.parametrize("number", range(60))
def test_edits_at_random(home: Path, number: int) -> None:
    """A short version of tools/fuzz_rows.py."""
    made = edit(home / "ablate.db", number)
    commands = (["study", "list"], ["study", "show", "small"], ["study", "export", "small", "--table", "runs"])
    for words in commands[: 2 + number % 2]:
        found = ending(words, home)
        assert not found.failed, f"{made}: {' '.join(words)}: {found.text}"


@pytest.mark.parametrize("number", range(100, 100 + 2 * len(EDITED), 4))
def test_edits_at_random_in_python(home: Path, number: int) -> None:
    made = edit(home / "ablate.db", number)
    found = load("small", home)
    assert not found.failed, f"{made}: {found.text}"


def test_checking_takes_little_of_reading() -> None:
    """Whole columns are checked at once."""
    columns = TABLES["ablate_measurements"].columns
    values = {"value": [0.5] * 300_000, "direction": ["lower"] * 300_000, "n": [5] * 300_000, "metric": ["m"] * 300_000}
    begun = time.process_time()
    for name, column in values.items():
        assert columns[name](column) is column
    assert time.process_time() - begun < 0.5


@pytest.mark.parametrize("table", ["study_directions", "trial_intermediate_values"])
def test_a_row_of_optuna_that_optuna_cannot_read_is_a_line(home: Path, table: str) -> None:
    column = {"study_directions": "direction"}.get(table, "intermediate_value_type")
    change(home, f"UPDATE {table} SET {column} = 'sideways'")
    found = ending(["study", "delete", "small", "--yes"], home)
    assert not found.failed, found.text


def test_a_number_of_optuna_that_is_none_is_a_line(home: Path, tmp_path: Path) -> None:
    change(home, "UPDATE trial_params SET param_value = 9e999")
    found = ending(["study", "bundle", "small", "-o", str(tmp_path / "small.zip")], home)
    assert (found.kind, "Optuna's tables have a row that Optuna cannot read" in found.text) == ("line", True)


def test_results_that_were_deleted_are_counted(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from ablate.cli import run

    change(home, "DELETE FROM ablate_stages WHERE kind = 'measure' AND rowid % 2")
    with opened(home) as store:
        wanted = {f for each in store.runs("small") for name, f in each.stages.items() if name.startswith("measure")}
        lost = len(wanted - set(store.stages(wanted)))
    assert lost
    run(["study", "show", "small", "--home", str(home)])
    text = " ".join(capsys.readouterr().out.split())
    assert f"Results: {lost} of {len(wanted)} measurements of finished runs are no longer in the database." in text


@pytest.mark.parametrize("version", ["", "soon", "9" * 5000])
def test_a_version_that_is_none_is_named(home: Path, version: str) -> None:
    change(home, "UPDATE ablate_alembic_version SET version_num = ?", version)
    found = ending(["study", "list"], home)
    assert (found.kind, f"row version_num '{version[:40]}': is no version" in found.text) == ("named", True), found.text
