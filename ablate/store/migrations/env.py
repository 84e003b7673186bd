"""Run by Alembic; the connection comes from ``ablate.store.schema``."""

from __future__ import annotations

from alembic import context

from ablate.store.tables import Base
from ablate.store.versions import VERSION_TABLE

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    version_table=VERSION_TABLE,
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
