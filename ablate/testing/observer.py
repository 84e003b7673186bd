"""The contract of observers."""

# ruff: noqa: S101 - these are tests, though a plugin's author imports them

from __future__ import annotations

import dataclasses
import math
import tempfile
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ablate.events import Measured, RunFinished, RunStarted, StepLogged, StudyFinished
from ablate.options import describe
from ablate.specs import ObserverSpec
from ablate.study.observe.choice import hooks_of
from ablate.testing.base import Contract

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

_STUDY = "tau_sweep@smoke"
_CONFIG = {
    "corpus": [{"name": "bach-prelude", "version": "1", "options": {"seed": 846}}],
    "model": [{"name": "lstm", "version": "2", "options": {"hidden": 48, "dropout": 0.0, "initial_state": "zeros"}}],
    "sampler": [{"name": "temperature", "version": "1", "options": {"tau": 1.0}}],
    "augmenter": [],
    "training": {"steps": 50, "precision": "fp32"},
    "labels": {"tempo": 1.0},
}


def study_events() -> Iterator[tuple[str, Any]]:
    """Yield the events of a small study as pairs of hook and event, in an order in which they may come.

    Two runs share a training, one run is reused, one fails, and one is interrupted. Numbers may be NaN, and a name may
    have any characters.
    """
    names = ("tau=1.0", "tau=0.8, augmenter=none", "both / [odd] ünits")
    for name in names[:2]:
        yield "ablate_run_started", _started(name, 0)
    yield from _reused("tau=1.0", 1)
    for step in (25, 50):
        for name in names[:2]:
            yield "ablate_step_logged", _step(name, 0, step)
    for name in names[:2]:
        yield "ablate_run_finished", _finished(name, 0)
    yield "ablate_run_started", _started(names[2], 0)
    error = "TrainingDiverged: the training loss is nan at step 3 of 50"
    yield "ablate_run_finished", RunFinished(study=_STUDY, variant=names[2], replicate=0, state="failed", error=error)
    yield "ablate_run_started", _started(names[2], 1)
    yield "ablate_step_logged", _step(names[2], 1, 25, loss=math.nan)
    yield "ablate_run_finished", RunFinished(study=_STUDY, variant=names[2], replicate=1, state="interrupted")
    yield _end("against tau=1.0: Cannot tell tau=0.8 from tau=1.0.")


def _end(*verdicts: str) -> tuple[str, Any]:
    runs: Any = {"done": 3, "failed": 1, "interrupted": 1}
    event = StudyFinished(study=_STUDY, stopped=not verdicts, runs=runs, seconds=9.5, verdicts=verdicts)
    return "ablate_study_finished", event


def _started(variant: str, replicate: int, *, reused: bool = False) -> RunStarted:
    return RunStarted(
        study=_STUDY,
        variant=variant,
        replicate=replicate,
        levels={"sampler.temperature.tau": 0.8, "augmenter": []},
        baseline=variant == "tau=1.0",
        config=_CONFIG,
        fingerprint=f"{variant}{replicate}".encode().hex().ljust(64, "0"),
        reused=reused,
    )


def _step(variant: str, replicate: int, step: int, *, loss: float = 3.0) -> StepLogged:
    return StepLogged(
        study=_STUDY,
        variant=variant,
        replicate=replicate,
        step=step,
        steps=50,
        loss=loss,
        tokens_seen=step * 512,
        seconds=step / 20,
        validation=(30, 2.5) if step > 30 else None,
    )


def _finished(variant: str, replicate: int, *, reused: bool = False) -> RunFinished:
    values = (("distance.pitch", "average", 0.25), ("likelihood", "value", math.nan))
    return RunFinished(
        study=_STUDY,
        variant=variant,
        replicate=replicate,
        state="done",
        measurements=tuple(
            Measured(metric=metric, feature=feature, value=value, unit="", direction="lower", samples=2)
            for metric, feature, value in values
        ),
        training={"loss": 2.75, "validation_loss": 2.5, "steps": 50, "tokens_seen": 25600, "parameters": 35184},
        seconds=4.5,
        reused=reused,
    )


def _reused(variant: str, replicate: int) -> Iterator[tuple[str, Any]]:
    yield "ablate_run_started", _started(variant, replicate, reused=True)
    yield "ablate_run_finished", _finished(variant, replicate, reused=True)


class ObserverContract(Contract):
    """An observer takes every event of a study, in a thread of its own.

    Its files are written to a temporary folder.
    """

    record = ObserverSpec

    def built(self, settings: Mapping[str, Any], folder: Path) -> object:
        """Return the observer."""
        return self.spec.build(self.spec.parse(settings), folder)

    def test_target(self) -> None:
        """Check that the target is one of the options, and that this option is a text."""
        types = {field.name: field.type for field in describe(self.spec.options)}
        if self.spec.target:
            assert types.get(self.spec.target) == "text", f"target '{self.spec.target}' is not an option that is a text"

    def test_hooks(self, settings: Mapping[str, Any]) -> None:
        """Check that the object has at least one hook of an event, and no other hook."""
        with tempfile.TemporaryDirectory() as folder:
            hooks_of(self.built(settings, Path(folder) / "mine"))

    def test_a_study(self, settings: Mapping[str, Any]) -> None:
        """Check that all events of a study are taken, and those of a second command that reuses its runs."""
        again = [*_reused("tau=1.0", 0), *_reused("tau=1.0", 1), _end("against tau=1.0: better.")]
        with tempfile.TemporaryDirectory() as folder:
            for events in (list(study_events()), again):
                self.deliver(events, settings, Path(folder) / "mine")

    def test_a_study_without_runs(self, settings: Mapping[str, Any]) -> None:
        """Check that a study may end before any run has started."""
        with tempfile.TemporaryDirectory() as folder:
            self.deliver([_end()], settings, Path(folder) / "mine")

    def deliver(self, events: Sequence[tuple[str, Any]], settings: Mapping[str, Any], folder: Path) -> None:
        """Build the observer, call its hooks in a thread as a study does, and check that none raises."""
        hooks, _ = hooks_of(self.built(settings, folder))
        errors: list[BaseException] = []

        def work() -> None:
            try:
                for hook, event in events:
                    _call(hooks, hook, event)
            except BaseException as error:  # noqa: BLE001 - it is raised below, in the thread of the test
                errors.append(error)

        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
        if errors:
            raise errors[0]


def _call(hooks: Any, hook: str, event: Any) -> None:
    """Call a hook, and check that it returns a text or nothing and leaves its event alone."""
    before = dataclasses.asdict(event)
    results = getattr(hooks, hook)(event=event)
    assert str(dataclasses.asdict(event)) == str(before), f"{hook} changes its event"
    others = [type(each).__name__ for each in results if not isinstance(each, str)]
    assert not others, f"{hook} returns {', '.join(others)}, not a text or None"
