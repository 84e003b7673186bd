"""Find the tasks whose component has shown no progress for too long."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from ablate.kinds import PROGRAM

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ablate.study.run.executor.deaths import Running

#: Seconds that count between two looks, at most.
_MOST = 1.0


class Silence:
    """Adds up the silence of tasks from look to look, so that a driver that slept does not blame its workers for it.

    Programs have a limit of their own.

    Attributes:
        limit: seconds without a sign of progress after which a component counts as stuck; 0 for none.
    """

    def __init__(self, limit: float) -> None:
        self.limit = limit
        self._looked = time.monotonic()

    def look(self, tasks: Mapping[str, Running]) -> Iterator[str]:
        """Yield the names of the tasks that are stuck now, and write their fault into them."""
        now = time.monotonic()
        passed, self._looked = min(now - self._looked, _MOST), now
        for name, running in tasks.items():
            if not running.placed or not self.limit or running.fault or running.part.job.kind == PROGRAM:
                continue
            running.silent += passed
            if running.silent > self.limit:
                running.fault = f"showed no progress for {self.limit:g} s, so its process was ended (--stall-limit)"
                running.stuck = True
                yield name
