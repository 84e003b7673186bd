"""Jobs that end before their pilot has said hello."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from ablate_slurm.commands import JobState

_log = logging.getLogger(__name__)

#: Jobs in a row that may end so; and the seconds after which another one is tried where other jobs work, twice as many
#: each time, up to the longest.
_MOST = 3
_PAUSE, _LONGEST = 10.0, 600.0
_LINE = 400


class Failures:
    """The jobs in a row that have ended before they began to work.

    Args:
        script: of the jobs.

    Attributes:
        not_before: when the next one can be asked for, on the clock of ``time.monotonic``.
    """

    def __init__(self, script: Path) -> None:
        self._script, self._count, self._pause, self.not_before = script, 0, _PAUSE, 0.0

    @property
    def are_many(self) -> bool:
        """True if jobs are asked for one by one."""
        return self._count >= _MOST

    def clear(self) -> None:
        """Note that a pilot has started."""
        self._count, self._pause, self.not_before = 0, _PAUSE, 0.0

    def note(self, state: JobState, *, others: bool) -> str:
        """Note a job that has ended.

        Args:
            state: its last one.
            others: whether other pilots live, so that the run continues without such jobs.

        Returns:
            Why the run has to end; empty if it continues.
        """
        self._count += 1
        if not self.are_many:
            return ""
        last = self._last_line(state.job)
        about = f"{state.about}{f': {last}' if last else ''}"
        problem = f"{self._count} jobs of SLURM have ended before they began to work; {about}; "
        if not others:
            return problem + (
                f"the nodes need this folder, {self._script.parent.parent}, and the Python of this command, or others "
                "by --set executor.slurm.folder and executor.slurm.python"
            )
        if self._count == _MOST:
            _log.warning("%sthe run continues with the jobs that work, and tries others later", problem)
        if time.monotonic() >= self.not_before:
            self.not_before = time.monotonic() + self._pause
            self._pause = min(2 * self._pause, _LONGEST)
        return ""

    def _last_line(self, job: str) -> str:
        try:
            text = (self._script.parent / "logs" / f"{job}.txt").read_text(errors="replace")
        except OSError:
            return ""
        return next((line.strip()[:_LINE] for line in reversed(text.splitlines()) if line.strip()), "")
