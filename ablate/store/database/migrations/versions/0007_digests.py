"""Digests of the files of a stage; unknown for stages before this."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.add_column("ablate_stages", sa.Column("files", sa.JSON(none_as_null=True), nullable=True))
