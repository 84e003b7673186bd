"""Cells are called runs."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from ablate.store.database.columns import TEXT, WHOLE

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_VIEWS = {"ablate_results": ("", "m.floor = ''"), "ablate_floors": ("m.floor, ", "m.floor <> ''")}


def upgrade() -> None:
    """Apply."""
    for view in _VIEWS:
        op.execute(f"DROP VIEW {view}")
    # new tables and not renamed ones, so that constraints and indexes carry the new name too
    _create_tables()
    op.execute(
        "INSERT INTO ablate_runs (id, variant_id, replicate, config, state, error_class, error) "
        "SELECT id, variant_id, replicate, config, state, error_class, error FROM ablate_cells"
    )
    op.execute(
        "INSERT INTO ablate_run_stages (run_id, name, fingerprint) "
        "SELECT cell_id, name, fingerprint FROM ablate_cell_stages"
    )
    if op.get_bind().dialect.name == "postgresql":
        # the sequence behind the column has not noticed the copied numbers
        op.execute(
            "SELECT setval(pg_get_serial_sequence('ablate_runs', 'id'), "
            "(SELECT coalesce(max(id), 0) + 1 FROM ablate_runs), false)"
        )
    op.drop_table("ablate_cell_stages")
    op.drop_table("ablate_cells")
    for view, (column, condition) in _VIEWS.items():
        op.execute(
            f"""
            CREATE VIEW {view} AS
            SELECT study.name AS study, variant.name AS variant, run.replicate, {column}m.sample, m.metric, m.feature,
                   m.value, m.unit, m.direction, m.n
            FROM ablate_measurements AS m
            JOIN ablate_run_stages AS link ON link.fingerprint = m.fingerprint
            JOIN ablate_runs AS run ON run.id = link.run_id
            JOIN ablate_variants AS variant ON variant.id = run.variant_id
            JOIN ablate_studies AS study ON study.id = variant.study_id
            WHERE {condition}
            """  # noqa: S608 - both parts are the constants above
        )


def _create_tables() -> None:
    op.create_table(
        "ablate_runs",
        sa.Column("id", WHOLE, nullable=False),
        sa.Column("variant_id", WHOLE, nullable=False),
        sa.Column("replicate", WHOLE, nullable=False),
        sa.Column("config", sa.JSON(), nullable=False),
        sa.Column("state", TEXT, nullable=False),
        sa.Column("error_class", TEXT, nullable=False),
        sa.Column("error", TEXT, nullable=False),
        sa.ForeignKeyConstraint(
            ["variant_id"], ["ablate_variants.id"], name=op.f("fk_ablate_runs_variant_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ablate_runs")),
        sa.UniqueConstraint("variant_id", "replicate", name=op.f("uq_ablate_runs_variant_id")),
    )
    op.create_index(op.f("ix_ablate_runs_variant_id"), "ablate_runs", ["variant_id"])
    op.create_table(
        "ablate_run_stages",
        sa.Column("run_id", WHOLE, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("fingerprint", TEXT, nullable=False),
        sa.ForeignKeyConstraint(
            ["run_id"], ["ablate_runs.id"], name=op.f("fk_ablate_run_stages_run_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("run_id", "name", name=op.f("pk_ablate_run_stages")),
    )
    op.create_index(op.f("ix_ablate_run_stages_fingerprint"), "ablate_run_stages", ["fingerprint"])
