"""The first tables, and a view of every number for people with an SQL prompt."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from ablate.store.database.columns import TEXT, WHOLE

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "ablate_environments",
        sa.Column("digest", TEXT, nullable=False),
        sa.Column("facts", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_ablate_environments")),
    )
    op.create_table(
        "ablate_studies",
        sa.Column("id", WHOLE, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("spec", sa.JSON(), nullable=False),
        sa.Column("profile", TEXT, nullable=False),
        sa.Column("corpus", TEXT, nullable=False),
        sa.Column("seed", WHOLE, nullable=False),
        sa.Column("created", sa.DateTime(), nullable=False),
        sa.Column("updated", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ablate_studies")),
        sa.UniqueConstraint("name", name=op.f("uq_ablate_studies_name")),
    )
    op.create_table(
        "ablate_stages",
        sa.Column("fingerprint", TEXT, nullable=False),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("config", sa.JSON(), nullable=False),
        sa.Column("result", sa.JSON(), nullable=False),
        sa.Column("artifact", TEXT, nullable=False),
        sa.Column("device", TEXT, nullable=False),
        sa.Column("seconds", sa.Double(), nullable=False),
        sa.Column("environment", TEXT, nullable=False),
        sa.Column("finished", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["environment"], ["ablate_environments.digest"], name=op.f("fk_ablate_stages_environment")
        ),
        sa.PrimaryKeyConstraint("fingerprint", name=op.f("pk_ablate_stages")),
    )
    with op.batch_alter_table("ablate_stages", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_ablate_stages_kind"), ["kind"], unique=False)

    op.create_table(
        "ablate_variants",
        sa.Column("id", WHOLE, nullable=False),
        sa.Column("study_id", WHOLE, nullable=False),
        sa.Column("position", WHOLE, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("fingerprint", TEXT, nullable=False),
        sa.Column("levels", sa.JSON(), nullable=False),
        sa.Column("baseline", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["study_id"], ["ablate_studies.id"], name=op.f("fk_ablate_variants_study_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ablate_variants")),
        sa.UniqueConstraint("study_id", "name", name=op.f("uq_ablate_variants_study_id")),
    )
    with op.batch_alter_table("ablate_variants", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_ablate_variants_study_id"), ["study_id"], unique=False)

    op.create_table(
        "ablate_cells",
        sa.Column("id", WHOLE, nullable=False),
        sa.Column("variant_id", WHOLE, nullable=False),
        sa.Column("replicate", WHOLE, nullable=False),
        sa.Column("config", sa.JSON(), nullable=False),
        sa.Column("state", TEXT, nullable=False),
        sa.Column("error_class", TEXT, nullable=False),
        sa.Column("error", TEXT, nullable=False),
        sa.ForeignKeyConstraint(
            ["variant_id"], ["ablate_variants.id"], name=op.f("fk_ablate_cells_variant_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ablate_cells")),
        sa.UniqueConstraint("variant_id", "replicate", name=op.f("uq_ablate_cells_variant_id")),
    )
    with op.batch_alter_table("ablate_cells", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_ablate_cells_variant_id"), ["variant_id"], unique=False)

    op.create_table(
        "ablate_histograms",
        sa.Column("id", WHOLE, nullable=False),
        sa.Column("fingerprint", TEXT, nullable=False),
        sa.Column("sample", WHOLE, nullable=False),
        sa.Column("metric", TEXT, nullable=False),
        sa.Column("feature", TEXT, nullable=False),
        sa.Column("unit", TEXT, nullable=False),
        sa.Column("edges", sa.JSON(), nullable=False),
        sa.Column("reference", sa.JSON(), nullable=False),
        sa.Column("generated", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["fingerprint"],
            ["ablate_stages.fingerprint"],
            name=op.f("fk_ablate_histograms_fingerprint"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ablate_histograms")),
    )
    with op.batch_alter_table("ablate_histograms", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_ablate_histograms_fingerprint"), ["fingerprint"], unique=False)

    op.create_table(
        "ablate_measurements",
        sa.Column("id", WHOLE, nullable=False),
        sa.Column("fingerprint", TEXT, nullable=False),
        sa.Column("sample", WHOLE, nullable=False),
        sa.Column("metric", TEXT, nullable=False),
        sa.Column("feature", TEXT, nullable=False),
        sa.Column("value", sa.Double(), nullable=False),
        sa.Column("unit", TEXT, nullable=False),
        sa.Column("direction", TEXT, nullable=False),
        sa.Column("n", WHOLE, nullable=False),
        sa.ForeignKeyConstraint(
            ["fingerprint"],
            ["ablate_stages.fingerprint"],
            name=op.f("fk_ablate_measurements_fingerprint"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ablate_measurements")),
    )
    with op.batch_alter_table("ablate_measurements", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_ablate_measurements_fingerprint"), ["fingerprint"], unique=False)

    op.create_table(
        "ablate_cell_stages",
        sa.Column("cell_id", WHOLE, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("fingerprint", TEXT, nullable=False),
        sa.ForeignKeyConstraint(
            ["cell_id"], ["ablate_cells.id"], name=op.f("fk_ablate_cell_stages_cell_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("cell_id", "name", name=op.f("pk_ablate_cell_stages")),
    )
    with op.batch_alter_table("ablate_cell_stages", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_ablate_cell_stages_fingerprint"), ["fingerprint"], unique=False)
    op.execute(
        """
        CREATE VIEW ablate_results AS
        SELECT study.name AS study, variant.name AS variant, cell.replicate, m.sample, m.metric, m.feature,
               m.value, m.unit, m.direction, m.n
        FROM ablate_measurements AS m
        JOIN ablate_cell_stages AS link ON link.fingerprint = m.fingerprint
        JOIN ablate_cells AS cell ON cell.id = link.cell_id
        JOIN ablate_variants AS variant ON variant.id = cell.variant_id
        JOIN ablate_studies AS study ON study.id = variant.study_id
        """
    )
