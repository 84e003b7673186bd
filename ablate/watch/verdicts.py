"""The verdicts of a study, for those who ask for them.

Nothing is recorded, because this page only reads. See docs/decisions/0071-watching-is-no-look.md.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ablate.errors import AblateError
from ablate.names import shell_name
from ablate.printable import printable, printable_lines

if TYPE_CHECKING:
    from collections.abc import Callable

    from ablate.report.statistics.analysis.analysis import Analysis
    from ablate.store.store import Store
    from ablate.watch.state import Snapshot

#: What early verdicts cost, for a study that is not complete.
EARLY = (
    "This study is not complete, so these are no results. The report will not correct its verdicts for what you see "
    "now. They stay right if you let the study run to its end, whatever you see. They become wrong too often if you "
    "stop it, add replicates or change it because of what you see: of studies that were looked at after each of 8 to "
    "14 replicates and stopped when something showed, about 12 % claimed a difference that was not there, not 5 %."
)


class Verdicts:
    """Computes verdicts once for each state of the results. Only one thread may ask at a time.

    Args:
        open_store: opens the database for reading.
        study: the name of the study.
    """

    def __init__(self, open_store: Callable[[], Store], study: str) -> None:
        self._open, self._study = open_store, study
        self._known: tuple[object, dict[str, Any]] | None = None

    def ask(self, snapshot: Snapshot) -> dict[str, Any]:
        """Return the verdicts on what is finished, or why there are none.

        Returns:
            ``refused``: why there are none, or empty; ``warning``: what they are, empty for those of a report;
            ``blocks``: headings with sentences, each with its verdict; ``promise``, ``population``, ``warnings``.
        """
        key = _key(snapshot)
        if self._known is None or self._known[0] != key:
            self._known = key, self._computed()
        return self._known[1]

    def _computed(self) -> dict[str, Any]:
        from ablate.registry import get_registry
        from ablate.report.data.study import Study
        from ablate.report.statistics.analysis.analysis import Analysis
        from ablate.store.parts import part_sentence

        try:
            with self._open() as store:
                study = Study.read(store, self._study)
                part = part_sentence(study.spec, study.runs)
                if part:
                    return {"refused": printable(part)}
                if study.frame.empty:
                    return {"refused": "Nothing has been measured yet, so there is nothing to compare."}
                return _answered(Analysis(study, get_registry()))
        except AblateError as error:
            return {"refused": printable(str(error))}


def _key(snapshot: Snapshot) -> object:
    progress = snapshot.progress
    return snapshot.study.updated, len(progress.stages), progress.looked, [run.state for run in progress.runs]


def _answered(analysis: Analysis) -> dict[str, Any]:
    from ablate.report.statistics import looks
    from ablate.report.text.sentences import answer

    study = analysis.study
    early = any(run.state in ("pending", "interrupted") for run in study.runs)
    if not early and not looks.is_recorded(study.looks, analysis.looks, study.fingerprints):
        command = f"ablate study report {shell_name(study.record.name)}"
        return {
            "refused": "All runs have ended, and nobody has looked at the verdicts yet. The first look counts, so the "
            f"database has to record it, and this page only reads. To look: {printable(command)}"
        }
    found = answer(analysis)
    blocks = [found.hypothesis, *found.blocks] if found.hypothesis else found.blocks
    return {
        "refused": "",
        "warning": EARLY if early else "",
        "blocks": [
            {
                "heading": printable(block.heading),
                "lines": [[line.words, printable_lines(line.after_words)] for line in block.lines],
            }
            for block in blocks
        ],
        "promise": "" if early else printable(found.promise),
        "population": printable(found.population),
        "warnings": [printable(warning) for warning in found.warnings],
    }
