"""The looks at the verdicts of a study."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from ablate.store.database.columns import WHOLE

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_LOOKS = sa.table(
    "ablate_looks",
    sa.column("study_id", sa.Integer),
    sa.column("replicates", sa.Integer),
    sa.column("share", sa.Double),
    *(sa.column(name, sa.JSON) for name in ("states", "p", "variants")),
    sa.column("made", sa.DateTime),
)
_STUDIES = sa.table("ablate_studies", sa.column("id", sa.Integer), sa.column("updated", sa.DateTime))
_RUNS = sa.text(
    "SELECT variant.fingerprint, run.replicate, run.state FROM ablate_runs AS run "
    "JOIN ablate_variants AS variant ON variant.id = run.variant_id WHERE variant.study_id = :study"
)


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "ablate_looks",
        sa.Column("id", WHOLE, nullable=False),
        sa.Column("study_id", WHOLE, nullable=False),
        sa.Column("replicates", WHOLE, nullable=False),
        sa.Column("share", sa.Double(), nullable=True),
        sa.Column("states", sa.JSON(), nullable=False),
        sa.Column("p", sa.JSON(), nullable=False),
        sa.Column("variants", sa.JSON(), nullable=False),
        sa.Column("made", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["study_id"], ["ablate_studies.id"], name=op.f("fk_ablate_looks_study_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ablate_looks")),
    )
    op.create_index(op.f("ix_ablate_looks_study_id"), "ablate_looks", ["study_id"])
    _add_known_looks()


def _add_known_looks() -> None:
    """Add a look at the finished replicates of every study: the verdicts of a study that ran have been seen."""
    connection = op.get_bind()
    for study, updated in connection.execute(sa.select(_STUDIES.c.id, _STUDIES.c.updated)).all():
        runs = connection.execute(_RUNS, {"study": study}).all()
        unfinished = {replicate for _, replicate, state in runs if state in ("pending", "interrupted")}
        finished = {replicate for _, replicate, _ in runs} - unfinished
        if finished:
            variants = sorted({fingerprint for fingerprint, _, _ in runs})
            look = {"study_id": study, "replicates": len(finished), "share": 1.0, "states": {}, "p": {}}
            connection.execute(_LOOKS.insert().values(**look, variants=variants, made=updated))
