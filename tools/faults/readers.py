"""Read a home while a study runs in it, and where nothing can be written."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from faults.home import Home
from faults.kills import wait_for_training
from faults.kinds import Kind, Outcome

if TYPE_CHECKING:
    import random
    from collections.abc import Iterator

    from faults.kinds import Reference

READERS = 8


def read_beside(reference: Reference, rng: random.Random) -> Outcome:
    """Run many readers beside a run; all read, and the run is not disturbed."""
    del rng
    with Home(reference.study) as home, home.started() as process:
        wait_for_training(home, process)
        commands = [
            ("study", "show", reference.study),
            ("study", "list"),
            ("study", "export", reference.study, "-o", "-"),
        ]

        def read(number: int) -> str:
            words = home.words(*commands[number % len(commands)])
            done = subprocess.run(words, capture_output=True, text=True, cwd=home.work, check=False)  # noqa: S603
            return "" if done.returncode == 0 else f"a reader failed: {done.stderr.strip().splitlines()[-1:]}"

        with ThreadPoolExecutor(READERS) as pool:
            problems = [problem for problem in pool.map(read, range(READERS)) if problem]
        ended = home.ended(process)
        return Outcome(READERS, "; ".join(problems[:1]) or ended.problem(0) or home.differences(reference.contents))


def read_only(reference: Reference, rng: random.Random) -> Outcome:
    """Read a home on a mount that cannot be written."""
    with reference.home.copy() as home:
        command = rng.choice(
            [
                ("study", "list"),
                ("study", "show", reference.study),
                ("study", "export", reference.study, "-o", str(home.work / "x.csv")),
                ("generate", reference.study, "--count", "1", "--out", str(home.work / "music")),
                ("db", "check"),
            ]
        )
        with read_only_mount(home):
            done = home.run(*command)
        return Outcome(1, done.problem(0) and f"{' '.join(command[:2])}: {done.problem(0)}")


@contextlib.contextmanager
def read_only_mount(home: Home) -> Iterator[None]:
    """Mount the home's own folder over itself, without the right to write."""
    place = str(home.folder)
    subprocess.run(["mount", "--bind", place, place], check=True)  # noqa: S603, S607
    try:
        subprocess.run(["mount", "-o", "remount,ro,bind", place], check=True)  # noqa: S603, S607
        yield
    finally:
        subprocess.run(["umount", "--lazy", place], check=True)  # noqa: S603, S607


KINDS = (
    Kind("readers", f"{READERS} readers at once beside a run", read_beside, ("factorial",), 40),
    *(
        [Kind("read-only-homes", "a home on a read-only mount is read", read_only, ("factorial",), 10)]
        if os.geteuid() == 0 and shutil.which("mount")
        else []
    ),
)
