"""Locks of commands in a PostgreSQL database, which several homes use: of one study, or of the whole database.

A lock belongs to a connection of its own, so that the server releases it with the process that holds it. The name of
the connection says who that is.
"""

from __future__ import annotations

import contextlib
import os
import socket
import time
from typing import TYPE_CHECKING

import sqlalchemy as sa

from ablate.errors import HomeError, StoreError
from ablate.printable import printable
from ablate.store.database import address, postgres
from ablate.store.database.engines import create_engine
from ablate.store.database.problems import database_errors

if TYPE_CHECKING:
    from collections.abc import Iterator

_WHOLE, _TABLES = postgres.key_of("database"), postgres.key_of("tables of Optuna")
#: The connections with the locks of this process, by the URL of their database.
_HELD: dict[str, list[sa.Connection]] = {}
_HOLDERS = """
    SELECT DISTINCT activity.application_name FROM pg_locks AS lock JOIN pg_stat_activity AS activity USING (pid)
    WHERE lock.locktype = 'advisory' AND lock.granted AND lock.objsubid = 1 AND activity.datname = current_database()
    AND lock.database = (SELECT oid FROM pg_database WHERE datname = current_database())
    AND (lock.classid::bigint << 32) | lock.objid::bigint = %s AND lock.pid <> pg_backend_pid()
"""


@contextlib.contextmanager
def only_study(url: str, study: str, *, whole: bool = False) -> Iterator[None]:
    """Keep other commands, of any home and machine, from the same study of a PostgreSQL database.

    Nothing is done for another database: one that is a file has its lock beside it.

    Args:
        url: of the database.
        study: its name.
        whole: keep others from every study instead.

    Raises:
        HomeError: another command has the study; the message describes it.
        StoreError: the server cannot be reached.
    """
    if not postgres.is_postgres(url):
        yield
        return
    with _connected(url) as connection:
        with database_errors(url):
            _take(connection, url, study, whole=whole)
        held = _HELD.setdefault(url, [])
        held.append(connection)
        try:
            yield
        finally:
            held.remove(connection)


def check_held(url: str) -> None:
    """Check that the server still holds the locks of this process in a database.

    Raises:
        StoreError: it does not, so that another command may have taken the study.
    """
    for connection in _HELD.get(url, ()):
        try:
            connection.exec_driver_sql("SELECT 1")
        except sa.exc.DBAPIError as error:
            raise StoreError(
                f"{address.shown(url)}: the server has ended the connection that holds the study for this command, so "
                "that another one may run it; run the same command again"
            ) from error


@contextlib.contextmanager
def making_tables(url: str) -> Iterator[None]:
    """Let one command at a time make Optuna's tables, which Optuna does in several transactions."""
    if not postgres.is_postgres(url):
        yield
        return
    with _connected(url) as connection:
        connection.exec_driver_sql("SELECT pg_advisory_lock(%s)", (_TABLES,))
        yield


@contextlib.contextmanager
def _connected(url: str) -> Iterator[sa.Connection]:
    name = f"ablate {os.getpid()} {time.time():.0f} {socket.gethostname()}"
    engine = create_engine(url, name=name, poolclass=sa.NullPool, isolation_level="AUTOCOMMIT")
    with contextlib.ExitStack() as stack:
        with database_errors(url):
            connection = engine.connect()
        stack.callback(_closed, connection)
        yield connection


def _closed(connection: sa.Connection) -> None:
    """Close a connection, which the server may have ended already."""
    with contextlib.suppress(sa.exc.DBAPIError):
        connection.close()


def _take(connection: sa.Connection, url: str, study: str, *, whole: bool) -> None:
    own = postgres.key_of(f"study {study}")
    locks = [(_WHOLE, "")] if whole else [(_WHOLE, "_shared"), (own, "")]
    for key, how in locks:
        if connection.exec_driver_sql(f"SELECT pg_try_advisory_lock{how}(%s)", (key,)).scalar():
            continue
        names = connection.exec_driver_sql(_HOLDERS, (key,)).scalars().all()
        where, who = address.shown(url), ", ".join(map(_who, names)) or "another ablate command"
        if key == own:
            what = f"study '{study}' is in use in {where}"
            raise HomeError(f"{what}: {who} has it; wait for it, or choose another --name or --store")
        raise HomeError(f"{where} is in use: {who} {'has a study' if whole else 'checks or cleans it'}; wait for it")


def _who(name: str) -> str:
    """Return for people who has a connection of a name that :func:`_connected` made."""
    words = name.split(maxsplit=3)
    if len(words) < 4 or words[0] != "ablate" or not (words[1].isdigit() and words[2].isdigit()):
        return "another ablate command"
    minutes = max(0.0, time.time() - int(words[2])) / 60
    return f"process {words[1]} on {printable(words[3])}, for {minutes:.0f} min,"
