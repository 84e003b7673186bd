"""Interrupt a run, or take away what it prints to: it ends soon and well, and the same command completes it."""

from __future__ import annotations

import os
import signal
import time
from typing import TYPE_CHECKING

from faults.home import Home
from faults.kills import finished, left_over, wait, wait_for_training
from faults.kinds import Kind, Outcome

if TYPE_CHECKING:
    import random

    from faults.kinds import Reference

#: Seconds within which a second Ctrl-C has to end the program.
AT_ONCE = 5.0


def interrupt(reference: Reference, rng: random.Random) -> Outcome:
    """Press Ctrl-C once or twice, end the program by SIGTERM, or close its terminal."""
    with Home(reference.study) as home:
        way = rng.choice(["once", "twice", "term", "hup"])
        with home.started() as process:
            wait_for_training(home, process)
            wait(process, rng.uniform(0.0, reference.seconds / 2))
            sent = {"term": signal.SIGTERM, "hup": signal.SIGHUP}.get(way, signal.SIGINT)
            os.killpg(process.pid, sent) if way != "term" else process.send_signal(sent)
            if way == "twice":
                wait(process, rng.uniform(0.05, 0.5))
                if process.poll() is None:
                    os.killpg(process.pid, sent)
            begun = time.monotonic()
            ended = home.ended(process)
            took = time.monotonic() - begun
            left = left_over(process.pid)
        problem = "" if ended.code is not None and "Traceback" not in ended.err else ended.problem(0)
        if way == "twice" and took > AT_ONCE:
            problem = problem or f"a second Ctrl-C took {took:.1f} s"
        if left:
            problem = problem or f"{left} processes went on"
        return Outcome(1, problem or finished(home, reference))


def take_away_output(reference: Reference, rng: random.Random) -> Outcome:
    """Close the pipe that progress or results go to, or start without any output; the run goes on to its end."""
    with Home(reference.study) as home:
        stream = rng.choice(["stdout", "stderr"])
        reader, writer = os.pipe()
        with home.started(**{stream: writer}) as process:
            os.close(writer)
            wait(process, rng.choice([0.0, 1.5, 3.0]))
            os.close(reader)
            ended = home.ended(process)
        return Outcome(1, ended.problem(0) or home.differences(reference.contents) or finished(home, reference))


def close_terminal(reference: Reference, rng: random.Random) -> Outcome:
    """Run at a terminal that goes away, in a session of its own (``setsid``); the run goes on to its end."""
    with Home(reference.study) as home:
        terminal, end = os.openpty()
        with home.started(stdout=end, stderr=end) as process:
            os.close(end)
            wait_for_training(home, process)
            wait(process, rng.uniform(0.0, 1.0))
            os.close(terminal)
            ended = home.ended(process)
        return Outcome(1, ended.problem(0) or home.differences(reference.contents) or finished(home, reference))


KINDS = (
    Kind(
        "interrupts",
        f"Ctrl-C once or twice (the second ends it within {AT_ONCE:g} s), SIGTERM, SIGHUP; the same command again",
        interrupt,
        ("factorial", "prune", "long"),
        24,
    ),
    Kind("closed-pipes", "the reader of stdout or stderr goes away during a run", take_away_output, ("factorial",), 10),
    Kind("closed-terminals", "the terminal of a run goes away", close_terminal, ("factorial",), 6),
)
