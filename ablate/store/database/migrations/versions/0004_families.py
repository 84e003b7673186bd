"""Families of comparisons are no longer a setting of a study."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_STUDIES = sa.table("ablate_studies", sa.column("id", sa.Integer), sa.column("spec", sa.JSON))


def upgrade() -> None:
    """Apply."""
    connection = op.get_bind()
    for row in connection.execute(sa.select(_STUDIES.c.id, _STUDIES.c.spec)).all():
        statistics = row.spec.get("statistics") or {}
        if "family" in statistics:
            kept = {key: value for key, value in statistics.items() if key != "family"}
            changed = {**row.spec, "statistics": kept}
            connection.execute(_STUDIES.update().where(_STUDIES.c.id == row.id).values(spec=changed))
