"""Bring the results of a home into another one.

A result that the home has already has to be equal. Where one is not, the home keeps its own, and what the other home
has computed from its own one is left out with it: beside another training, such samples would belong to nothing.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from ablate.errors import DamagedFile, UnsafePath, one_line
from ablate.store.reading.queries import portions
from ablate.study.files.home import checkpoints
from ablate.study.foreign import stage_problem
from ablate.study.merge.compare import differences
from ablate.study.merge.copying import Copier, is_name
from ablate.study.merge.outcome import Conflict, MergedHome
from ablate.study.run.forget import dependents

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from ablate.store.records import FinishedStage
    from ablate.store.store import Store
    from ablate.study.merge.outcome import Merged

#: Stages are read and recorded this many at a time, so that the measurements of a large study are never all in memory.
_TOGETHER = 100


class StageMerger:
    """Brings the results of one home into another one.

    Args:
        source: the database of the home to merge, open for reading.
        place: its folder.
        shown: the folder as it was given.
        store: the database of the home that gets the results.
        home: its folder.
    """

    def __init__(self, source: Store, place: Path, shown: str, store: Store, home: Path) -> None:
        self._source, self._place, self._store = source, place, store
        self._copier, self._about = Copier(place, home), MergedHome(shown)
        self._conflicts: list[Conflict] = []
        self._users: dict[str, dict[str, None]] = {}
        for study in source.studies():
            for _, fingerprint in source.links(study.name):
                self._users.setdefault(fingerprint, {})[study.name] = None

    def merge(self, merged: Merged) -> None:
        """Compare the results that both homes have, copy the others, and add what has become of them."""
        inputs, known = self._source.stage_inputs(), set(self._store.stage_inputs())
        differing = self._compare(inputs.keys() & known)
        derived = dependents(frozenset(differing), inputs)
        self._conflicts += [differing[fingerprint] for fingerprint in sorted(differing.keys() - derived)]
        self._about.derived = len(derived - known) + len(derived & differing.keys())
        for portion in portions(inputs.keys() - known - derived, _TOGETHER):
            self._add(portion)
        self._about.files, self._about.bytes = self._copier.files, self._copier.bytes
        begun = {fingerprint for _, fingerprint in checkpoints(self._place) if fingerprint}
        self._about.unfinished = len(begun - known - inputs.keys())
        merged.homes.append(self._about)
        merged.conflicts.extend(self._conflicts)

    def _compare(self, fingerprints: Iterable[str]) -> dict[str, Conflict]:
        """Return the results that are not equal in both homes; complete the files of those that are."""
        found: dict[str, Conflict] = {}
        for portion in portions(fingerprints, _TOGETHER):
            own = {each.stage.fingerprint: each for each in self._store.finished_stages(portion)}
            for there in self._source.finished_stages(portion):
                here, stage = own[there.stage.fingerprint], there.stage
                different = differences(here, there)
                if different:
                    problem = f"it differs in {'; '.join(different)}; the one that was merged before is kept"
                    found[stage.fingerprint] = self._conflict(there, problem)
                    continue
                self._about.known += 1
                self._complete(here, there)
        return found

    def _complete(self, here: FinishedStage, there: FinishedStage) -> None:
        """Add the files of a result that the home lacks."""
        if stage_problem(there.stage, is_name):
            return  # nothing of such a record is used
        try:
            added = self._copier.complete(here.stage, there.stage)
        except (DamagedFile, UnsafePath):
            return  # equal numbers are there, and 'ablate db check' names the files that are not
        self._store.add_files(here.stage.fingerprint, added, whole=False)

    def _add(self, fingerprints: list[str]) -> None:
        """Copy results with their files, and record them."""
        finished = []
        for each in self._source.finished_stages(fingerprints):
            problem = stage_problem(each.stage, is_name)
            try:
                files = {} if problem else self._copier.copy(each.stage)
            except (DamagedFile, UnsafePath) as error:
                problem = one_line(error)
            if problem:
                self._conflicts.append(self._conflict(each, f"it is left out: {problem}"))
                continue
            finished.append(each._replace(stage=dataclasses.replace(each.stage, files=files)))
        self._store.put_stages(finished)
        self._about.added += len(finished)

    def _conflict(self, finished: FinishedStage, problem: str) -> Conflict:
        stage = finished.stage
        studies = tuple(self._users.get(stage.fingerprint, ()))
        return Conflict(self._about.home, stage.kind, stage.fingerprint, studies, problem)
