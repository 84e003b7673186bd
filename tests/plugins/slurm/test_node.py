"""Workers and pilots as processes, without a cluster."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from support import slurm_work
from support.slurm_runs import until

from ablate.interfaces.executor import Begun, Died, Ended, Task, Told
from ablate.testing.executor_work import perform
from ablate_slurm.link import Link
from ablate_slurm.log import Reader, Writer
from ablate_slurm.messages import Begin, Message
from ablate_slurm.node.news import News
from ablate_slurm.node.pilot import SLURM, Pilot
from ablate_slurm.node.process import WorkerProcess
from ablate_slurm.pace import Pace
from ablate_slurm.session import FROM, Session, SharedSetup

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ENVIRONMENT = {
    **os.environ,
    "PYTHONPATH": f"{os.environ.get('PYTHONPATH', '')}:{Path(__file__).parents[2]}",
    "SLURM_JOB_ID": "7",
}


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    with_tasks = SharedSetup(slurm_work.perform, str(tmp_path), "cpu", 1, 60)
    made = Session(tmp_path / "slurm", tmp_path, with_tasks)
    yield made
    made.close()


@pytest.fixture
def worker(session: Session) -> Iterator[WorkerProcess]:
    made = WorkerProcess(session.folder, ENVIRONMENT)
    yield made
    made.kill()
    made.dismiss()
    until(made.has_left)


def heard(worker: WorkerProcess, room: int = 2**30) -> list[Message]:
    """Wait for the end of a task, and return all that was heard."""
    found: list[Message] = []

    def come() -> bool:
        found.extend(worker.events(room))
        return worker.task is None

    until(come)
    return found


def test_a_worker_that_slurm_ends_while_it_starts_has_done_nothing_itself(worker: WorkerProcess) -> None:
    os.kill(worker._process.pid, signal.SIGTERM)
    worker.begin(Begin("a", b""), stopping=False)
    assert heard(worker) == [Died("a", "its process was ended by SIGTERM while it started", outside=True)]


def test_a_large_task_does_not_hold_up_the_pilot_while_its_worker_starts(worker: WorkerProcess) -> None:
    os.kill(worker._process.pid, signal.SIGSTOP)
    later = threading.Timer(2, os.kill, (worker._process.pid, signal.SIGCONT))
    later.start()
    began = time.monotonic()
    worker.begin(Begin("a", bytes(5_000_000)), stopping=False)
    assert time.monotonic() - began < 1
    assert isinstance(heard(worker)[-1], Ended)


def test_a_worker_waits_where_messages_cannot_go_on(worker: WorkerProcess) -> None:
    worker.begin(Begin("a", b""), stopping=False)
    until(worker.connection.poll)
    assert list(worker.events(0)) == []
    time.sleep(0.2)
    first = list(worker.events(1_500_000))
    assert sum(isinstance(message, Told) for message in first) <= 2
    messages = [*first, *heard(worker, 1_500_000)]
    assert [each.message[0] for each in messages if isinstance(each, Told)] == list(range(8))
    assert messages[-1] == Ended("a")


def test_news_say_when_there_is_no_more_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    writer = Writer(tmp_path, FROM)
    writer.create()
    news = News(writer, Pace())
    for _ in range(40):
        news.tell(Told("a", bytes(1_000_000)))
    with monkeypatch.context() as without:
        without.setattr(writer, "write", full)
        assert news.send()
    assert news.room < 0
    assert news.send()
    assert news.room > 30_000_000
    assert len(Reader(tmp_path, FROM).read()) == 40


def test_a_worker_tidies_up_before_it_ends(worker: WorkerProcess) -> None:
    worker.begin(Begin("a", b"keep"), stopping=False)
    (kept,) = (Path(each.message.decode()) for each in heard(worker) if isinstance(each, Told))
    assert kept.is_dir()
    worker.dismiss()
    until(worker.has_left)
    assert not kept.exists()


def test_a_worker_that_does_not_end_is_killed(worker: WorkerProcess) -> None:
    os.kill(worker._process.pid, signal.SIGSTOP)
    worker.dismiss()
    until(worker.has_left, seconds=10)


def test_a_pilot_that_slept_does_not_count_it_as_silence(session: Session) -> None:
    pilot = Pilot(session.folder, ENVIRONMENT)
    pilot._watch_driver()
    pilot._looked -= 600
    pilot._watch_driver()
    pilot._looked -= 600
    pilot._watch_driver()
    assert pilot._silent <= 1
    assert not pilot._leaving_until


class Running:
    """A pilot as a process, and the driver's side of it."""

    def __init__(self, home: Path, patience: float) -> None:
        setup = SharedSetup(perform, str(home), "cpu", 1, patience)
        self.session = Session(home / "slurm", home, setup)
        words = [sys.executable, "-P", "-m", "ablate_slurm.node.pilot", str(self.session.folder), "120"]
        self.process = subprocess.Popen(words, env=ENVIRONMENT)
        until(lambda: list(self.session.pilots()), self.process)
        self.link = Link(next(self.session.pilots()))
        self._found: list[Any] = []

    def until(self, condition: Callable[[list[Any]], object]) -> list[Any]:
        def come() -> object:
            self._found.extend(self.link.events(at_once=True))
            return condition(self._found)

        until(come)
        return self._found

    def begin(self, name: str, what: str) -> None:
        self.link.begin(Task(name, json.dumps([what]).encode()))

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        self.session.close()


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Running]:
    made = Running(tmp_path, 1.0)
    yield made
    made.close()


def told(events: list[Any]) -> list[Any]:
    return [event for event in events if isinstance(event, Told)]


def test_a_task_that_is_ended_before_a_pilot_begins_it_never_runs(running: Running) -> None:
    running.begin("a", "wait")
    running.begin("b", "print")
    running.link.end("b")
    running.link.stop()
    events = running.until(lambda events: any(isinstance(event, Ended) for event in events))
    assert {event.task for event in events} == {"a"}
    running.until(lambda _: running.link.free == 1)
    messages = Reader(next(running.session.pilots()), FROM).read()
    assert [message.task for message in messages if isinstance(message, Begun)] == ["a"]


def test_a_pilot_without_a_sign_of_the_driver_saves_its_task_and_says_why(running: Running) -> None:
    running.begin("a", "wait")
    running.until(told)
    running.begin("b", "print")
    running.session._ending.set()
    events = running.until(lambda _: running.link.over)
    assert events[-1] == Died("a", "its job had no sign of this command for 1 s", outside=True, asked=True)
    assert json.loads(told(events)[-1].message) == "stopped"
    assert [task.name for task in running.link.take_back()] == ["b"]
    assert running.link.why == "its job had no sign of this command for 1 s"


def test_a_pilot_that_slurm_ends_gives_back_what_it_has_not_begun(running: Running) -> None:
    running.begin("a", "wait")
    running.until(told)
    os.kill(running.process.pid, signal.SIGTERM)
    running.begin("b", "print")
    running.until(lambda _: running.link.over)
    assert [task.name for task in running.link.take_back()] == ["b"]
    assert list(running.link.bury(SLURM)) == [Died("a", SLURM, outside=True, asked=True)]
