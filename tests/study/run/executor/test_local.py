"""The executor of this machine keeps the contract of all executors, and its workers do not wait for the driver."""

from __future__ import annotations

import json
import multiprocessing
import os
import pickle
import signal
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

from ablate.interfaces.executor import Begun, Died, Ended, Event, Setup, Signed, Task, Told
from ablate.study.run.executor.local import LOCAL
from ablate.study.run.executor.local.executor import LocalExecutor
from ablate.study.run.executor.local.held import Held
from ablate.study.run.executor.local.process import MESSAGE, Settings, main
from ablate.study.run.executor.local.shared import Signs
from ablate.study.run.executor.local.worker import Worker
from ablate.study.run.executor.start import processes
from ablate.testing import ExecutorContract

if TYPE_CHECKING:
    from pathlib import Path

    from ablate.interfaces.executor import Channel


class TestLocal(ExecutorContract):
    spec = LOCAL


def perform(data: bytes, channel: Channel) -> None:
    """Sleep, and send the process and the times; or die at once."""
    what, seconds = json.loads(data)
    begun = time.monotonic()
    if what == "dies silently":
        os.kill(os.getpid(), signal.SIGKILL)
    if what != "shows nothing":
        channel.sign(what)
    time.sleep(seconds)
    channel.send(json.dumps([os.getpid(), begun, time.monotonic()]).encode())
    if what == "dies":
        os.kill(os.getpid(), signal.SIGKILL)


class Driver:
    """Submits tasks to one worker, and keeps the events."""

    def __init__(self, executor: LocalExecutor) -> None:
        self.executor, self.events = executor, list[Event]()

    def submit(self, *tasks: tuple[str, float]) -> list[str]:
        names = [f"{number}-{what.partition(' ')[0]}" for number, (what, _) in enumerate(tasks)]
        for name, task in zip(names, tasks, strict=True):
            self.executor.submit(Task(name, json.dumps(task).encode()))
        return names

    def until(self, count: int, kind: type[Any]) -> None:
        deadline = time.monotonic() + 60
        while sum(isinstance(event, kind) for event in self.events) < count:
            assert time.monotonic() < deadline, self.events
            self.events += self.executor.wait(0.1)

    def of(self, name: str) -> list[str]:
        """Return the kinds of the events of a task."""
        return [type(event).__name__ for event in self.events if event.task == name and not isinstance(event, Signed)]


def test_a_worker_goes_on_while_the_driver_is_busy(tmp_path: Path) -> None:
    with LocalExecutor(["cpu"], Setup(perform, tmp_path)) as executor:
        driver = Driver(executor)
        names = driver.submit(*[("sleeps", 0.05)] * 4)
        driver.until(1, Begun)
        time.sleep(1.0)  # busy with something else
        driver.until(4, Ended)
    times = [json.loads(event.message) for event in driver.events if isinstance(event, Told)]
    assert times[-1][2] - times[0][1] < 0.9, "a worker waited for the driver"
    assert len({process for process, *_ in times}) == 1
    whole = [type(event).__name__ for event in driver.events if not isinstance(event, Signed)]
    assert whole == ["Begun", "Told", "Ended"] * 4
    assert [event.task for event in driver.events if isinstance(event, Begun)] == names


def test_a_task_that_was_held_is_not_blamed_for_the_death_of_its_worker(tmp_path: Path) -> None:
    with LocalExecutor(["cpu"], Setup(perform, tmp_path)) as executor:
        driver = Driver(executor)
        names = driver.submit(("sleeps", 0.05), ("dies", 0.05), ("sleeps", 0.05), ("dies silently", 0), ("sleeps", 0.0))
        driver.until(1, Begun)
        time.sleep(0.5)
        driver.until(5, Ended | Died)
    done, died = ["Begun", "Told", "Ended"], ["Begun", "Told", "Died"]
    assert [driver.of(name) for name in names] == [done, died, done, ["Begun", "Died"], done]
    signs = {(event.task, event.doing) for event in driver.events if isinstance(event, Signed)}
    assert signs <= {(name, name.partition("-")[2]) for name in names}, "the sign of another task"
    assert "3-dies" not in {task for task, _ in signs}, "what the worker did before is no sign of this task"


def test_progress_that_the_driver_has_not_seen_in_time_is_no_sign_of_the_next_task(tmp_path: Path) -> None:
    with LocalExecutor(["cpu"], Setup(perform, tmp_path)) as executor:
        driver = Driver(executor)
        names = driver.submit(("sleeps", 0.1), ("shows nothing", 1.0), ("sleeps", 0.1))
        driver.until(1, Begun)
        time.sleep(0.5)  # the first task signs and ends, and the second one begins
        driver.until(3, Ended)
    assert {event.task for event in driver.events if isinstance(event, Signed)} <= {names[0], names[2]}


def test_a_held_task_can_be_ended_and_one_that_has_begun_meanwhile_too(tmp_path: Path) -> None:
    with LocalExecutor(["cpu"], Setup(perform, tmp_path)) as executor:
        driver = Driver(executor)
        names = driver.submit(("sleeps", 0.05), ("sleeps", 60), ("sleeps", 0.05), ("sleeps", 0.05))
        driver.until(1, Begun)
        # the second one begins, and the driver does not know it
        (worker,) = executor._busy
        deadline = time.monotonic() + 30
        while not (worker.task and worker.task.name == names[1]):
            assert time.monotonic() < deadline
            time.sleep(0.01)
        executor.end(names[1])
        executor.end(names[2])
        driver.until(3, Ended | Died)
    assert driver.of(names[1]) == ["Begun", "Died"]
    assert driver.of(names[2]) == []
    assert driver.of(names[3]) == ["Begun", "Told", "Ended"]


def send_for_ever(_: bytes, channel: Channel) -> None:
    while True:
        channel.send(b"x")


def test_a_worker_that_nobody_hears_any_more_ends_without_a_traceback(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    context: Any = processes(1)
    here, there = context.Pipe()
    settings = Settings(send_for_ever, tmp_path, dict(os.environ))
    process = context.Process(target=main, args=(there, "cpu", settings, context.RawValue("b", 0), Signs(context)))
    process.start()
    there.close()
    here.send_bytes(pickle.dumps((1, b"", {})))
    assert here.recv_bytes() == MESSAGE + b"x"
    here.close()
    process.join(60)
    assert process.exitcode == 0
    assert "Traceback" not in capfd.readouterr().err


@pytest.mark.parametrize("given_up", [False, True], ids=["alone", "while the driver gives it up"])
def test_a_task_that_could_not_be_sent_is_done_once(*, given_up: bool) -> None:
    """A process dies between two tasks: either another worker gets the second one, or it is reported as dead."""
    held, here = Held(["cpu"]), multiprocessing.Pipe()
    held.add(Task("second", b""), {})
    worker = object.__new__(Worker)  # without its process and its thread, which are played here
    worker._lock, worker._held = threading.Lock(), held
    worker._entry = entry = held.take(["cpu"], alone=True)
    assert entry
    dead = None
    if given_up:
        dead = worker.give_up()
    here[1].close()
    with here[0], pytest.raises(OSError, match="Broken pipe"):
        worker._send(entry, here[0])
    again = held.take(["cpu"], alone=True)
    assert [dead, again and again.task].count(entry.task) == 1
    assert worker.give_up() is None
