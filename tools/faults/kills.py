"""Kill the processes of a run, then run it again until it is finished: nothing may be lost, doubled or different."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from pathlib import Path
from typing import TYPE_CHECKING

from faults.home import Home, session
from faults.kinds import Kind, Outcome

if TYPE_CHECKING:
    import random
    import subprocess
    from collections.abc import Callable

    from faults.kinds import Reference

#: Seconds after which the workers of a killed run have to be gone.
ORPHANS = 30.0
#: The most kills of one home.
MOST = 8


def kill_at_any_time(reference: Reference, rng: random.Random) -> Outcome:
    """Kill the program, or everything of its session, at random moments."""

    def attack(_home: Home, process: subprocess.Popen[str]) -> None:
        wait(process, rng.uniform(0.1, 1.1 * reference.seconds))
        kill(process.pid, everything=rng.random() < 0.3)

    return until_finished(reference, rng, attack)


def kill_after_a_result(reference: Reference, rng: random.Random) -> Outcome:
    """Kill the program right after some result was stored, from the first replicates of a variant on."""
    stored = "SELECT count(*) FROM ablate_stages WHERE kind = 'measure'"
    goal = [rng.randrange(1, reference.home.count(stored))]

    def attack(home: Home, process: subprocess.Popen[str]) -> None:
        while process.poll() is None and home.count(stored) < goal[0]:
            time.sleep(0.002)
        wait(process, rng.choice([0.0, 0.01, 0.03, 0.1]))
        kill(process.pid, everything=False)
        goal[0] += rng.randrange(1, 4)

    return until_finished(reference, rng, attack)


def kill_a_worker(reference: Reference, rng: random.Random) -> Outcome:
    """Kill a worker while it trains and sends progress; the run has to end by itself, and a second one completes it."""
    with Home(reference.study) as home:
        kills = 0
        with home.started() as process:
            wait_for_training(home, process)
            for _ in range(rng.randrange(1, 4)):
                wait(process, rng.uniform(0.0, 0.3))
                others = [pid for pid in session(process.pid) if pid != process.pid and is_worker(pid)]
                if process.poll() is None and others:
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(rng.choice(others), signal.SIGKILL)
                    kills += 1
            problem = home.ended(process).problem(0, 1)
        return Outcome(kills, problem or finished(home, reference))


def until_finished(
    reference: Reference, rng: random.Random, attack: Callable[[Home, subprocess.Popen[str]], None]
) -> Outcome:
    """Attack run after run of a new home, then compare it with one that was not attacked."""
    with Home(reference.study) as home:
        kills = 0
        for _ in range(rng.randrange(1, MOST)):
            with home.started() as process:
                attack(home, process)
                if process.poll() == 0:
                    break  # it was faster
                process.wait()
                kills += 1
                if orphans := left_over(process.pid):
                    return Outcome(kills, f"{orphans} processes went on after the kill")
        return Outcome(kills, finished(home, reference))


def finished(home: Home, reference: Reference) -> str:
    """Run a study to its end, and return what went wrong or differs from the reference."""
    return home.run().problem(0) or home.differences(reference.contents)


def wait(process: subprocess.Popen[str], seconds: float) -> None:
    """Wait, or less where the process ends before."""
    deadline = time.monotonic() + seconds
    while process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.005)


def wait_for_training(home: Home, process: subprocess.Popen[str], seconds: float = 60) -> None:
    """Wait until everything before the trainings is stored."""
    deadline = time.monotonic() + seconds
    prepared = "SELECT count(*) FROM ablate_stages WHERE kind = 'prepare'"
    while process.poll() is None and time.monotonic() < deadline and not home.count(prepared):
        time.sleep(0.01)


def kill(pid: int, *, everything: bool) -> None:
    """Kill a process, or all of its group."""
    with contextlib.suppress(ProcessLookupError):
        (os.killpg if everything else os.kill)(pid, signal.SIGKILL)


def is_worker(pid: int) -> bool:
    """Return whether a process computes: it is not the one that only counts files to be removed."""
    with contextlib.suppress(OSError):
        return b"resource_tracker" not in Path(f"/proc/{pid}/cmdline").read_bytes()
    return False


def left_over(leader: int) -> int:
    """Return how many processes of a killed run are still there after a while."""
    deadline = time.monotonic() + ORPHANS
    while (left := session(leader)) and time.monotonic() < deadline:
        time.sleep(0.05)
    return len(left)


KINDS = (
    Kind(
        "kills",
        "SIGKILL of the program, or of all its processes, at any moment; the same command again, up to 8 times",
        kill_at_any_time,
        ("factorial", "search", "prune", "path"),
        120,
    ),
    Kind(
        "kills-after-a-result",
        "SIGKILL up to 0.1 s after a result was stored, from the first replicates of a variant on",
        kill_after_a_result,
        ("prune", "search", "prune", "path"),
        60,
    ),
    Kind(
        "kills-of-workers",
        "SIGKILL of workers, or of the process that starts them, while trainings send progress",
        kill_a_worker,
        ("long", "prune"),
        40,
    ),
)
