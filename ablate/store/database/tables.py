"""The tables. All have the prefix ``ablate_``, because Optuna's tables are in the same file."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Double, ForeignKey, MetaData, UniqueConstraint
from sqlalchemy import text as sa_text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

from ablate.store.database.columns import TEXT, WHOLE, UTCDateTime

# Alembic can only alter a constraint that has a name.
_NAMES = {
    "ix": "ix_%(column_0_label)s",
    "uq": "uq_%(table_name)s_%(column_0_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s",
    "pk": "pk_%(table_name)s",
}


class Base(DeclarativeBase):
    """Base of all tables."""

    metadata = MetaData(naming_convention=_NAMES)
    type_annotation_map = {  # noqa: RUF012 - SQLAlchemy's way
        dict[str, Any]: JSON,
        list[float]: JSON,
        list[str]: JSON,
        datetime: UTCDateTime,
        str: TEXT,
        int: WHOLE,
        float: Double,  # SQLAlchemy's own choice changed between its versions
    }


class Study(Base):
    """A study as the last command ran it."""

    __tablename__ = "ablate_studies"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    spec: Mapped[dict[str, Any]]
    profile: Mapped[str]
    corpus: Mapped[str]
    seed: Mapped[int]
    created: Mapped[datetime]
    updated: Mapped[datetime]
    variants: Mapped[list[Variant]] = relationship(
        back_populates="study", cascade="all, delete-orphan", order_by="Variant.position"
    )


class Variant(Base):
    """One assignment of a level to every axis."""

    __tablename__ = "ablate_variants"
    __table_args__ = (UniqueConstraint("study_id", "name"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    study_id: Mapped[int] = mapped_column(ForeignKey("ablate_studies.id", ondelete="CASCADE"), index=True)
    position: Mapped[int]
    name: Mapped[str]
    fingerprint: Mapped[str]
    levels: Mapped[dict[str, Any]]
    baseline: Mapped[bool]
    study: Mapped[Study] = relationship(back_populates="variants")
    runs: Mapped[list[Run]] = relationship(
        back_populates="variant", cascade="all, delete-orphan", order_by="Run.replicate"
    )


class Run(Base):
    """One variant in one replicate."""

    __tablename__ = "ablate_runs"
    __table_args__ = (UniqueConstraint("variant_id", "replicate"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    variant_id: Mapped[int] = mapped_column(ForeignKey("ablate_variants.id", ondelete="CASCADE"), index=True)
    replicate: Mapped[int]
    config: Mapped[dict[str, Any]]
    state: Mapped[str]
    error_class: Mapped[str]
    error: Mapped[str]
    variant: Mapped[Variant] = relationship(back_populates="runs")
    stages: Mapped[list[RunStage]] = relationship(back_populates="run", cascade="all, delete-orphan")


class Look(Base):
    """A look at the verdicts of a study."""

    __tablename__ = "ablate_looks"

    id: Mapped[int] = mapped_column(primary_key=True)
    study_id: Mapped[int] = mapped_column(ForeignKey("ablate_studies.id", ondelete="CASCADE"), index=True)
    replicates: Mapped[int]
    share: Mapped[float | None]
    states: Mapped[dict[str, Any]]
    p: Mapped[dict[str, Any]]
    variants: Mapped[list[str]]
    made: Mapped[datetime]


class RunStage(Base):
    """A stage of a run; it has no foreign key, because the stage may not have run yet."""

    __tablename__ = "ablate_run_stages"

    run_id: Mapped[int] = mapped_column(ForeignKey("ablate_runs.id", ondelete="CASCADE"), primary_key=True)
    name: Mapped[str] = mapped_column(primary_key=True)
    fingerprint: Mapped[str] = mapped_column(index=True)
    run: Mapped[Run] = relationship(back_populates="stages")


class Facts(Base):
    """Facts that are stored once for all stages with the same ones."""

    __abstract__ = True

    digest: Mapped[str] = mapped_column(primary_key=True)
    facts: Mapped[dict[str, Any]]


class Environment(Facts):
    """Package versions, Python, platform and git state."""

    __tablename__ = "ablate_environments"


class Sources(Facts):
    """Digests of the components and files that a stage used."""

    __tablename__ = "ablate_sources"


class Stage(Base):
    """The result of one stage, shared by every run and study that needs it."""

    __tablename__ = "ablate_stages"

    fingerprint: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(index=True)
    config: Mapped[dict[str, Any]]
    result: Mapped[dict[str, Any]]
    artifact: Mapped[str]
    device: Mapped[str]
    seconds: Mapped[float]
    environment: Mapped[str] = mapped_column(ForeignKey("ablate_environments.digest"))
    finished: Mapped[datetime]
    sources: Mapped[str | None]
    files: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))


class Measurement(Base):
    """One number of one sample, or of a floor."""

    __tablename__ = "ablate_measurements"

    id: Mapped[int] = mapped_column(primary_key=True)
    fingerprint: Mapped[str] = mapped_column(ForeignKey("ablate_stages.fingerprint", ondelete="CASCADE"), index=True)
    sample: Mapped[int]
    metric: Mapped[str]
    feature: Mapped[str]
    value: Mapped[float]
    unit: Mapped[str]
    direction: Mapped[str]
    n: Mapped[int]
    floor: Mapped[str] = mapped_column(server_default=sa_text("''"))


class Histogram(Base):
    """The histogram behind a metric for one sample."""

    __tablename__ = "ablate_histograms"

    id: Mapped[int] = mapped_column(primary_key=True)
    fingerprint: Mapped[str] = mapped_column(ForeignKey("ablate_stages.fingerprint", ondelete="CASCADE"), index=True)
    sample: Mapped[int]
    metric: Mapped[str]
    feature: Mapped[str]
    unit: Mapped[str]
    edges: Mapped[list[float]]
    reference: Mapped[list[float]]
    generated: Mapped[list[float]]
    floor: Mapped[str] = mapped_column(server_default=sa_text("''"))


_VIEW = """
    CREATE VIEW {name} AS
    SELECT study.name AS study, variant.name AS variant, run.replicate, {more}m.sample, m.metric, m.feature,
           m.value, m.unit, m.direction, m.n
    FROM ablate_measurements AS m
    JOIN ablate_run_stages AS link ON link.fingerprint = m.fingerprint
    JOIN ablate_runs AS run ON run.id = link.run_id
    JOIN ablate_variants AS variant ON variant.id = run.variant_id
    JOIN ablate_studies AS study ON study.id = variant.study_id
    WHERE {which}
