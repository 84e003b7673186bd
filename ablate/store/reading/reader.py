"""All reading of the database, as plain methods on records; it needs no SQLAlchemy where the database is a file."""

from __future__ import annotations

import abc
from typing import TYPE_CHECKING, Any

from ablate.errors import UnknownName
from ablate.store.reading import progress, queries, records
from ablate.store.reading.queries import among, of_runs, ordered, portions, read, source
from ablate.store.records import (
    FeatureMean,
    FinishedStage,
    HistogramRecord,
    LookRecord,
    MeasurementRecord,
    MeasurementRow,
    RunHistogram,
    RunRecord,
    StageRecord,
    StudyProgress,
    StudyRecord,
    VariantRecord,
)

if TYPE_CHECKING:
    import contextlib
    from collections.abc import Iterable, Iterator

    from ablate.store.reading.queries import Execute


class Reader(abc.ABC):
    """The reading half of a :class:`ablate.store.store.Store`.

    Every method raises :class:`ablate.errors.StoreError` if a row that it reads was changed so that it cannot be used;
    the message names the table and the row.
    """

    @abc.abstractmethod
    def _reading(self) -> contextlib.AbstractContextManager[Execute]:
        """Return a transaction that reads, and in which a problem with a row becomes a :class:`StoreError`."""

    # Studies

    def studies(self) -> list[StudyRecord]:
        """Return every study, sorted by name."""
        with self._reading() as execute:
            return records.studies(execute)

    def study(self, name: str) -> StudyRecord:
        """Return the study with this name; raises :class:`UnknownName` with a suggestion."""
        with self._reading() as execute:
            return records.studies(execute, "WHERE study.id = :id", id=study_id(execute, name))[0]

    def has_study(self, name: str) -> bool:
        """Return whether there is a study with this name, whatever its row contains."""
        with self._reading() as execute:
            return bool(execute("SELECT 1 FROM ablate_studies WHERE name = :name", {"name": name}))

    def variants(self, name: str) -> list[VariantRecord]:
        """Return a study's variants in their order."""
        columns = "variant.name variant.fingerprint variant.levels variant.baseline"
        with self._reading() as execute:
            where = f"{source('variant')} WHERE variant.study_id = :study ORDER BY variant.position"
            return [VariantRecord(*row) for row in read(execute, columns, where, study=study_id(execute, name))]

    def runs(self, name: str) -> list[RunRecord]:
        """Return a study's runs, by variant and replicate."""
        columns = "run.id variant.name run.replicate run.config run.state run.error_class run.error"
        with self._reading() as execute:
            study = study_id(execute, name)
            stages: dict[int, dict[str, str]] = {}
            links = f"{source('link', 'run', 'variant')} WHERE variant.study_id = :study"
            for key, stage, fingerprint in read(execute, "link.run_id link.name link.fingerprint", links, study=study):
                stages.setdefault(key, {})[stage] = fingerprint
            rest = (
                f"{source('run', 'variant')} WHERE variant.study_id = :study ORDER BY variant.position, run.replicate"
            )
            return [
                RunRecord(variant, replicate, stages.get(key, {}), *others)
                for key, variant, replicate, *others in read(execute, columns, rest, study=study)
            ]

    def links(self, name: str) -> list[tuple[str, str]]:
        """Return the name and fingerprint of every stage of a study's runs, whatever the runs contain."""
        with self._reading() as execute:
            rest = f"{source('link', 'run', 'variant')} WHERE variant.study_id = :study"
            return [
                tuple(row) for row in read(execute, "link.name link.fingerprint", rest, study=study_id(execute, name))
            ]

    def progress(self, name: str) -> StudyProgress:
        """Return the progress of a study; raises :class:`UnknownName` like :meth:`study`."""
        with self._reading() as execute:
            return progress.progress(execute, study_id(execute, name))

    def looks(self, study: str) -> list[LookRecord]:
        """Return the looks at the verdicts of a study, in the order in which they were made."""
        with self._reading() as execute:
            return records.looks(execute, study_id(execute, study))

    # Stages

    def stages(self, fingerprints: Iterable[str]) -> dict[str, StageRecord]:
        """Return the finished ones among the stages, by fingerprint."""
        found: dict[str, StageRecord] = {}
        with self._reading() as execute:
            for portion in portions(fingerprints):
                condition, values = among("stage.fingerprint", portion)
                found |= {each.fingerprint: each for each in records.stages(execute, condition, **values)}
        return found

    def finished(self, kind: str) -> list[StageRecord]:
        """Return every finished stage of a kind, of all studies."""
        with self._reading() as execute:
            return records.stages(execute, "stage.kind = :kind", kind=kind)

    def finished_stages(self, fingerprints: Iterable[str]) -> Iterator[FinishedStage]:
        """Yield the finished ones among the stages with everything that they measured, sorted by fingerprint."""
        for portion in portions(fingerprints, 50):
            with self._reading() as execute:
                measured = _parts(execute, "m", f"m.fingerprint {queries.MEASUREMENT} m.floor", portion)
                histograms = _parts(execute, "h", f"h.fingerprint {queries.HISTOGRAM}", portion)
                stages = self.stages(portion)
            for fingerprint, stage in sorted(stages.items()):
                yield FinishedStage(
                    stage,
                    tuple(MeasurementRecord(*row) for row in measured.get(fingerprint, ())),
                    tuple(records.histogram(*row) for row in histograms.get(fingerprint, ())),
                )

    def stage_inputs(self) -> dict[str, list[str]]:
        """Return the inputs of every finished stage of all studies, by fingerprint."""
        with self._reading() as execute:
            found = read(execute, "stage.fingerprint stage.config", source("stage"))
            return {fingerprint: list((config.get("inputs") or {}).values()) for fingerprint, config in found}

    # Measurements

    def measurement_rows(self, study: str) -> list[MeasurementRow]:
        """Return a study's measurements without floors, ordered by variant, replicate, sample and metric.

        They are plain rows: hundreds of thousands of records would take seconds to make.
        """
        columns = f"variant.name run.replicate {queries.MEASUREMENT}"
        with self._reading() as execute:
            found = read(execute, columns, f"{of_runs('m')} {ordered('m')}", study=study_id(execute, study))
            return [MeasurementRow._make(row) for row in found]

    def features(self, study: str, metric: str) -> dict[str, str]:
        """Return the features that a metric has measured in a study, with their directions, in the metric's order."""
        with self._reading() as execute:
            rest = f"{of_runs('m')} AND m.metric = :metric ORDER BY m.id"
            found = read(
                execute, "m.feature m.direction", rest, study=study_id(execute, study, known=True), metric=metric
            )
            return dict(found)

    def means(self, study: str, metric: str, feature: str, variant: str = "") -> dict[tuple[str, int], float]:
        """Return the mean over the samples of each run that has been measured, by (variant, replicate).

        Args:
            study: its name.
            metric: the metric's.
            feature: of the metric.
            variant: the runs of this variant only; empty for those of all.
        """
        columns = "variant.name run.replicate avg(m.value) min(m.value) max(m.value)"
        only, names = ("AND variant.name = :variant", {"variant": variant}) if variant else ("", {})
        rest = f"AND m.metric = :metric AND m.feature = :feature {only} GROUP BY variant.name, run.replicate"
        with self._reading() as execute:
            key = study_id(execute, study, known=True)
            found = read(execute, columns, f"{of_runs('m')} {rest}", study=key, metric=metric, feature=feature, **names)
            return {(name, replicate): float(mean) for name, replicate, mean, *_ in found}

    def means_of_stages(self, fingerprints: Iterable[str]) -> dict[str, list[FeatureMean]]:
        """Return the features that stages have measured, without floors, as means over samples, by fingerprint."""
        mean = "m.metric m.feature avg(m.value) min(m.unit) min(m.direction) count(*)"
        columns = f"m.fingerprint min(m.value) max(m.value) {mean}"
        means: dict[str, list[FeatureMean]] = {}
        with self._reading() as execute:
            for portion in portions(fingerprints):
                condition, values = among("m.fingerprint", portion)
                group = "GROUP BY m.fingerprint, m.metric, m.feature ORDER BY min(m.id)"
                rest = f"{source('m')} WHERE {condition} AND m.floor = '' {group}"
                for fingerprint, _, _, *facts in read(execute, columns, rest, **values):
                    means.setdefault(fingerprint, []).append(FeatureMean(*facts))
        return means

    def histograms(self, study: str) -> list[RunHistogram]:
        """Return every histogram of a study's runs without floors, ordered by variant, replicate, sample and metric."""
        columns = f"variant.name run.replicate {queries.HISTOGRAM}"
        with self._reading() as execute:
            found = read(execute, columns, f"{of_runs('h')} {ordered('h')}", study=study_id(execute, study))
            return [RunHistogram(variant, replicate, records.histogram(*h)) for variant, replicate, *h in found]

    def floors(self, fingerprints: Iterable[str]) -> dict[str, list[MeasurementRecord]]:
        """Return the measurements of floors by stage; a stage that several runs share is listed once."""
        found: dict[str, list[MeasurementRecord]] = {}
        with self._reading() as execute:
            for portion in portions(fingerprints):
                columns = f"m.fingerprint {queries.MEASUREMENT} m.floor"
                for fingerprint, rows in _parts(execute, "m", columns, portion, "<> ''").items():
                    found[fingerprint] = [MeasurementRecord(*row) for row in rows]
        return found

    def floor_histograms(self, fingerprints: Iterable[str]) -> dict[str, list[HistogramRecord]]:
        """Return the histograms of floors by stage."""
        found: dict[str, list[HistogramRecord]] = {}
        with self._reading() as execute:
            for portion in portions(fingerprints):
                columns = f"h.fingerprint {queries.HISTOGRAM}"
                for fingerprint, rows in _parts(execute, "h", columns, portion, "<> ''").items():
                    found[fingerprint] = [records.histogram(*row) for row in rows]
        return found


