"""Connections to a PostgreSQL database: patience, one writer at a time as in an SQLite file, and errors for people."""

from __future__ import annotations

import hashlib
import json
import re
from typing import TYPE_CHECKING, Any

from ablate.errors import StoreError, UsageError
from ablate.store.database import address, sqlite

if TYPE_CHECKING:
    import sqlalchemy as sa

DRIVER = "postgresql+psycopg"
#: Seconds to wait for a server to answer at all.
_CONNECT_SECONDS = 30
#: Both sides notice a machine that is gone, or a cable that was cut, after about a minute.
_ALIVE = {"keepalives_idle": 30, "keepalives_interval": 10, "keepalives_count": 3, "tcp_user_timeout": 60_000}
_ALIVE_THERE = ("tcp_keepalives_idle=30", "tcp_keepalives_interval=10", "tcp_keepalives_count=3")
_AGAIN = "then run the same command again"
_SERVER = f"look whether the server runs, and at the host and the port in --store; {_AGAIN}"
_USER = "look at the user and the password in --store"
_OPTION, _OPTIONS = "invalid connection option", "look at the options behind the ? in --store"
#: The advice where a table was removed by hand, up to the options that choose another database.
REMOVED = "its tables are not those that ablate has made: put back a copy of it, or choose another"
#: What to do about an error, by its SQLSTATE or the beginning of that.
_BY_STATE = {
    "55P03": "another program is writing to it; try again when it is done",
    "57014": f"the server has limited the time of a statement; raise its statement_timeout, {_AGAIN}",
    "42P01": f"{REMOVED} --store",
    "42703": f"{REMOVED} --store",
    "42501": "its user needs the right to make, read and write tables there",
    "3F000": "its user needs a schema to make tables in, such as public",
    "25006": "the server can only be read; choose the one that can be written",
    "53100": f"free some space on the disk of the server, {_AGAIN}",
    "53": f"the server has too much to do; {_AGAIN}",
    "08": _SERVER,
    "57P": _SERVER,
}
#: What to do about an error of connecting, which has no SQLSTATE, by a part of its text.
_BY_TEXT = {
    _OPTION: _OPTIONS,
    "configuration parameter": _OPTIONS,
    "password": _USER,
    "role ": _USER,
    "authentication": _USER,
    "no pg_hba.conf entry": "the server does not let this user in from this machine; look at its pg_hba.conf",
    "database ": "make this database first (createdb NAME), or look at its name in --store",
    "too many clients": f"the server has too many connections; {_AGAIN}",
    "connection": _SERVER,
    "resolve host": _SERVER,
    "timeout": _SERVER,
}
#: What libpq asks at the end of an error of connecting.
_QUESTION = re.compile(r"\s*Is the server running [^?]*\?")
#: Errors that SQLAlchemy takes for those of a program, and that somebody else has made.
_NOT_OURS = frozenset(("42P01", "42703", "42501", "3F000"))


def is_postgres(url: str | sa.URL) -> bool:
    """Return whether a URL is that of a PostgreSQL database."""
    return str(url).lower().startswith(("postgresql", "postgres:"))


def settings(url: sa.URL, name: str = "ablate") -> dict[str, Any]:
    """Return what the driver is called with beside the URL, except for what the URL sets itself.

    Args:
        url: of the database.
        name: of the connection, which the server shows; at most 63 bytes are.

    Raises:
        UsageError: the URL names another driver.
    """
    if url.drivername != DRIVER:
        shown = address.shown(url)
        raise UsageError(f"--store {shown}: PostgreSQL is used with one driver only; begin the URL with {DRIVER}://")
    limits = (f"lock_timeout={sqlite.BUSY_MS}", *_ALIVE_THERE)
    asked = url.query.get("options", "")
    options = " ".join([*(f"-c {limit}" for limit in limits), *((asked,) if isinstance(asked, str) else asked)])
    known = {"application_name": name, "connect_timeout": _CONNECT_SECONDS, "client_encoding": "utf8", **_ALIVE}
    return {key: value for key, value in known.items() if key not in url.query} | {"options": options.strip()}


def key_of(text: str) -> int:
    """Return the number of an advisory lock: 64 bits of a digest."""
    return int.from_bytes(hashlib.sha256(f"ablate {text}".encode()).digest()[:8], signed=True)


_WRITER = key_of("writer")


def begin(connection: sa.Connection) -> None:
    """Let a transaction that writes wait until no other one does, as in an SQLite file."""
    if not connection.get_execution_options().get("reading", False):
        connection.exec_driver_sql("SELECT pg_advisory_xact_lock(%s)", (_WRITER,))


#: The settings of transactions that read: all queries of one see the same state.
READING = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}


def loads(text: str | bytes) -> Any:
    """Return the data of a JSON column; as text where they hold half a surrogate pair, which its check then names."""
    plain = text if isinstance(text, str) else text.decode()
    data = json.loads(plain)
    if "\\ud" in plain.lower():
        try:
            json.dumps(data, ensure_ascii=False).encode()
        except UnicodeEncodeError:
            return plain
    return data


def check_encoding(connection: sa.Connection) -> None:
    """Check that a database can hold every text.

    Raises:
        StoreError: it cannot.
    """
    if connection.dialect.name != "postgresql":
        return
    encoding = connection.exec_driver_sql("SHOW server_encoding").scalar()
    if encoding != "UTF8":
        where = address.shown(connection.engine.url)
        raise StoreError(f"{where} has the encoding {encoding}; make one with UTF8 (createdb -E UTF8 -T template0)")


def text_of(error: BaseException) -> str:
    """Return the message of the server alone, without the statement; empty for an error of another database.

    Of an error of connecting it is the text of libpq without its question, which :func:`hint` answers.
    """
    if not type(error).__module__.startswith("psycopg"):
        return ""
    told = getattr(getattr(error, "diag", None), "message_primary", None)
    return str(told) if told else _QUESTION.sub("", str(error))


def hint(error: BaseException) -> str:
    """Return what to do about an error of psycopg; empty for an error of another database."""
    if not type(error).__module__.startswith("psycopg"):
        return ""
    state, text = getattr(error, "sqlstate", None) or "", str(error)
    for table, found in ((_BY_STATE, state.startswith), (_BY_TEXT, text.__contains__)):
        todo = next((todo for part, todo in table.items() if found(part)), "")
        if todo:
            return todo
    return ""


def is_of_environment(error: BaseException | None) -> bool:
    """Return whether an error that looks like one of a program was made by somebody else: a table was removed, say."""
    return (getattr(error, "sqlstate", None) or "") in _NOT_OURS or str(error).startswith(_OPTION)
