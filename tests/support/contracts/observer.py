"""Observers: one that keeps its contract, and many that break it."""

from __future__ import annotations

from typing import Any

import ablate


class Names:
    """Keeps the variants whose runs have ended."""

    def __init__(self) -> None:
        self.names: list[str] = []

    @ablate.hookimpl
    def ablate_run_finished(self, event: ablate.RunFinished) -> None:
        self.names.append(event.variant)

    @ablate.hookimpl
    def ablate_study_finished(self, event: ablate.StudyFinished) -> str:
        return f"{event.study}: {len(self.names)}"


class Unmarked:
    def ablate_run_finished(self, event: ablate.RunFinished) -> None:
        pass


class Misspelt:
    @ablate.hookimpl
    def ablate_run_start(self, event: ablate.RunStarted) -> None:
        pass


class OtherArguments:
    @ablate.hookimpl
    def ablate_run_started(self, run: ablate.RunStarted) -> None:
        pass


class NeedsSteps:
    """Expects that a run which ends has had steps."""

    def __init__(self) -> None:
        self.losses: dict[str, float] = {}

    @ablate.hookimpl
    def ablate_step_logged(self, event: ablate.StepLogged) -> None:
        self.losses[event.variant] = event.loss

    @ablate.hookimpl
    def ablate_run_finished(self, event: ablate.RunFinished) -> None:
        del self.losses[event.variant]


class Changes:
    @ablate.hookimpl
    def ablate_run_finished(self, event: ablate.RunFinished) -> None:
        event.training.clear()  # type: ignore[attr-defined]


class Returns:
    @ablate.hookimpl
    def ablate_study_finished(self, event: ablate.StudyFinished) -> Any:
        return len(event.runs)


class NeedsVerdicts:
    @ablate.hookimpl
    def ablate_study_finished(self, event: ablate.StudyFinished) -> str:
        return event.verdicts[0]


KEEPS = {"ObserverContract": Names}
BREAKS = [
    ("ObserverContract", "test_hooks", Unmarked, "has no hook; mark its methods"),
    ("ObserverContract", "test_hooks", Misspelt, "unknown hook 'ablate_run_start'; did you mean 'ablate_run_started'"),
    ("ObserverContract", "test_hooks", OtherArguments, "a hook with other arguments"),
    ("ObserverContract", "test_a_study", NeedsSteps, "tau=1.0"),
    ("ObserverContract", "test_a_study", Changes, "ablate_run_finished changes its event"),
    ("ObserverContract", "test_a_study", Returns, "ablate_study_finished returns int, not a text or None"),
    ("ObserverContract", "test_a_study_without_runs", NeedsVerdicts, "out of range"),
]