"""
#: The views, as SQL: for people who ask the database, not for ablate itself.
VIEWS = (
    _VIEW.format(name="ablate_results", more="", which="m.floor = ''"),
    _VIEW.format(name="ablate_floors", more="m.floor, ", which="m.floor <> ''"),
)
#: The meaning of each view and of each of their columns, for the documentation.
VIEW_DOCS = {
    "ablate_results": "Every measurement of every run: one row for each run, sample, metric and feature.",
    "ablate_floors": "Every value of a metric without a model: one row for each run, floor, draw, metric and feature.",
}
COLUMN_DOCS = {
    "study": "The name of the study (`tau_sweep`); with a profile other than the default, `tau_sweep@smoke`.",
    "variant": "The name of the variant (`tau=0.8`).",
    "replicate": "The number of the replicate, from 0.",
    "floor": "The name of the floor: `copy`, `round_trip`, `shuffled`, `another_piece` or `resampling`.",
    "sample": "The number of the sample, or of the draw of a floor, from 0. Metrics of all samples or of the model: 0.",
    "metric": "The name of the metric (`distance.pitch`).",
    "feature": "The name of the value within its metric (`average`); `value` if the metric has only one.",
    "value": "The value, never NaN or infinite.",
    "unit": "The unit; `1` for a pure number.",
    "direction": "`lower` or `higher` values are better, or `none`.",
    "n": "The number of observations behind the value, such as the notes of the sample.",
}
