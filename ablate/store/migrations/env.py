"""Run by Alembic; the connection comes from ``ablate.store.schema``."""

from __future__ import annotations

from alembic import context

from ablate.store.schema import VERSION_TABLE
from ablate.store.tables import Base

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    version_table=VERSION_TABLE,
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
