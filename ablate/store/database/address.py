"""Addresses of databases: SQLAlchemy URLs as people write them, as SQLAlchemy reads them, and as messages show them."""

from __future__ import annotations

import re
import urllib.parse
from pathlib import Path
from typing import TYPE_CHECKING

from ablate.errors import HomeError, UsageError, one_line
from ablate.home import DATABASE
from ablate.printable import has_bytes, printable

if TYPE_CHECKING:
    from collections.abc import Iterable

    import sqlalchemy as sa

#: The beginning of an SQLite URL with any driver, up to the path.
_SQLITE = re.compile(r"(sqlite(?:\+\w+)?):///", re.IGNORECASE)
#: Characters of a path that mean something else in a URL.
_QUOTED = str.maketrans({each: urllib.parse.quote(each) for each in "%?#"})
#: Names of settings in a URL's query whose values are secret.
_SECRET = re.compile(r"pass|pwd|secret|token", re.IGNORECASE)
#: The password of a URL with its ``@``, also where it has characters that should have been quoted.
_PASSWORD = re.compile(r"(?<=://)([^:/@\s]*):(.*)@", re.DOTALL)
_HIDDEN = "***"
#: PostgreSQL without a driver, as people write it.
_POSTGRES = ("postgresql", "postgres")


def sqlite_url(file: Path) -> str:
    """Return the URL of an SQLite file, whatever characters its path has."""
    return f"sqlite:///{str(file).translate(_QUOTED)}"


def home_url(home: Path) -> str:
    """Return the URL of a home's own database.

    Raises:
        HomeError: the path is no text, as a URL is.
    """
    if has_bytes(str(home)):
        raise HomeError(f"{printable(str(home))} is not valid UTF-8; choose another folder with --home")
    return sqlite_url(home / DATABASE)


def parsed(url: str) -> sa.URL:
    """Return a URL as SQLAlchemy reads it; the quoted characters of an SQLite path are those that they stand for.

    Raises:
        UsageError: it is no URL.
    """
    try:
        return _parsed(url)
    except ValueError as error:
        raise UsageError(unusable(url, error)) from error


def _parsed(url: str) -> sa.URL:
    """Return a URL as SQLAlchemy reads it; raises ValueError."""
    import sqlalchemy as sa  # takes longer than most commands

    scheme = _SQLITE.match(url)
    if scheme is None:
        password = _PASSWORD.search(url.partition("?")[0])
        if password and set("@/").intersection(password[2]):
            raise ValueError("in a password, @ is written %40 and / is written %2F")
        try:
            found = sa.make_url(url)
        except sa.exc.ArgumentError as error:
            raise ValueError(str(error)) from error
        # the driver that SQLAlchemy chooses changed between its versions
        return found.set(drivername="postgresql+psycopg") if found.drivername in _POSTGRES else found
    # older versions of SQLAlchemy do not decode the path
    path, _, query = url[scheme.end() :].partition("?")
    settings = dict(urllib.parse.parse_qsl(query))
    return sa.URL.create(scheme[1].lower(), database=urllib.parse.unquote(path) or None, query=settings)


def has_plain_path(url: str) -> bool:
    """Return whether a URL names an SQLite file by its path alone, without settings."""
    return _SQLITE.match(url) is not None and "?" not in url and _path(url) not in ("", ":memory:")


def _path(url: str) -> str:
    """Return the path of an SQLite URL without settings."""
    return urllib.parse.unquote(url.partition("///")[2])


def sqlite_file(url: str) -> Path | None:
    """Return the absolute path of an SQLite URL with any driver; None for another database or one in memory."""
    if has_plain_path(url):
        return Path(_path(url)).resolve()
    try:
        address = parsed(url)
    except UsageError:
        return None  # reported when the store is opened
    if address.get_backend_name() != "sqlite" or not address.database or address.database == ":memory:":
        return None
    if "uri" in address.query:  # the database is a URI of SQLite's own
        return Path(urllib.parse.unquote(address.database.removeprefix("file:").partition("?")[0])).resolve()
    return Path(address.database).resolve()


def shown(url: str | sa.URL) -> str:
    """Return a URL for messages and commands, without the password."""
    if isinstance(url, str):
        if has_plain_path(url):
            return f"{url.partition(':')[0].lower()}:///{_path(url).translate(_QUOTED)}"
        hidden = _PASSWORD.sub(rf"\1:{_HIDDEN}@", url)
        try:
            return shown(_parsed(hidden))
        except ValueError:
            return hidden
    if url.get_backend_name() == "sqlite" and not url.query:
        return f"{url.drivername}:///{(url.database or '').translate(_QUOTED)}"
    query = {key: _HIDDEN if _SECRET.search(key) else value for key, value in url.query.items()}
    return url.set(query=query).render_as_string()


def without_secrets(text: str, url: str | sa.URL) -> str:
    """Return a text, such as a driver's error, without the URL's password."""
    for secret in sorted(set(_secrets(url)), key=len, reverse=True):
        text = text.replace(secret, _HIDDEN)
    return text


def _secrets(url: str | sa.URL) -> Iterable[str]:
    if isinstance(url, str):
        yield from (password for _, password in _PASSWORD.findall(url) if password)
        try:
            url = _parsed(url)
        except ValueError:
            return
    values = [url.password, *(value for key, value in url.query.items() if _SECRET.search(key))]
    for value in values:
        for each in (value,) if isinstance(value, str) else value or ():
            if each:
                yield from (str(each), urllib.parse.quote(str(each)), urllib.parse.quote_plus(str(each)))


def unusable(url: str, error: BaseException) -> str:
    """Return the message about a URL that no database can be opened with."""
    reason = without_secrets(one_line(error), url)
    if isinstance(error, ImportError) and "psycopg" in reason:
        return f"--store {shown(url)}: PostgreSQL needs psycopg ({reason}); pip install 'ablate-music[postgres]'"
    return f"--store {shown(url)}: no usable database URL ({reason}); e.g. sqlite:///results.db"
