"""Read the corpora of a planned study, each at most once."""

from __future__ import annotations

import collections
from typing import TYPE_CHECKING, Any

from ablate.building import calling
from ablate.errors import CorpusError
from ablate.kinds import LOAD
from ablate.music.corpus.read import left_out_text
from ablate.music.corpus.short import few_notes_warning
from ablate.music.instruments import counts
from ablate.music.storage import read_performances
from ablate.study.split import Rule
from ablate.study.work.components import build
from ablate.study.work.load import distinct, split_pieces

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from ablate.music.performance import Performance
    from ablate.registry import Registry
    from ablate.study.stage import Stage
    from ablate.study.work.load import Split


class PlannedMusic:
    """The music of the stages that load it.

    Args:
        registry: the components.
        home: a folder with files of finished stages, from which a corpus is read if it has been loaded there before.

    Attributes:
        said: one line for each corpus that was read and has left something out or few notes, or that cannot be read.
    """

    def __init__(self, registry: Registry, home: Path | None = None) -> None:
        self._registry, self._home = registry, home
        self._performances: dict[str, Sequence[Performance]] = {}
        self.said: list[str] = []

    def check(self, stages: Iterable[Stage]) -> None:
        """Read the files of the corpora that are still to be loaded; a corpus that reads no path is not tried.

        Args:
            stages: those that have to run, of any kind.

        Raises:
            CorpusError: the files of a corpus cannot be read, so that no run of it could start.
        """
        for stage in stages:
            if stage.kind == LOAD and self._registry.spec("corpus", stage.extra["corpus"]["name"]).path_option:
                self._all(stage)

    def split(self, load: Stage, rule: Mapping[str, Any]) -> Split:
        """Return the pieces of a corpus by their use.

        Args:
            load: the stage that loads the corpus.
            rule: the split in the configuration of a stage; empty holds nothing out.

        Raises:
            CorpusError: the corpus cannot be loaded or split.
        """
        return split_pieces(self._all(load), Rule.of(rule))

    def instruments(self, load: Stage) -> dict[int, int]:
        """Return the number of notes of each instrument in a corpus, see :func:`ablate.music.instruments.counts`.

        Raises:
            CorpusError: the corpus cannot be loaded.
        """
        total: collections.Counter[int] = collections.Counter()
        for piece in self._all(load):
            total.update(counts(piece.notes))
        return dict(sorted(total.items()))

    def _all(self, load: Stage) -> Sequence[Performance]:
        key = load.fingerprint
        if key not in self._performances:
            self._performances[key] = self._read(load)
        return self._performances[key]

    def _read(self, load: Stage) -> Sequence[Performance]:
        if self._home:
            try:
                return read_performances(self._home / load.artifact / "performances.npz")
            except (OSError, ValueError):  # not loaded yet, or damaged, which the stage itself repairs
                pass
        corpus = build("corpus", load.extra["corpus"], self._registry)
        spec = self._registry.spec("corpus", load.extra["corpus"]["name"])
        try:
            with calling(spec, "loading it"):
                pieces = distinct(corpus.load())[0]
        except CorpusError as error:
            self._say(f"the corpus cannot be loaded: {error}")
            raise
        notes = sum(map(len, pieces))
        self._say(left_out_text(corpus.left_out, {"files": len(pieces), "notes": notes}))
        self._say(few_notes_warning(notes))
        return pieces

    def _say(self, text: str) -> None:
        if text and text not in self.said:
            self.said.append(text)
