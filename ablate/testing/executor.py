"""The contract of executors."""

# ruff: noqa: S101 - these are tests, though a plugin's author imports them

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ablate.interfaces.executor import Begun, Ended, Noted, Setup, Signed, Told
from ablate.specs import ExecutorSpec
from ablate.testing.base import Contract
from ablate.testing.executor_log import Log, runs
from ablate.testing.executor_work import LARGE, MESSAGES, perform

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ablate.interfaces.executor import Executor

#: The file in the home of the tests.
_FILE = "in-the-home.txt"


class ExecutorContract(Contract):
    """An executor brings tasks to workers and everything that they send back, whatever happens to a worker.

    Attributes:
        seconds: the longest time that a test waits for an event; a cluster may need more to start its workers.
        workers: of the setup.
    """

    record = ExecutorSpec
    seconds: float = 60.0
    workers: int = 2

    @contextlib.contextmanager
    def entered(self, settings: Mapping[str, Any]) -> Iterator[tuple[Executor, Log]]:
        """Build the executor for a new home, enter it, and yield it with the log of its events."""
        with tempfile.TemporaryDirectory() as folder:
            home = Path(folder).resolve()
            (home / _FILE).write_text("here")
            executor = self.spec.build(self.spec.parse(settings), Setup(perform, home, "cpu", self.workers))
            with executor:
                yield executor, Log(executor, self.seconds)

    def test_places(self, settings: Mapping[str, Any]) -> None:
        """Check that a task begins at one of the places, on its device; there may be none before."""
        with self.entered(settings) as (executor, log):
            log.submit("where")
            log.until_over()
            places = {place.name: place for place in executor.places()}
            assert places, "there is no place where tasks can run"
            assert len(places) == len(executor.places()), "two places have the same name"
            assert all(place.slots >= 1 for place in places.values()), "a place has no slot"
            begun = log.of("where", Begun)[0]
            assert begun.place in places, f"a task begins at '{begun.place}', which is no place"
            device = log.told("where")[2]
            assert device == places[begun.place].device, f"a task at '{begun.place}' has the device {device}"

    def test_home(self, settings: Mapping[str, Any]) -> None:
        """Check that workers see the home if the executor says so, and that they know where they cannot."""
        with self.entered(settings) as (executor, log):
            log.submit("where")
            log.until_over()
            home = log.told("where")[3]  # an executor may have files of its own there
            expected = True if executor.shares_home else None
            sees = None if home is None else _FILE in home
            assert sees == expected, f"shares_home is {executor.shares_home}, but a worker finds {home} in the home"

    def test_messages(self, settings: Mapping[str, Any]) -> None:
        """Check that the messages of a task arrive whole, once and in order, between its first and its last event."""
        with self.entered(settings) as (_, log):
            log.submit("count")
            log.until_over()
            numbers = [int(event.message) for event in log.of("count", Told)]
            assert numbers == list(range(MESSAGES)), "the messages are not those that were sent, in their order"
            assert len(log.of("count", Told)[10].message) == LARGE, "a large message is not whole"
            kinds = [type(event) for event in log.events if not isinstance(event, Signed | Noted)]
            assert kinds == [Begun, *[Told] * MESSAGES, Ended], "a task does not begin with Begun and end with Ended"

    def test_many_tasks(self, settings: Mapping[str, Any]) -> None:
        """Check that each of many tasks is done once."""
        with self.entered(settings) as (_, log):
            names = [log.submit("print", name=f"many-{number}") for number in range(12)]
            log.until_over()
            counts = {
                name: (len(log.of(name, Begun)), len(log.of(name, Told)), len(log.of(name, Ended))) for name in names
            }
            assert set(counts.values()) == {(1, 1, 1)}, f"not every task was done once: {counts}"

    def test_an_exception(self, settings: Mapping[str, Any]) -> None:
        """Check that an exception of a task is its end alone, with its message, and that nobody else is blamed."""
        with self.entered(settings) as (_, log):
            log.submit("fail")
            log.submit("where")
            log.until_over()
            died = log.died("fail")
            assert "on purpose" in died.how, f"the message of the exception is not in '{died.how}'"
            assert not died.outside, "an exception counts as the work of somebody else"
            assert log.of("where", Ended), "another task has ended with it"

    def test_a_killed_worker(self, settings: Mapping[str, Any]) -> None:
        """Check that a worker that is killed costs its own task: one event tells of it, and other tasks are done."""
        with self.entered(settings) as (_, log):
            log.submit("count")
            log.submit("die")
            log.submit("where")
            log.until_over()
            died = log.died("die")
            assert died.outside, "a kill from outside counts as the task's own doing"
            assert log.of("die", Told), "the message of a task that was killed later is lost"
            assert log.of("count", Ended), "another task has died with it"
            assert log.of("where", Ended), "another task has died with it"
            log.submit("print")
            log.until_over()
            assert log.of("print", Ended), "after a death, no worker does another task"

    def test_end(self, settings: Mapping[str, Any]) -> None:
        """Check that a task can be ended: its worker is killed, and nobody else is blamed."""
        with self.entered(settings) as (executor, log):
            log.submit("hang")
            log.until(lambda: bool(log.of("hang", Told)))
            executor.end("hang")
            log.until_over()
            assert not log.died("hang").outside, "the end of a task counts as the work of somebody else"
            assert not runs(log.told("hang")), "the process of a task that was ended still runs"
            log.submit("print")
            log.until_over()
            assert log.of("print", Ended), "after the end of a task, no worker does another one"

    def test_contents(self, settings: Mapping[str, Any]) -> None:
        """Check that tasks fetch the contents that were put, byte by byte."""
        with self.entered(settings) as (executor, log), tempfile.TemporaryDirectory() as folder:
            contents = {}
            for number, data in enumerate((b"", os.urandom(1_500_000))):
                path = Path(folder) / str(number)
                path.write_bytes(data)
                digest = f"{len(data)}/../{hashlib.sha256(data).hexdigest()}"  # any text, which is no path
                contents[digest] = data
                executor.put(digest, path)
                executor.put(digest, path)
            for name in ("one", "two"):
                log.submit("fetch", *contents, name=name, inputs=tuple(contents))
            log.until_over()
            for name in ("one", "two"):
                fetched = [event.message for event in log.of(name, Told)]
                assert fetched == list(contents.values()), "what a task fetches is not what was put"

    def test_alone(self, settings: Mapping[str, Any]) -> None:
        """Check that a task that needs a process to itself gets one."""
        with self.entered(settings) as (_, log):
            names = []
            for number, alone in enumerate((False, True, False, True)):
                names.append(log.submit("where", name=f"alone-{number}", alone=alone))
                log.until_over()
            first, second, third, fourth = (tuple(log.told(name)[:2]) for name in names)
            assert second not in (first, third, fourth), "a task that needs a process alone shares it"
            assert fourth not in (first, second, third), "a task that needs a process alone shares it"

    def test_end_before_the_beginning(self, settings: Mapping[str, Any]) -> None:
        """Check that a task that was ended before it began does not run, without an event."""
        with self.entered(settings) as (executor, log):
            log.submit("where")  # there may be no place before
            log.until_over()
            slots = sum(place.slots for place in executor.places())
            first = [log.submit("wait", name=f"first-{number}") for number in range(slots)]
            log.until(lambda: all(log.of(name, Begun) for name in first))
            log.submit("print")
            executor.end("print")
            log.open.discard("print")
            executor.stop()
            log.until_over()
            log.settle()
            assert not [event for event in log.events if event.task == "print"], "a task that was dropped has events"

    def test_end_at_once(self, settings: Mapping[str, Any]) -> None:
        """Check that a task can be ended as soon as it was submitted or has begun, and that no worker keeps it."""
        with self.entered(settings) as (executor, log):
            log.submit("where")
            log.until_over()
            log.submit("hang", name="begun")
            log.until(lambda: bool(log.of("begun", Begun)))
            executor.end("begun")
            log.until_over()
            assert not log.died("begun").outside, "the end of a task counts as the work of somebody else"
            log.submit("hang", name="submitted")
            executor.end("submitted")
            slots = sum(place.slots for place in executor.places())
            last = [log.submit("wait", name=f"last-{number}") for number in range(slots)]
            log.until(lambda: all(log.of(name, Begun) for name in last))
            executor.stop()
            dropped = () if log.of("submitted", Begun) else ("submitted",)
            log.until(lambda: log.open <= {*dropped})
            log.settle()
            assert not any(event.task in dropped for event in log.events), "a task that was dropped has events"

    def test_stop(self, settings: Mapping[str, Any]) -> None:
        """Check that tasks learn that they should stop, and that what they send then arrives."""
        with self.entered(settings) as (executor, log):
            log.submit("wait")
            log.until(lambda: bool(log.of("wait", Told)))
            executor.stop()
            log.until_over()
            assert log.of("wait", Ended), "a task that was asked to stop died"
            assert json.loads(log.of("wait", Told)[-1].message) == "stopped", "the last message of a task is lost"

    def test_signs(self, settings: Mapping[str, Any]) -> None:
        """Check that signs of progress arrive while a task works, with what is at work."""
        with self.entered(settings) as (executor, log):
            log.submit("wait")
            log.until(lambda: len(log.of("wait", Signed)) > 1)
            doing = {event.doing for event in log.of("wait", Signed)}
            assert doing == {"waiting"}, f"what is at work arrives as {doing}"
            executor.stop()
            log.until_over()

    def test_nothing_is_left(self, settings: Mapping[str, Any]) -> None:
        """Check that no worker stays when the executor is left, not even one that does not stop; at once for Ctrl-C."""
        started = 0.0
        with contextlib.suppress(KeyboardInterrupt), self.entered(settings) as (_, log):
            log.submit("print")
            log.until_over()
            log.submit("hang")
            log.until(lambda: bool(log.of("hang", Told)))
            started = time.monotonic()
            raise KeyboardInterrupt
        assert time.monotonic() - started < self.seconds / 2, "Ctrl-C waits for a task"
        deadline = time.monotonic() + self.seconds / 2
        while runs(log.told("hang")) and time.monotonic() < deadline:
            time.sleep(0.05)
        assert not runs(log.told("hang")), "a worker still runs"
