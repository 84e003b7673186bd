"""Measurements and histograms of floors, apart from those of samples."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from ablate.store.database.columns import TEXT

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_JOINS = """
        FROM ablate_measurements AS m
        JOIN ablate_cell_stages AS link ON link.fingerprint = m.fingerprint
        JOIN ablate_cells AS cell ON cell.id = link.cell_id
        JOIN ablate_variants AS variant ON variant.id = cell.variant_id
        JOIN ablate_studies AS study ON study.id = variant.study_id
"""


def upgrade() -> None:
    """Apply."""
    # the view names the table's columns, and SQLite looks at it when the table is made again
    op.execute("DROP VIEW ablate_results")
    for table in ("ablate_measurements", "ablate_histograms"):
        with op.batch_alter_table(table, schema=None) as batch_op:
            batch_op.add_column(sa.Column("floor", TEXT, server_default=sa.text("''"), nullable=False))
    op.execute(
        f"""
        CREATE VIEW ablate_results AS
        SELECT study.name AS study, variant.name AS variant, cell.replicate, m.sample, m.metric, m.feature,
               m.value, m.unit, m.direction, m.n
        {_JOINS}
        WHERE m.floor = ''
        """
    )
    op.execute(
        f"""
        CREATE VIEW ablate_floors AS
        SELECT study.name AS study, variant.name AS variant, cell.replicate, m.floor, m.sample, m.metric, m.feature,
               m.value, m.unit, m.direction, m.n
        {_JOINS}
        WHERE m.floor <> ''
        """
    )
