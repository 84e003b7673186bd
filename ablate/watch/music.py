"""First samples to look at and to listen to; sound is rendered when somebody asks for it."""

from __future__ import annotations

import tempfile
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ablate.kinds import SAMPLES
from ablate.printable import printable
from ablate.report.data.artifacts import Artifacts
from ablate.report.formats import audio
from ablate.report.formats.clips import SECONDS, Clip
from ablate.report.formats.rolls import rolls

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ablate.music.performance import Performance
    from ablate.store.records import StageRecord
    from ablate.watch.state import Snapshot

#: The most variants with samples on the page, and samples of each; what is left out is counted.
MOST_VARIANTS, MOST_SAMPLES = 24, 2


class Music:
    """The samples of a study.

    Args:
        home: the folder with their files; nothing is written there.
    """

    def __init__(self, home: Path) -> None:
        self._artifacts = Artifacts(home)
        self._cache = tempfile.TemporaryDirectory(prefix="ablate-watch-")
        self._rendering = threading.Lock()

    def close(self) -> None:
        """Remove the sounds that were rendered."""
        self._cache.cleanup()

    @staticmethod
    def listed(snapshot: Snapshot, stages: Mapping[str, StageRecord]) -> dict[str, Any]:
        """Return a part with the samples of the first replicate of each variant that has any.

        Args:
            snapshot: of the study.
            stages: its finished stages with files, by fingerprint.
        """
        first: dict[str, dict[str, Any]] = {}
        for run in snapshot.progress.runs:
            for name in SAMPLES:
                stage = stages.get(run.stages.get(name, ""))
                count = stage.result.get("samples") if stage else None
                if stage and isinstance(count, int) and count > 0:
                    facts = {"variant": printable(run.variant), "replicate": snapshot.name(run)}
                    first.setdefault(
                        run.variant, {**facts, "key": stage.fingerprint, "count": min(count, MOST_SAMPLES)}
                    )
        listed = [*first.values()]
        return {
            "listed": listed[:MOST_VARIANTS],
            "more": max(len(listed) - MOST_VARIANTS, 0),
            "sound": audio.available(),
            "install": audio.INSTALL,
        }

    def sample(self, stage: StageRecord, number: int) -> Performance | None:
        """Return a sample of a stage; None if there is none, or its file cannot be read."""
        performances = self._artifacts.performances(stage) or []
        return performances[number] if 0 <= number < len(performances) else None

    @staticmethod
    def roll(sample: Performance) -> dict[str, Any]:
        """Return the piano roll of the beginning of a sample as data.

        Returns:
            ``notes`` and ``primer`` as in :mod:`ablate.report.formats.rolls`; ``colours`` of several instruments with
            their names, ``strip`` below which there are drums; ``about``: notes and seconds of all of it.
        """
        start = sample.beginning(SECONDS)
        clip = Clip("", "", "", "", start.whole().notes, round(1000 * sample.primer_seconds), "", "")
        drawn = rolls([clip])
        return {
            **drawn.clips[0],
            "colours": [[shown.name, shown.colour.night] for shown in drawn.legend],
            "strip": drawn.strip,
            "about": f"{len(sample):,} notes in {sample.seconds:,.0f} s",
            "seconds": min(sample.seconds, SECONDS),
        }

    def sound(self, sample: Performance) -> bytes | None:
        """Return the beginning of a sample as MP3; None if it has no notes, or there is no renderer.

        One sound is rendered at a time: a study may need the cores.
        """
        start = sample.beginning(SECONDS)
        if not audio.available() or not len(start.notes) + len(start.primer):
            return None
        ensemble = bool(start.whole().notes["instrument"].any())
        with self._rendering:
            return audio.render(start, Path(self._cache.name), ensemble=ensemble)
