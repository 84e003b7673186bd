"""The connection of a store: transactions, and what becomes of an error in one.

An SQLite file that is only read is read without SQLAlchemy, which takes longer to import than most commands to answer.
"""

from __future__ import annotations

import contextlib
import functools
import itertools
import sqlite3
from typing import TYPE_CHECKING, Self

from ablate.errors import StoreError
from ablate.store.database import postgres, sqlite, versions
from ablate.store.database.execute import any_text, by_sqlalchemy, by_sqlite
from ablate.store.database.problems import database_errors
from ablate.store.database.watch import Watched, watched
from ablate.store.reading import problems
from ablate.store.reading.columns import DamagedRow
from ablate.store.reading.contents import contents
from ablate.store.reading.reader import Reader

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType

    import sqlalchemy as sa
    from sqlalchemy.orm import Session

    from ablate.store.reading.contents import Contents
    from ablate.store.reading.problems import RowProblem
    from ablate.store.reading.queries import Execute

#: The errors that a row with an impossible value can end in, where its column alone does not show that it is one.
_OF_ROWS = (ArithmeticError, AssertionError, AttributeError, LookupError, RecursionError, TypeError, ValueError)


class ConnectedReader(Reader):
    """The connection of a :class:`ablate.store.store.Store`; its arguments and errors are those of the store."""

    def __init__(self, url: str, *, writing: bool = True) -> None:
        self.url, self.writing = url, writing
        self._place = watched(url) if writing else sqlite.reader(url)
        self._current: Session | None = None
        self._execute: Execute | None = None
        self._plain = self._plainly_opened()
        if self._plain:
            return
        from ablate.store.database import schema

        try:
            schema.ensure(self._engine, writing=writing)
            if isinstance(self._place, Watched):
                with database_errors(url):
                    self._place.watch()
        except BaseException:
            self.close()
            raise

    def _plainly_opened(self) -> sqlite3.Connection | None:
        """Return a connection that needs no SQLAlchemy; None where only SQLAlchemy can open or explain the database."""
        if not isinstance(self._place, sqlite.ReadOnly):
            return None
        connection = None
        try:
            connection = self._place.connect()
            if versions.plainly(connection) == versions.newest():
                return connection
        except sqlite3.Error:
            pass  # the same error occurs again, where it is explained
        if connection:
            connection.close()
        return None

    @functools.cached_property
    def _engine(self) -> sa.Engine:
        from ablate.store.database import engines

        return engines.make_engine(self.url, self._place)

    def close(self) -> None:
        """Close the database."""
        if self._plain:
            self._plain.close()
        if "_engine" in vars(self):
            self._engine.dispose()
        if self._place:
            self._place.close()

    def check(self) -> None:
        """Check that the database is still the one that was opened.

        Raises:
            StoreError: its file was removed or replaced; the message has the path of everything that was written.
        """
        if self._place:
            with database_errors(self.url):
                self._place.check()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if isinstance(error, _OF_ROWS) and not isinstance(error, UnicodeError):
                self._blame_rows(error)
            self._check_at_end(error)
        finally:
            self.close()

    def _check_at_end(self, error: BaseException | None) -> None:
        try:
            self.check()
        except StoreError:
            if error is None or isinstance(error, StoreError):  # it may be the reason for the other one
                raise

    def _blame_rows(self, error: Exception) -> None:
        """Raise :class:`StoreError` if a row does not fit, which explains an error; otherwise it is a bug."""
        with contextlib.suppress(sqlite3.Error):  # the first error is the one to show
            problem = next(self.row_problems(), None)
            if problem:
                raise StoreError(problems.explained(self._shown, problem)) from error

    @property
    def _shown(self) -> str:
        from ablate.store.database import address

        return address.shown(self.url)

    def row_problems(self) -> Iterator[RowProblem]:
        """Yield the rows that ablate cannot use, or that do not fit together."""
        with self._lenient() as execute:
            found = problems.row_problems(execute)
            first = next(found, None)
            if first:
                yield from itertools.chain([first], found)
            else:
                yield from problems.related_problems(execute)

    def contents(self) -> Contents:
        """Return everything that has to agree with the files of a home, whatever the rows contain."""
        with self._lenient() as execute:
            return contents(execute, is_sqlite=self._plain is not None or self._engine.dialect.name == "sqlite")

    # Transactions

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """Make everything that a block writes and reads one transaction: all of it is written, or nothing."""
        with self._session() as session:
            self._current = session
            try:
                yield
            finally:
                self._current = None

    @contextlib.contextmanager
    def _session(self, *, reading: bool = False) -> Iterator[Session]:
        if self._current:
            yield self._current
            return
        from sqlalchemy.orm import Session

        options = postgres.READING if reading and self._engine.dialect.name == "postgresql" else {}
        engine = self._engine.execution_options(reading=reading, **options)
        try:
            with database_errors(self.url), Session(engine) as session, session.begin():
                yield session
        except StoreError:
            self.check()  # it may be the reason
            raise
        self.check()
        if not reading:
            self._check_lock()

    def _check_lock(self) -> None:
        if self._engine.dialect.name == "postgresql":
            from ablate.store.database import locks

            locks.check_held(self.url)

    @contextlib.contextmanager
    def _reading(self) -> Iterator[Execute]:
        if self._execute:
            yield self._execute
            return
        try:
            if self._plain:
                with self._plainly(self._plain) as execute:
                    yield execute
            else:
                with self._session(reading=True) as session:
                    yield functools.partial(by_sqlalchemy, session)
        except DamagedRow as error:
            problem = next(self.row_problems(), None)
            what = problems.explained(self._shown, problem) if problem else f"{self._shown}: {error}"
            raise StoreError(what) from error

    @contextlib.contextmanager
    def _plainly(self, connection: sqlite3.Connection) -> Iterator[Execute]:
        try:
            connection.execute("BEGIN")
            self._execute = functools.partial(by_sqlite, connection)
            yield self._execute
        except sqlite3.DatabaseError:
            with database_errors(self.url):
                raise
        finally:
            self._execute = None
            if connection.in_transaction:
                connection.rollback()
        self.check()

    @contextlib.contextmanager
    def _lenient(self) -> Iterator[Execute]:
        """Return a transaction that reads also texts that are no UTF-8, with surrogates in place of their bytes."""
        if self._plain:
            with self._plainly(self._plain) as execute, any_text(self._plain):
                yield execute
            return
        with (
            self._session(reading=True) as session,
            any_text(session.connection().connection.driver_connection),
        ):
            yield functools.partial(by_sqlalchemy, session)