def study_id(execute: Execute, name: str, *, known: bool = False) -> int:
    """Return the key of the study with this name; of an unknown one -1 if that is no error."""
    found = execute("SELECT id FROM ablate_studies WHERE name = :name", {"name": name})
    if not found and known:
        return -1
    if not found:
        raise UnknownName(
            "study", name, {each.name: each.settings for each in records.studies(execute)}, where="in this home"
        )
    return int(found[0][0])


def _parts(
    execute: Execute, table: str, columns: str, fingerprints: list[str], floor: str = ""
) -> dict[str, list[list[Any]]]:
    """Return rows of measurements or histograms of these stages, by stage, in the order of measuring.

    Args:
        execute: runs the query.
        table: ``m`` or ``h``.
        columns: those to return; the first is the fingerprint of the stage.
        fingerprints: of the stages.
        floor: a condition on the name of the floor.
    """
    condition, values = among(f"{table}.fingerprint", fingerprints)
    chosen = f" AND {table}.floor {floor}" if floor else ""
    parts: dict[str, list[list[Any]]] = {}
    for fingerprint, *row in read(
        execute, columns, f"{source(table)} WHERE {condition}{chosen} ORDER BY {table}.id", **values
    ):
        parts.setdefault(fingerprint, []).append(row)
    return parts
