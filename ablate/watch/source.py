"""Reads the progress of a study for its page, if something has changed since."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from ablate.errors import AblateError
from ablate.kinds import SAMPLES, TRAIN, kind_of
from ablate.printable import printable
from ablate.report.place import has_report, report_page
from ablate.store.database.address import home_url, sqlite_file
from ablate.store.database.sqlite import beside
from ablate.store.store import Store
from ablate.watch import state
from ablate.watch.live import Pulse, read_live
from ablate.watch.losses import Losses
from ablate.watch.remaining import remaining
from ablate.watch.state import Snapshot

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from ablate.store.records import StageRecord, StudyProgress, StudyRecord
    from ablate.watch.music import Music

#: Seconds between two reads of a database that is no file, of which nobody can see from outside whether it changed.
_OF_SERVERS = 2.0
#: A file that was written less than this ago may change again without another time, which file systems round.
_SETTLED = 2.0
#: Seconds after which a database is read in any case.
_ANYWAY = 30.0


class Place:
    """The home and the database that are watched.

    Args:
        home: the folder.
        url: of another database than the home's own.
    """

    def __init__(self, home: Path, url: str | None = None) -> None:
        self.home, self.url = home, url or home_url(home.resolve())
        self._file = sqlite_file(self.url)

    def open(self) -> Store:
        """Open the database for reading; an SQLite file is read without a lock that a writer could need."""
        return Store(self.url, writing=False)

    def stamp(self) -> object:
        """Return a value that changes when the database may have changed."""
        if self._file is None:
            return time.monotonic() // _OF_SERVERS
        found: list[tuple[int, int, int] | None] = []
        newest = 0.0
        for path in (self._file, beside(self._file, "wal")):
            try:
                facts = path.stat()
            except OSError:
                found.append(None)
                continue
            found.append((facts.st_ino, facts.st_size, facts.st_mtime_ns))
            newest = max(newest, facts.st_mtime)
        return found, time.time() if time.time() - newest < _SETTLED else time.monotonic() // _ANYWAY


class Source:
    """The state of one study, in parts. Only one thread may read at a time.

    Args:
        place: the home and the database.
        study: the name of the study.
        music: its samples.
        clock: returns the seconds since 1970.
    """

    def __init__(self, place: Place, study: str, music: Music, clock: Callable[[], float] = time.time) -> None:
        self._place, self._name, self._music, self._clock = place, study, music, clock
        self._losses, self._pulse = Losses(place.home), Pulse()
        self._stamp: object = None
        self._known: tuple[StudyRecord, StudyProgress] | None = None
        self.stages: dict[str, StageRecord] = {}

    def snapshot(self) -> Snapshot:
        """Read what has changed, and return everything; raises :class:`AblateError` if it cannot be read."""
        stamp = self._place.stamp()
        if self._known is None or stamp != self._stamp:
            self._known = self._read()
            self._stamp = stamp
        live = read_live(self._place.home)
        works = self._pulse.beats(live) and live is not None and live.study == self._name
        return Snapshot(*self._known, live if works else None)

    def _read(self) -> tuple[StudyRecord, StudyProgress]:
        with self._place.open() as store:
            study, progress = store.study(self._name), store.progress(self._name)
            kinds = (TRAIN, *SAMPLES)
            used = {
                fingerprint
                for run in progress.runs
                for name, fingerprint in run.stages.items()
                if kind_of(name) in kinds and fingerprint in progress.stages
            }
            self.stages = {each: stage for each, stage in self.stages.items() if each in used}
            self.stages |= store.stages(used - self.stages.keys())
        return study, progress

    def parts(self) -> dict[str, Any]:
        """Return the parts of the page; where nothing can be read, one that says so."""
        try:
            snapshot = self.snapshot()
        except AblateError as error:
            self._known = None
            return {"head": {"phase": "gone", "problem": printable(str(error))}}
        head = state.head(snapshot)
        head["report"] = _report(self._place.home, snapshot) if head["phase"] == "complete" else ""
        expected = remaining(snapshot.progress, snapshot.live, self._clock()) if snapshot.live else None
        head["left"] = round(expected.seconds) if expected else None
        head["at_least"] = bool(expected and expected.at_least)
        return {
            "head": head,
            "jobs": state.jobs(snapshot),
            "failures": state.failures(snapshot),
            "samples": self._music.listed(snapshot, self.stages),
            **state.rows(snapshot),
            **self._losses.figures(snapshot, self.stages),
        }


def _report(home: Path, snapshot: Snapshot) -> str:
    """Return the path of the report in the home; empty if there is none, or if it is older than a result."""
    page = report_page(home, snapshot.study.name)
    try:
        written = page.stat().st_mtime
    except OSError:
        return ""
    newest = max((stage.finished.timestamp() for stage in snapshot.progress.stages.values()), default=0.0)
    is_new = has_report(home, snapshot.study.name) and written >= newest
    return printable(page.relative_to(home).as_posix()) if is_new else ""
