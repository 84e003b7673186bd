"""``ablate study run --observe``: what observers get from a command, and what the command prints about them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

import ablate as public
from ablate.registry import Component, Plugin, get_registry

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from support.commands import Command


class Diary:
    """Keeps the events of one command."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.events = folder, []  # type: ignore[var-annotated]
        OPENED.append(self)

    @public.hookimpl
    def ablate_run_finished(self, event: public.RunFinished) -> None:
        self.events.append(event)

    @public.hookimpl
    def ablate_study_finished(self, event: public.StudyFinished) -> str:
        self.events.append(event)
        return f"{len(self.events)} events"


OPENED: list[Diary] = []


@pytest.fixture(autouse=True)
def diary() -> Iterator[None]:
    """Offer the observer, for one test."""
    OPENED.clear()
    spec = public.ObserverSpec(name="diary", summary="Events.", build=lambda options, folder: Diary(folder))
    components = get_registry().components
    components.append(Component(spec, Plugin("test", "test", "test", "0")))
    yield
    components.pop()


WORDS = ("study", "run", "tau_sweep", "--profile", "smoke", "--no-report")


def test_an_observer_gets_the_verdicts_that_are_printed(ran: Command, tmp_path: Path) -> None:
    outcome = ran(*WORDS, "--observe", "diary")
    assert outcome.code == 0
    assert outcome.err == "diary: 11 events\n"
    (opened,) = OPENED
    assert opened.folder == tmp_path / ".ablate/observers/diary"
    *runs, end = opened.events
    assert {(run.state, run.reused, run.study) for run in runs} == {("done", True, "tau_sweep@smoke")}
    assert len({(run.variant, run.replicate) for run in runs}) == 10
    assert (end.stopped, end.runs) == (False, {"done": 10})
    assert len(end.verdicts) > 5
    for sentence in end.verdicts:
        assert f"  - {sentence}\n" in outcome.out


def test_a_variable_of_the_environment_chooses_an_observer(ran: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ABLATE_OBSERVE", "diary")
    assert ran(*WORDS).err == "diary: 11 events\n"


def test_an_observer_that_cannot_be_used_stops_the_command(ran: Command) -> None:
    refused = ran(*WORDS, "--observe", "dairy:here")
    assert (refused.code, refused.out) == (2, "")
    assert refused.err.startswith("error: unknown observer 'dairy'; did you mean 'diary'? Offered: diary, mlflow, ")
    refused = ran(*WORDS, "--observe", "diary:here")
    assert (refused.code, refused.err) == (
        2,
        "error: --observe diary:here: 'diary' takes no target; write --observe diary\n",
    )


def test_an_error_of_the_study_ends_the_observation(ran: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    from ablate.cli.study.running import results

    def broken(*_: Any, **__: Any) -> Any:
        raise public.errors.HomeError("the disk is full")  # type: ignore[attr-defined]

    monkeypatch.setattr(results, "record_look", broken)
    outcome = ran(*WORDS, "--observe", "diary")
    assert outcome.code == 1
    (opened,) = OPENED
    assert (opened.events[-1].stopped, opened.events[-1].verdicts) == (True, ())
