"""Attack the database: lock it, remove it, cut it off, copy it without its log."""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
import subprocess
import sys
import time
from typing import TYPE_CHECKING

from faults.home import Home
from faults.kills import finished, wait, wait_for_training
from faults.kinds import Kind, Outcome

if TYPE_CHECKING:
    import random
    from collections.abc import Iterator

    from faults.kinds import Reference

_LOCK = """
import os, sqlite3, sys, time
path, seconds, pause, first = sys.argv[1], *map(float, sys.argv[2:])
while not os.path.exists(path):
    time.sleep(0.01)
time.sleep(first)
while True:
    opened = sqlite3.connect(path, isolation_level=None, timeout=60)
    opened.execute("BEGIN IMMEDIATE"); time.sleep(seconds); opened.execute("ROLLBACK"); opened.close()
    time.sleep(pause)
"""


@contextlib.contextmanager
def locking(home: Home, seconds: float, pause: float, first: float) -> Iterator[None]:
    """Hold the write lock of the database again and again, from ``first`` seconds after it is there."""
    words = [sys.executable, "-c", _LOCK, str(home.database), str(seconds), str(pause), str(first)]
    with subprocess.Popen(words) as process:  # noqa: S603 - words of our own
        try:
            yield
        finally:
            process.kill()


def lock(reference: Reference, rng: random.Random) -> Outcome:
    """Hold the write lock for seconds, repeatedly; the run waits and ends well."""
    with Home(reference.study) as home:
        seconds = rng.uniform(4, 9)
        with locking(home, seconds, rng.uniform(0.2, 2), rng.uniform(0, reference.seconds / 2)):
            problem = home.run().problem(0)
        return Outcome(1, problem or home.differences(reference.contents))


def remove_during_a_run(reference: Reference, rng: random.Random) -> Outcome:
    """Remove or replace the database during a run: no success may be told, and the home can be used again."""
    with Home(reference.study) as home:
        with home.started() as process:
            wait_for_training(home, process)
            wait(process, rng.uniform(0, reference.seconds / 3))
            gone = process.poll() is None
            way = rng.choice(["database", "all", "replaced"])
            for name in ("ablate.db", "ablate.db-wal", "ablate.db-shm") if way == "all" else ("ablate.db",):
                (home.folder / name).unlink(missing_ok=True)
            if way == "replaced":
                shutil.copy(reference.home.database, home.database)
            ended = home.ended(process)
        told = gone and ended.code == 0
        problem = "success was told although the database is gone" if told else ended.problem(0, 1)
        for name in ("ablate.db", "ablate.db-wal", "ablate.db-shm"):
            if way == "replaced":  # what was put there is not this home's
                (home.folder / name).unlink(missing_ok=True)
        return Outcome(1, problem or finished(home, reference))


def cut_off(reference: Reference, rng: random.Random) -> Outcome:
    """Cut off the database of a finished study: one line names it, or nothing that is read is wrong."""
    with reference.home.copy() as home:
        size = rng.choice([0, 1, 15, 100, 4096, rng.randrange(home.database.stat().st_size)])
        os.truncate(home.database, size)
        shown = home.run("study", "show", reference.study)
        listed = home.run("study", "list")
        problem = shown.problem(0, 1) or listed.problem(0, 1)
        if not problem and shown.code == 0 and shown.out != reference.home.run("study", "show", reference.study).out:
            problem = f"cut off at {size} bytes, study show prints something else without a word"
        if not problem and size and "nothing that was finished is lost" in shown.err:
            problem = "it says that nothing is lost"
        return Outcome(1, problem)


def without_log(reference: Reference, rng: random.Random) -> Outcome:
    """Remove the log of the database (WAL) of a finished study, or copy the database without it: nothing is lost."""
    del rng
    with reference.home.copy() as home:
        for end in ("-wal", "-shm"):
            home.database.with_name(f"ablate.db{end}").unlink(missing_ok=True)
        return Outcome(1, home.differences(reference.contents) or finished(home, reference))


def killed_log(reference: Reference, rng: random.Random) -> Outcome:
    """Kill a run, and remove the log of its database: what is lost is computed again, nothing is wrong."""
    with Home(reference.study) as home:
        with home.started() as process:
            wait_for_training(home, process)
            wait(process, rng.uniform(0, reference.seconds / 2))
            process.kill()
            process.wait()
        time.sleep(0.3)
        for end in ("-wal", "-shm"):
            home.database.with_name(f"ablate.db{end}").unlink(missing_ok=True)
        again = home.run()
        return Outcome(1, again.problem(0) or home.differences(reference.contents))


def foreign(reference: Reference, rng: random.Random) -> Outcome:
    """Let rows name folders outside the home, then delete and clean: nothing outside is touched."""
    with reference.home.copy() as home:
        outside = home.work / "precious"
        outside.mkdir()
        (outside / "file").write_text("precious")
        name = rng.choice([str(outside), "../precious", "artifacts/../../precious", ".", "", "artifacts/link"])
        (home.folder / "artifacts" / "link").symlink_to(outside)
        with contextlib.closing(sqlite3.connect(home.database)) as opened, opened:
            opened.execute("UPDATE ablate_stages SET artifact = ? WHERE kind IN ('train', 'generate')", (name,))
        done = home.run("study", "delete", reference.study, "--yes")
        problem = "" if (outside / "file").is_file() and home.database.is_file() else f"'{name}' was followed"
        return Outcome(1, problem or done.problem(0, 1))


KINDS = (
    Kind(
        "locks", "another program holds the write lock for 4 to 9 s, again and again", lock, ("factorial", "prune"), 12
    ),
    Kind(
        "removed-databases", "the database is removed or replaced during a run", remove_during_a_run, ("factorial",), 12
    ),
    Kind("cut-databases", "the database of a finished study is cut off", cut_off, ("factorial",), 12),
    Kind("without-log", "a finished database is copied without its log (WAL)", without_log, ("factorial", "prune"), 4),
    Kind("killed-log", "a run is killed and the log of its database removed", killed_log, ("factorial", "prune"), 10),
    Kind("foreign-paths", "rows of a foreign database name folders outside the home", foreign, ("factorial",), 12),
)
