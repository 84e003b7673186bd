"""The events of a running study, for those who show them or pass them on."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ablate.store.records import RunState
    from ablate.study.plan.layout import Run
    from ablate.study.plan.plan import Plan
    from ablate.study.work.messages import Job, News, StageFailure, StageResult


class Listener:
    """Receives the events of a running study; does nothing unless overridden."""

    def lost(self, plan: Plan) -> None:
        """Handle files of finished stages that are missing or damaged, before the work starts."""

    def begun(self, plan: Plan) -> None:
        """Handle the start of the work; a search starts once for each variant that it tries."""

    def started(self, job: Job) -> None:
        """Handle a job that starts in a worker."""

    def news(self, news: News) -> None:
        """Handle the progress of a job."""

    def done(self, done: StageResult) -> None:
        """Handle a stage that is finished and recorded."""

    def failed(self, failure: StageFailure) -> None:
        """Handle a stage that has failed; its runs are recorded as failed."""

    def run_changed(self, run: Run, state: RunState, failure: StageFailure | None) -> None:
        """Handle a run whose state has changed and is recorded; ``failure`` if it has failed."""


class Listeners(Listener):
    """Passes every event on to several listeners, in their order."""

    def __init__(self, listeners: Sequence[Listener]) -> None:
        self._listeners = listeners

    def lost(self, plan: Plan) -> None:
        """See :class:`Listener`."""
        for each in self._listeners:
            each.lost(plan)

    def begun(self, plan: Plan) -> None:
        """See :class:`Listener`."""
        for each in self._listeners:
            each.begun(plan)

    def started(self, job: Job) -> None:
        """See :class:`Listener`."""
        for each in self._listeners:
            each.started(job)

    def news(self, news: News) -> None:
        """See :class:`Listener`."""
        for each in self._listeners:
            each.news(news)

    def done(self, done: StageResult) -> None:
        """See :class:`Listener`."""
        for each in self._listeners:
            each.done(done)

    def failed(self, failure: StageFailure) -> None:
        """See :class:`Listener`."""
        for each in self._listeners:
            each.failed(failure)

    def run_changed(self, run: Run, state: RunState, failure: StageFailure | None) -> None:
        """See :class:`Listener`."""
        for each in self._listeners:
            each.run_changed(run, state, failure)
