"""Run a study that decides while it runs what to run next.

One executor serves the whole study. Each time that the next runs are chosen, a :class:`StudyRunner` runs what is
missing of the layout.
"""

from __future__ import annotations

import abc
import time
from typing import TYPE_CHECKING

from ablate.study.plan.lanes import lanes
from ablate.study.plan.layout import lay_out
from ablate.study.run.executor.choose import make_executor
from ablate.study.run.executor.protocol import AS_USUAL, Working
from ablate.study.run.listener import Listener
from ablate.study.run.result import summed
from ablate.study.run.runner import SharedContext, StudyRunner

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from ablate.registry import Registry
    from ablate.store.store import Store
    from ablate.study.design import Variant
    from ablate.study.file.study_file import StudySpec
    from ablate.study.plan.layout import HeldBack, Layout
    from ablate.study.run.result import StudyResult
    from ablate.study.trials.view import Trials


class AdaptiveRunner(abc.ABC):
    """Runs a study whose runs are chosen while it runs.

    Args:
        spec: the study.
        registry: the components.
        store: the open store; this runner is its only writer.
        home: the folder for files.
        device: resolved.
        workers: the number of processes; 1 works in this process, unless ``working`` says otherwise.
        listener: receives the events.
        working: how jobs are worked on.
    """

    def __init__(
        self,
        spec: StudySpec,
        registry: Registry,
        store: Store,
        home: Path,
        *,
        device: str = "cpu",
        workers: int = 1,
        listener: Listener | None = None,
        working: Working = AS_USUAL,
    ) -> None:
        self._spec, self._registry, self._store, self._home, self._device = spec, registry, store, home, device
        self._listener, self._working = listener or Listener(), working
        self._executor = make_executor(home, *lanes(spec, device, workers), registry, working)
        self._results: list[StudyResult] = []
        self._stopped = False

    def stop(self) -> None:
        """Stop after the current step with everything kept; safe to call from a signal handler."""
        self._stopped = True
        self._executor.stop()

    def kill(self) -> None:
        """Stop without waiting for a step, with what was finished kept; safe to call from a signal handler."""
        self._stopped = True
        self._executor.kill()

    def run(self) -> StudyResult:
        """Finish what is chosen already, then choose and run one thing after another.

        Raises:
            HomeError: the disk is full.
            StoreError: the database cannot be written.
            StudyFileError: a sampler that cannot work with its tokenizer, or an objective that cannot be compared.
            UsageError: the home has a study of this name that was run on a different corpus.
        """
        started = time.monotonic()
        with self._executor:
            self._choose_and_run()
        return summed(self._results, time.monotonic() - started, stopped=self._stopped)

    @abc.abstractmethod
    def _choose_and_run(self) -> None:
        """Call :meth:`_run_layout` for one layout after another, at least once, until nothing is left to choose."""

    def _lay_out(self, variants: Sequence[Variant], held: Mapping[str, HeldBack]) -> Layout:
        return lay_out(self._spec, self._registry, self._device, variants, held)

    def _run_layout(self, layout: Layout, trials: Trials | None = None) -> StudyResult:
        """Run what is missing of a layout; ``trials`` are those that the study has opened itself."""
        runner = StudyRunner(
            layout,
            self._store,
            self._home,
            device=self._device,
            listener=self._listener,
            shared=SharedContext(self._executor, trials),
            working=self._working,
        )
        if self._stopped:
            runner.stop()
        result = runner.run()
        self._stopped = self._stopped or result.stopped
        self._results.append(result)
        return result
