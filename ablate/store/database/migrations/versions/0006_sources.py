"""Digests of the source of the components, and of the files, that a stage used; unknown for stages before this."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from ablate.store.database.columns import TEXT

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "ablate_sources",
        sa.Column("digest", TEXT, nullable=False),
        sa.Column("facts", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_ablate_sources")),
    )
    op.add_column("ablate_stages", sa.Column("sources", TEXT, nullable=True))
