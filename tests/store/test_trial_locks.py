"""Optuna's tables while others lock, fill or remove the database: it waits as the store does, and is only a view."""

from __future__ import annotations

import contextlib
import threading
from typing import TYPE_CHECKING

import pytest
from support.bench import empty_database
from support.store_material import opened
from support.trials_material import frozen, layout, trials

from ablate.errors import StoreError
from ablate.store.database import sqlite
from ablate.store.store import Store
from ablate.study.plan.plan import make_plan
from ablate.study.run.listener import Listener
from ablate.study.run.recorder import record_study
from ablate.study.run.states import RunStates, TrialReporter
from ablate.study.run.status import StageStatus
from ablate.study.trials.storage import close_storage, open_storage

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def store(path: Path) -> Iterator[Store]:
    path.write_bytes(empty_database())
    with Store(f"sqlite:///{path}") as opened_store:
        yield opened_store


@contextlib.contextmanager
def locked(path: Path, seconds: float) -> Iterator[None]:
    """Hold the write lock in a thread, for longer than Optuna's own patience where ``seconds`` are more than 5."""
    held = threading.Event()

    def hold() -> None:
        with opened(path) as connection:
            connection.execute("BEGIN IMMEDIATE")
            held.set()
            done.wait(seconds)
            connection.execute("ROLLBACK")

    done, thread = threading.Event(), threading.Thread(target=hold)
    thread.start()
    held.wait()
    try:
        yield
    finally:
        done.set()
        thread.join()


def test_opening_and_reporting_wait_for_a_lock(store: Store, path: Path, tmp_path: Path) -> None:
    with locked(path, 0.3), trials(store.url, layout(tmp_path)) as opened_trials:
        pass
    with trials(store.url, layout(tmp_path)) as opened_trials, locked(path, 0.3):
        opened_trials.report("tau=0.8", {0: (1.0,), 1: (2.0,)}, complete=True)
    assert [trial.state.name for trial in frozen(store.url)] == ["COMPLETE", "RUNNING"]


def test_the_patience_is_that_of_the_store(store: Store) -> None:
    storage = open_storage(store.url)
    with storage.engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA busy_timeout").scalar() == sqlite.BUSY_MS
    close_storage(storage)


def test_a_transaction_that_reads_first_does_not_fail_because_somebody_wrote(store: Store, path: Path) -> None:
    storage = open_storage(store.url)
    with storage.engine.connect() as connection:
        connection.exec_driver_sql("SELECT count(*) FROM studies").scalar()
        with opened(path) as other:
            other.execute("PRAGMA busy_timeout = 0")
            with pytest.raises(Exception, match="locked"):  # it has the lock from the beginning
                other.execute("BEGIN IMMEDIATE")
        connection.exec_driver_sql("DELETE FROM studies")
    close_storage(storage)


@pytest.mark.parametrize("measured", [True, False])
def test_trials_that_cannot_be_written_are_one_note(
    store: Store, path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, measured: bool
) -> None:
    monkeypatch.setattr(sqlite, "BUSY_MS", 20)
    laid_out = layout(tmp_path)
    record_study(laid_out, store)
    states = RunStates(laid_out, store, StageStatus(make_plan(laid_out, store, tmp_path), tmp_path), Listener())
    reporter = TrialReporter(laid_out, store, states)
    if measured:
        reporter.report([])
        values = {name: {0: (1.0,)} for name in ("tau=0.8", "tau=1.0")}  # there is something to write
        monkeypatch.setattr("ablate.study.run.states.measured_values", lambda *_: values)
    with locked(path, 10):
        reporter.report(["tau=0.8"])
        reporter.report(["tau=1.0"])
    reporter.close()
    (note,) = reporter.notes
    assert note.startswith(f"the trials for Optuna are not up to date: {store.url}: database is locked; another")
    assert note.endswith("the next 'ablate study run' adds the rest")
    again = TrialReporter(laid_out, store, states)
    again.report([])
    again.close()
    assert again.notes == ()
    assert len(frozen(store.url)) == 2


def test_a_removed_database_is_not_a_matter_of_the_trials(store: Store, path: Path, tmp_path: Path) -> None:
    laid_out = layout(tmp_path)
    record_study(laid_out, store)
    states = RunStates(laid_out, store, StageStatus(make_plan(laid_out, store, tmp_path), tmp_path), Listener())
    reporter = TrialReporter(laid_out, store, states)
    path.unlink()
    with pytest.raises(StoreError, match="was removed while"):
        reporter.report([])
    reporter.close()
    store._place = None  # it has been reported
