"""Homes that are checked, edited by hand, and repaired."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

from ablate.study.files.findings import check_home
from ablate.study.files.repair import repair

if TYPE_CHECKING:
    from pathlib import Path

    from ablate.study.files.findings import Checked
    from ablate.study.files.repair import Repaired
    from support.bench import Bench


def checked(bench: Bench) -> Checked:
    """Return what the check finds in a home."""
    with bench.store() as store:
        return check_home(bench.home, store.contents(), store.row_problems())


def repaired(bench: Bench) -> Repaired:
    """Repair a home; return what was done."""
    with bench.store() as store:
        rows = list(store.row_problems())
        return repair(bench.home, store, check_home(bench.home, store.contents(), rows).findings, rows)


def problems(bench: Bench) -> list[str]:
    """Return each problem of a home as one line."""
    return [f"{each.kind} {each.where}: {each.problem}" for each in checked(bench).findings]


def change(bench: Bench, *statements: str) -> None:
    """Edit the database by hand, without its foreign keys."""
    connection = sqlite3.connect(bench.home / "ablate.db")
    for statement in statements:
        connection.execute(statement)
    connection.commit()
    connection.close()


def a_file(bench: Bench, pattern: str) -> Path:
    """Return the first file of the results that matches a pattern."""
    return min(bench.home.glob(f"artifacts/{pattern}"))
