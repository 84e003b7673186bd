"""The events of a running study, for those who show them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ablate.study.plan.plan import Plan
    from ablate.study.work.messages import News, StageFailure, StageResult


class Listener:
    """Receives the events of a running study; does nothing unless overridden."""

    def begun(self, plan: Plan) -> None:
        """Handle the start of the work; a search starts once for each variant that it tries."""

    def news(self, news: News) -> None:
        """Handle the progress of a job."""

    def done(self, done: StageResult) -> None:
        """Handle a stage that is finished and recorded."""

    def failed(self, failure: StageFailure) -> None:
        """Handle a stage that has failed; its runs are recorded as failed."""
