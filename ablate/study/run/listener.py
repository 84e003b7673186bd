"""What an execution of a study reports while it goes on."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ablate.study.plan.plan import Plan
    from ablate.study.work.messages import News, StageFailure, StageResult


class Listener:
    """What a run tells while it goes on; does nothing unless overridden."""

    def begun(self, plan: Plan) -> None:
        """The plan is made, the work begins."""

    def news(self, news: News) -> None:
        """A job has made some progress."""

    def done(self, done: StageResult) -> None:
        """A stage is finished and recorded."""

    def failed(self, failure: StageFailure) -> None:
        """A stage has failed; its runs are recorded as such."""
