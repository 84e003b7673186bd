"""The Optuna storage in the database of the store."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import optuna

from ablate.errors import StoreError, one_line

if TYPE_CHECKING:
    from collections.abc import Iterator

#: The version that the installed Optuna works with, once it is known: asking loads all of Optuna's migrations.
_NEWEST: set[str] = set()


def open_storage(url: str) -> optuna.storages.RDBStorage:
    """Open the Optuna tables of a database; they are made if there are none.

    Raises:
        StoreError: they are of another version of Optuna.
    """
    optuna.logging.set_verbosity(optuna.logging.WARNING)  # otherwise it announces every study on stderr
    storage = optuna.storages.RDBStorage(url, skip_compatibility_check=True)  # its own check leaves the file open
    version = storage.get_current_version()
    if version in _NEWEST or version == storage.get_head_version():
        _NEWEST.add(version)
        return storage
    older = version in storage.get_all_versions()
    close_storage(storage)
    where = storage_url(storage)
    todo = f"run: optuna storage upgrade --storage {where}" if older else "upgrade optuna"
    raise StoreError(f"the Optuna tables in {where} are of {'an older' if older else 'a newer'} optuna; {todo}")


def close_storage(storage: optuna.storages.RDBStorage) -> None:
    """Close the database."""
    storage.remove_session()
    storage.engine.dispose()


def storage_url(storage: optuna.storages.RDBStorage) -> str:
    """Return the URL of the database, for messages; without a password."""
    return str(storage.engine.url.render_as_string())


@contextlib.contextmanager
def storage_errors(storage: optuna.storages.RDBStorage) -> Iterator[None]:
    """Turn an error of the database into a :class:`StoreError` of one line."""
    try:
        yield
    except optuna.exceptions.StorageInternalError as error:
        cause = one_line(getattr(error.__cause__, "orig", error))
        raise StoreError(f"{storage_url(storage)}: {cause}; nothing that was finished is lost") from error


def open_trial(study: optuna.Study, storage: optuna.storages.RDBStorage, number: int) -> optuna.Trial:
    """Return a running trial by its number, to report to it or to let it suggest levels.

    ``Study.ask`` returns a trial only once, but a command that resumes the trials of a killed one needs them again.
    """
    return optuna.Trial(study, _trial_id(study, storage, number))


def read_trial(study: optuna.Study, storage: optuna.storages.RDBStorage, number: int) -> optuna.trial.FrozenTrial:
    """Return a trial as it is now; ``Study.get_trials`` would read all of them."""
    return storage.get_trial(_trial_id(study, storage, number))


def _trial_id(study: optuna.Study, storage: optuna.storages.RDBStorage, number: int) -> int:
    """Return the storage's id of a trial: only the storage has a public way from a trial's number to it."""
    return storage.get_trial_id_from_study_id_trial_number(storage.get_study_id_from_name(study.study_name), number)


def delete_trials(url: str, study: str) -> None:
    """Remove a study's trials from the database, if there are any.

    Raises:
        StoreError: the Optuna tables in the database are of another version, or cannot be written.
    """
    storage = open_storage(url)
    try:
        with storage_errors(storage):
            if study in optuna.get_all_study_names(storage):
                optuna.delete_study(study_name=study, storage=storage)
    finally:
        close_storage(storage)
