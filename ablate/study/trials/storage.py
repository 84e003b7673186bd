"""The Optuna storage in the database of the store."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import optuna

from ablate.errors import StoreError, one_line
from ablate.store.database.address import shown
from ablate.store.database.engines import lock_at_begin, optuna_engine
from ablate.store.database.locks import making_tables
from ablate.store.database.problems import database_errors, store_error
from ablate.store.database.sqlite import reader

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ablate.store.database.sqlite import ReadOnly

#: The version that the installed Optuna works with, once it is known: asking loads all of Optuna's migrations.
_NEWEST: set[str] = set()


def open_storage(url: str, place: ReadOnly | None = None) -> optuna.storages.RDBStorage:
    """Open the Optuna tables of a database; they are made if there are none.

    Args:
        url: of the database.
        place: reads an SQLite file that has these tables, and is only read.

    Raises:
        StoreError: they are of another version of Optuna, or cannot be read or written.
    """
    optuna.logging.set_verbosity(optuna.logging.WARNING)  # otherwise it announces every study on stderr
    address, settings = optuna_engine(url, place)
    with storage_errors(url):
        with making_tables(url):
            # its own check of the version leaves the file open
            storage = optuna.storages.RDBStorage(address, settings, skip_compatibility_check=True)
        storage.url = url
        try:
            version = storage.get_current_version()
            if version not in _NEWEST:
                _check_version(storage, version)
        except BaseException:
            close_storage(storage)
            raise
    if not place:
        lock_at_begin(storage.engine)  # not before: while it makes its tables, Optuna works with two connections
    return storage


@contextlib.contextmanager
def reading_storage(url: str) -> Iterator[optuna.storages.RDBStorage | None]:
    """Open the Optuna tables of a database without writing anything; None if it has none.

    Raises:
        StoreError: they are of another version of Optuna, or cannot be read.
    """
    place = reader(url)
    with storage_errors(url), contextlib.ExitStack() as stack:
        if place:
            stack.callback(place.close)
            with contextlib.closing(place.connect()) as connection:
                if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'version_info'").fetchone():
                    yield None
                    return
        storage = open_storage(url, place)
        stack.callback(close_storage, storage)
        yield storage


def _check_version(storage: optuna.storages.RDBStorage, version: str) -> None:
    """Check the version of the tables.

    Raises:
        StoreError: it is not that of the installed Optuna.
    """
    if version == storage.get_head_version():
        _NEWEST.add(version)
        return
    older = version in storage.get_all_versions()
    where = shown(storage.url)
    todo = f"run: optuna storage upgrade --storage {where}" if older else "upgrade optuna"
    raise StoreError(f"the Optuna tables in {where} are of {'an older' if older else 'a newer'} optuna; {todo}")


def close_storage(storage: optuna.storages.RDBStorage) -> None:
    """Close the database."""
    storage.remove_session()
    storage.engine.dispose()


@contextlib.contextmanager
def storage_errors(url: str) -> Iterator[None]:
    """Turn an error of the database into a :class:`StoreError` of one line."""
    try:
        with database_errors(url):
            yield
    except optuna.exceptions.StorageInternalError as error:
        raise store_error(url, error.__cause__ or error) from error
    except (ArithmeticError, AssertionError, AttributeError, LookupError, TypeError, ValueError) as error:
        if not _is_of_rows(error):
            raise
        what = f"Optuna's tables have a row that Optuna cannot read ({one_line(error)[:200]})"
        raise StoreError(
            f"{shown(url)}: {what}; it was changed by hand or is damaged; no result is in these tables; put it right"
        ) from error


def _is_of_rows(error: BaseException) -> bool:
    """Return whether an error was raised inside Optuna or below it, where only a row can be the reason."""
    trace, name = error.__traceback__, ""
    while trace:
        name, trace = str(trace.tb_frame.f_globals.get("__name__", "")), trace.tb_next
    return name.partition(".")[0] in ("optuna", "sqlalchemy", "json")


def open_trial(study: optuna.Study, storage: optuna.storages.RDBStorage, number: int) -> optuna.Trial:
    """Return a running trial by its number, to report to it or to let it suggest levels.

    ``Study.ask`` returns a trial only once, but a command that resumes the trials of a killed one needs them again.
    """
    return optuna.Trial(study, trial_id(study, storage, number))


def read_trial(study: optuna.Study, storage: optuna.storages.RDBStorage, number: int) -> optuna.trial.FrozenTrial:
    """Return a trial as it is now; ``Study.get_trials`` would read all of them."""
    return storage.get_trial(trial_id(study, storage, number))


def trial_id(study: optuna.Study, storage: optuna.storages.RDBStorage, number: int) -> int:
    """Return the storage's id of a trial: only the storage has a public way from a trial's number to it."""
    return storage.get_trial_id_from_study_id_trial_number(storage.get_study_id_from_name(study.study_name), number)


def delete_trials(url: str, study: str) -> None:
    """Remove a study's trials from the database, if there are any.

    Raises:
        StoreError: the Optuna tables in the database are of another version, or cannot be written.
    """
    storage = open_storage(url)
    try:
        with storage_errors(url):
            if study in optuna.get_all_study_names(storage):
                optuna.delete_study(study_name=study, storage=storage)
    finally:
        close_storage(storage)
