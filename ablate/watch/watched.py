"""The studies of a home that are watched, each with all that its page needs."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from ablate.errors import AblateError, UnknownName
from ablate.printable import printable
from ablate.watch.hub import Hub
from ablate.watch.live import Pulse, read_live
from ablate.watch.music import Music
from ablate.watch.source import Source
from ablate.watch.verdicts import Verdicts

if TYPE_CHECKING:
    from ablate.store.records import StageRecord
    from ablate.watch.source import Place


class Watched:
    """One study.

    Args:
        place: the home and the database.
        study: the name of the study.
    """

    def __init__(self, place: Place, study: str) -> None:
        self.name = study
        self.music = Music(place.home)
        self._source = Source(place, study, self.music)
        self._asked = Source(place, study, self.music)  # of other threads than the reader's
        self._asking = threading.Lock()
        self._verdicts = Verdicts(place.open, study)
        self.hub = Hub(self._source.parts)

    def stage(self, fingerprint: str) -> StageRecord | None:
        """Return a finished stage of the study that has files for its page."""
        return self._source.stages.get(fingerprint)

    def verdicts(self) -> dict[str, Any]:
        """Return the verdicts; see :meth:`ablate.watch.verdicts.Verdicts.ask`."""
        # viewers who ask at the same time wait for one answer
        with self._asking:
            try:
                return self._verdicts.ask(self._asked.snapshot())
            except AblateError as error:
                return {"refused": printable(str(error))}

    def close(self) -> None:
        """End the streams of all viewers."""
        self.hub.close()
        self.music.close()


class Home:
    """The studies of a home that can be watched.

    Args:
        place: the home and the database.
        only: the name of the only study to show; empty to show all.
    """

    def __init__(self, place: Place, only: str = "") -> None:
        self.place, self.only = place, only
        self._watched: dict[str, Watched] = {}
        self._adding = threading.Lock()
        self._pulse = Pulse()
        self._list = Hub(self._studies)

    def get(self, name: str) -> Watched | None:
        """Return a study; None if the home has none of this name, or another one is to be shown only."""
        if self.only and name != self.only:
            return None
        # viewers who come at the same time, each in a thread, share one reader
        with self._adding:
            if name not in self._watched:
                try:
                    with self.place.open() as store:
                        store.study(name)
                except UnknownName:
                    return None
                # a new dictionary: others may be reading the old one
                self._watched = {**self._watched, name: Watched(self.place, name)}
            return self._watched[name]

    @property
    def list(self) -> Hub:
        """The list of all studies, for a page of its own."""
        return self._list

    @property
    def viewers(self) -> int:
        """The number of viewers of all pages."""
        return sum(hub.viewers for hub in (self._list, *(each.hub for each in self._watched.values())))

    def first(self) -> str:
        """Return the name of the study to show to those who name none: the one that runs, or the only one; or empty."""
        if self.only:
            return self.only
        running = self._running()
        with self.place.open() as store:
            names = [study.name for study in store.studies()]
        return running if running in names else names[0] if len(names) == 1 else ""

    def _running(self) -> str:
        live = read_live(self.place.home)
        return live.study if live and self._pulse.beats(live) else ""

    def _studies(self) -> dict[str, Any]:
        try:
            with self.place.open() as store:
                studies = store.studies()
        except AblateError as error:
            return {"head": {"phase": "gone", "problem": printable(str(error))}}
        running = self._running()
        rows = [
            {
                "name": study.name,
                "shown": printable(study.name),
                "question": printable(str(study.spec.get("question", ""))),
                "updated": f"{study.updated:%Y-%m-%d %H:%M} UTC" if study.updated else "",
                "running": study.name == running,
            }
            for study in sorted(studies, key=lambda study: (study.name != running, study.name))
        ]
        return {"head": {"phase": "list"}, "studies": rows}

    def close(self) -> None:
        """End the streams of all viewers."""
        self._list.close()
        for each in self._watched.values():
            each.close()
