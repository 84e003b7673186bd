"""The driver's side of a pilot, with the files of a real one that these tests write themselves."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING, Any

import pytest

from ablate.interfaces.executor import Begun, Died, Task, Told
from ablate_slurm import log
from ablate_slurm.link import Link
from ablate_slurm.log import Reader, Writer
from ablate_slurm.messages import Begin, Bye, End, Hello, Leaving
from ablate_slurm.session import FROM, PLACE, TO

if TYPE_CHECKING:
    from pathlib import Path


class Pilot:
    """A pilot that says what a test wants."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self._out, self._orders = Writer(folder, FROM), Reader(folder, TO)
        self._out.create()
        Writer(folder, TO).create()
        self.link = Link(folder)
        self.say(Hello("node", 2))
        assert list(self.link.events(at_once=True)) == []

    def say(self, *messages: Any) -> None:
        self._out.write(messages)

    def orders(self) -> list[Any]:
        return self._orders.read()

    def events(self) -> list[Any]:
        return list(self.link.events(at_once=True))


@pytest.fixture
def pilot(tmp_path: Path) -> Pilot:
    return Pilot(tmp_path / "7_0.0")


def task(name: str) -> Task:
    return Task(name, b"data")


def test_orders_that_a_full_disk_refuses_are_sent_later(
    pilot: Pilot, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    pilot.link.begin(task("a"))
    with monkeypatch.context() as without:
        without.setattr(log, "_append", full)
        pilot.link.end("a")
        pilot.link.begin(task("b"))
    assert pilot.orders() == [Begin("a", b"data")]
    pilot.events()
    assert pilot.orders() == [End("a"), Begin("b", b"data")]
    assert [record.message.endswith("(No space left on device); it is tried again") for record in caplog.records] == [
        True
    ]


def test_tasks_that_a_pilot_has_not_begun_when_it_leaves_come_back(pilot: Pilot) -> None:
    for name in ("a", "b", "c"):
        pilot.link.begin(task(name))
    assert pilot.link.take_back() == []
    pilot.link.end("c")
    pilot.say(Begun("a", PLACE), Leaving())
    assert pilot.events() == [Begun("a", PLACE)]
    assert pilot.link.take_back() == [task("b")]
    assert list(pilot.link.bury("has gone")) == [Died("a", "has gone", outside=True)]


def test_a_task_that_nobody_knows_of_has_begun_with_its_job(pilot: Pilot) -> None:
    pilot.link.begin(task("a"))
    assert list(pilot.link.bury("has gone")) == [Begun("a", PLACE), Died("a", "has gone", outside=True)]


def test_a_task_that_was_ended_before_it_began_has_no_event(pilot: Pilot) -> None:
    pilot.link.begin(task("a"))
    pilot.link.end("a")
    pilot.say(Begun("a", PLACE), Told("a", b"told"), Died("a", "was ended by ablate", outside=False))
    assert pilot.events() == []
    assert pilot.link.free == 2


def test_a_pilot_says_why_it_ends(pilot: Pilot) -> None:
    pilot.say(Bye((), "it had no sign of this command"))
    pilot.events()
    assert (pilot.link.over, pilot.link.why) == (True, "it had no sign of this command")


def test_a_driver_that_slept_does_not_count_it_as_silence(pilot: Pilot) -> None:
    pilot.link._looked -= 600
    pilot.events()
    assert 0.9 < pilot.link.silent < 1.1
    pilot.say(Hello("node", 2))
    pilot.events()
    assert pilot.link.silent == 0


def test_all_is_heard_of_a_job_that_has_ended(pilot: Pilot, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log, "_LOOK", 100)
    for number in range(5):
        pilot.say(Told("a", bytes([number]) * 200))
    assert [event.message[0] for event in pilot.events() if isinstance(event, Told)] == list(range(5))
