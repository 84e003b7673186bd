"""The store: all reading and writing of the database, as plain methods on records."""

from __future__ import annotations

import functools
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from ablate.errors import StoreError
from ablate.store.connected import ConnectedReader
from ablate.store.database.execute import by_sqlalchemy
from ablate.store.reading.reader import study_id

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from sqlalchemy.orm import Session

    from ablate.store.records import (
        FinishedStage,
        LookRecord,
        RemovedStage,
        RunRecord,
        RunState,
        StudyRecord,
        VariantRecord,
    )


class Store(ConnectedReader):
    """An open database.

    Args:
        url: an SQLAlchemy URL (``sqlite:///path/to/ablate.db``).
        writing: whether it may be written; otherwise an SQLite file and its folder stay as they are, and the file can
            be in a place where nothing can be written.

    Raises:
        EmptyStoreError: it does not exist or has no tables, and must not be written.
        StoreError: it cannot be opened, is not a database of ablate, or has another schema version.
    """

    def put_study(self, study: StudyRecord, variants: Sequence[VariantRecord], runs: Iterable[RunRecord]) -> None:
        """Set a study's variants and runs to exactly these; runs with the same stages keep their state.

        The times of a new study are those of the record, or now.
        """
        from ablate.store import writing

        with self._session() as session:
            self._check_rows(session, study.name)
            writing.put_study(session, study, variants, runs)

    def _check_rows(self, session: Session, name: str) -> None:
        """Check the rows of a study, which are about to be changed; raises :class:`StoreError`."""
        before, self._current = self._current, session
        try:
            if self.has_study(name):
                self.study(name)
                self.variants(name)
                self.runs(name)
        finally:
            self._current = before

    def set_run(
        self, study: str, variant: str, replicate: int, state: RunState, error_class: str = "", error: str = ""
    ) -> None:
        """Set the state of a run; see :meth:`set_runs`."""
        self.set_runs(study, {(variant, replicate): (state, error_class, error)})

    def set_runs(self, study: str, states: Mapping[tuple[str, int], tuple[RunState, str, str]]) -> None:
        """Set the states of runs in one transaction.

        Args:
            study: its name.
            states: the state, the class of the error and the error of each run, by (variant, replicate).

        Raises:
            StoreError: the study has no such run.
        """
        from ablate.store import writing

        with self._session() as session:
            key = study_id(functools.partial(by_sqlalchemy, session), study, known=True)
            for (variant, replicate), (state, error_class, error) in states.items():
                # a message may hold bytes of a file name that are no text, and PostgreSQL has none with a zero
                text = error.encode("utf-8", "backslashreplace").decode().replace("\0", "\\x00")
                values = {"state": state, "error_class": error_class, "error": text}
                if not writing.set_run(session, key, variant, replicate, values):
                    raise StoreError(f"study '{study}' has no run {variant}, replicate {replicate}")

    def reopen_runs(self, keys: Iterable[int]) -> None:
        """Set the state of runs to ``pending``, whatever their other columns contain.

        Args:
            keys: their ids in the database.
        """
        from ablate.store import writing

        with self._session() as session:
            writing.reopen_runs(session, keys)

    def put_look(self, study: str, look: LookRecord) -> None:
        """Add a look at the verdicts of a study."""
        from ablate.store import rows

        with self._session() as session:
            key = study_id(functools.partial(by_sqlalchemy, session), study)
            session.add(rows.look_row(key, look, datetime.now(UTC)))

    def delete_study(self, name: str) -> list[RemovedStage]:
        """Delete a study, whatever its rows contain, and the stages that only it uses; return these stages."""
        from ablate.store import writing

        with self._session() as session:
            return writing.delete_study(session, study_id(functools.partial(by_sqlalchemy, session), name))

    def unused_stages(self) -> list[RemovedStage]:
        """Return the finished stages that no study uses, sorted by fingerprint."""
        from ablate.store import unused

        with self._session(reading=True) as session:
            used = unused.used(session)
            return [stage for stage in unused.finished(session) if stage.fingerprint not in used]

    def used_stages(self) -> set[str]:
        """Return the fingerprints of the stages of all runs, finished or not, and of what they were made from."""
        from ablate.store import unused

        with self._session(reading=True) as session:
            return unused.used(session)

    def compact(self) -> None:
        """Give the room of what was deleted back to the disk, where the database is an SQLite file.

        Raises:
            StoreError: there is no room to write the file again.
        """
        from ablate.store.database import schema

        schema.compact(self._engine)

    def remove_stages(self, fingerprints: Iterable[str]) -> list[RemovedStage]:
        """Delete stages, unless a study uses them by now; return those that were deleted."""
        from ablate.store import unused

        with self._session() as session:
            return unused.remove(session, set(fingerprints) - unused.used(session))

    def put_stages(self, finished: Iterable[FinishedStage], *, replace: bool = False) -> None:
        """Record finished stages with their measurements in one transaction.

        Args:
            finished: the stages.
            replace: replace the records of stages that were recorded before; by default these are left alone.
        """
        from ablate.store import writing

        with self._session() as session:
            writing.put_stages(session, finished, replace=replace)

    def add_files(self, fingerprint: str, files: Mapping[str, str], *, whole: bool) -> None:
        """Add the digests of files that have been added to the folder of a stage, if the stage is recorded.

        Args:
            fingerprint: of the stage.
            files: the digests by name.
            whole: whether these are all files of the stage; if not, nothing is added to a stage without digests.
        """
        from ablate.store import writing

        with self._session() as session:
            known = self._known_files(session, fingerprint)
            if known is not None and files and (known or whole):
                writing.set_files(session, fingerprint, {**known, **files})

    def _known_files(self, session: Session, fingerprint: str) -> Mapping[str, str] | None:
        """Return the digests of the files of a stage; None if it is not recorded."""
        before, self._current = self._current, session
        try:
            found = self.stages([fingerprint])
        finally:
            self._current = before
        return found[fingerprint].files if fingerprint in found else None

    def forget_stages(self, fingerprints: Iterable[str]) -> None:
        """Drop stages whose files are gone, so that they run again."""
        from ablate.store import writing

        with self._session() as session:
            writing.forget_stages(session, fingerprints)

    def remove_orphans(self, facts: Collection[str] = ()) -> int:
        """Remove the rows that belong to a row that is not there, and return their number; no stage is removed.

        Args:
            facts: digests of environments and sources that cannot be used and are removed first.
        """
        from ablate.store import orphans

        with self._session() as session:
            return orphans.remove_orphans(session, facts)
