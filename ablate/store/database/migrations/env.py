"""Run by Alembic; the connection comes from ``ablate.store.database.schema``."""

from __future__ import annotations

from alembic import context

from ablate.store.database.tables import Base
from ablate.store.database.versions import VERSION_TABLE

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    version_table=VERSION_TABLE,
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
