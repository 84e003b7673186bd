"""An observer that fails, hangs or is slow affects nothing but itself."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

import ablate
from ablate.registry import Plugin
from ablate.study.observe import delivery as module
from ablate.study.observe.choice import Observer, hooks_of
from ablate.study.observe.delivery import Delivery

if TYPE_CHECKING:
    import pytest

END = "ablate_study_finished"


class Recorder:
    """Keeps what it gets; waits for ``gate`` before the first event, and fails at a step of ``bad``."""

    def __init__(self, bad: int = 0) -> None:
        self.gate, self.events, self.bad, self.threads = threading.Event(), [], bad, set()  # type: ignore[var-annotated]

    @ablate.hookimpl
    def ablate_step_logged(self, event: Any) -> None:
        self.gate.wait(20)
        self.threads.add(threading.get_ident())
        if self.bad and event >= self.bad:
            raise ValueError(f"step {event} is\ntoo much")
        self.events.append(event)

    @ablate.hookimpl
    def ablate_study_finished(self, event: Any) -> str:
        self.events.append(event)
        return f"kept {len(self.events)}"


def start(recorder: Recorder) -> Delivery:
    hooks, events = hooks_of(recorder)
    return Delivery(Observer("mine", Plugin("test", "test_plugin", "test", "1"), hooks, events))


def soon(seconds: float = 20) -> float:
    return time.monotonic() + seconds


def test_events_arrive_in_order_in_one_other_thread() -> None:
    recorder = Recorder()
    recorder.gate.set()
    delivery = start(recorder)
    for step in range(50):
        delivery.put("ablate_step_logged", step)
    delivery.put("ablate_run_started", "nobody listens to this")
    delivery.put(END, "end")
    assert delivery.wait(soon()) == 0
    assert recorder.events == [*range(50), "end"]
    assert len(recorder.threads) == 1
    assert threading.get_ident() not in recorder.threads
    assert (delivery.line, delivery.dropped, delivery.take_error()) == ("kept 51", 0, "")


def test_an_exception_switches_off_and_is_told_once() -> None:
    recorder = Recorder(bad=2)
    recorder.gate.set()
    delivery = start(recorder)
    for step in range(5):
        delivery.put("ablate_step_logged", step)
    assert delivery.wait(soon()) == 0
    delivery.put("ablate_step_logged", 0)
    assert recorder.events == [0, 1]
    assert delivery.take_error() == (
        "observer 'mine' of plugin 'test' (test_plugin, of test 1) failed in ablate_step_logged: "
        "ValueError: step 2 is too much"
    )
    assert delivery.take_error() == ""


def test_an_observer_that_hangs_is_left_behind() -> None:
    recorder = Recorder()
    delivery = start(recorder)
    begin = time.monotonic()
    for step in range(3):
        delivery.put("ablate_step_logged", step)
    delivery.put(END, "end")
    assert time.monotonic() - begin < 0.5
    assert delivery.wait(soon(0.3)) == 4
    recorder.gate.set()


def test_steps_are_dropped_and_counted_where_an_observer_is_slow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_STEPS", 4)
    recorder = Recorder()
    delivery = start(recorder)
    for step in range(10):
        delivery.put("ablate_step_logged", step)
    delivery.put(END, "end")  # never dropped
    recorder.gate.set()
    assert delivery.wait(soon()) == 0
    assert recorder.events == [0, 1, 2, 3, "end"]
    assert delivery.dropped == 6
