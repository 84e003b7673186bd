"""Kill the merging of shards, then merge again: nothing may be lost, doubled or different."""

from __future__ import annotations

import atexit
import contextlib
import functools
from typing import TYPE_CHECKING, NamedTuple

from faults.home import Home
from faults.kills import MOST, finished, kill, wait
from faults.kinds import Kind, Outcome

if TYPE_CHECKING:
    import random

    from faults.kinds import Reference

#: The number of shards of a study.
SHARDS = 2


class Shards(NamedTuple):
    """The homes of the shards of a study, and the seconds that it takes to merge them."""

    homes: tuple[str, ...]
    seconds: float


@functools.cache
def shards_of(study: str) -> Shards:
    """Run a study in shards, and merge them once without a fault."""
    stack = contextlib.ExitStack()
    atexit.register(stack.close)
    homes = []
    for number in range(1, SHARDS + 1):
        home = stack.enter_context(Home(study))
        run = home.words()[4:-2]  # without the program and the home
        problem = home.run(*run, "--shard", f"{number}/{SHARDS}").problem(0)
        if problem:
            raise SystemExit(f"shard {number} of the study {study} fails without any fault: {problem}")
        homes.append(str(home.folder))
    with Home(study) as whole:
        merged = whole.run("db", "merge", *homes)
    if problem := merged.problem(0):
        raise SystemExit(f"the shards of the study {study} cannot be merged without any fault: {problem}")
    return Shards(tuple(homes), merged.seconds)


def kill_a_merge(reference: Reference, rng: random.Random) -> Outcome:
    """Kill the program at random moments, and merge in the end; the study then has nothing more to compute."""
    shards = shards_of(reference.study)
    with Home(reference.study) as home:
        kills = 0
        for _ in range(rng.randrange(1, MOST)):
            with home.started("db", "merge", *shards.homes) as process:
                # what comes before it writes, the start of Python, takes half of the time
                wait(process, rng.uniform(0.3, 1.1) * shards.seconds)
                kill(process.pid, everything=False)
                if process.wait() == 0:
                    break  # it was faster
                kills += 1
        problem = home.run("db", "merge", *shards.homes).problem(0)
        trainings = home.count("SELECT count(*) FROM ablate_stages WHERE kind = 'train'")
        if not problem and not trainings:
            problem = "nothing was merged"
        return Outcome(kills, problem or home.run("db", "check").problem(0) or finished(home, reference))


KINDS = (
    Kind(
        "merges",
        "SIGKILL of `ablate db merge` of two shards at any moment; the same command again, up to 8 times",
        kill_a_merge,
        ("factorial", "long"),
        60,
    ),
)
