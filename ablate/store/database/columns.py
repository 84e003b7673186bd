"""The types of columns that mean the same in every database."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import BigInteger, DateTime, Integer, String
from sqlalchemy.types import TypeDecorator

#: Text that is sorted by code points, as SQLite does it; a PostgreSQL database has a language of its own.
TEXT = String().with_variant(String(collation="C"), "postgresql")
#: Whole numbers of 64 bits, as SQLite has them.
WHOLE = Integer().with_variant(BigInteger(), "postgresql")


class UTCDateTime(TypeDecorator[datetime]):
    """A time in UTC: databases store these times without a time zone, so it is added on reading."""

    impl = DateTime
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Any) -> datetime | None:
        """Return the time in UTC without a time zone."""
        del dialect
        return value.astimezone(UTC).replace(tzinfo=None) if value else None

    def process_result_value(self, value: datetime | None, dialect: Any) -> datetime | None:
        """Return the time with the time zone UTC."""
        del dialect
        return value.replace(tzinfo=UTC) if value else None
