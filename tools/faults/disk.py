"""Fill the disk of a run: it says so in one line, keeps what is finished, and goes on when there is space again."""

from __future__ import annotations

import os
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from faults.home import Home
from faults.kinds import Kind, Outcome

if TYPE_CHECKING:
    import random

    from faults.kinds import Reference


def fill(reference: Reference, rng: random.Random) -> Outcome:
    """Run in a file system that is too small, which then becomes larger."""
    size = sum(path.stat().st_size for path in reference.home.folder.rglob("*") if path.is_file())
    with tempfile.TemporaryDirectory(prefix="faults-") as place:
        mount("-t", "tmpfs", "-o", f"size={rng.randrange(16, max(size // 1024, 32))}k", "tmpfs", place)
        try:
            with Home(reference.study, Path(place) / "home") as home:
                first = home.run()
                problem = first.problem(0, 1, 2)
                if first.code and not problem and "space" not in first.err:
                    problem = f"it does not say that the disk is full: {first.last}"
                mount("-o", f"remount,size={4 * size // 1024 + 4096}k", place)
                return Outcome(
                    int(first.code != 0), problem or home.run().problem(0) or home.differences(reference.contents)
                )
        finally:
            subprocess.run(["umount", "--lazy", place], check=True)  # noqa: S603, S607


def mount(*words: str) -> None:
    """Mount a file system, or change one."""
    subprocess.run(["mount", *words], check=True)  # noqa: S603, S607


#: Only root can mount.
KINDS = (
    (
        Kind(
            "full-disks",
            "the disk is full at a random number of bytes, then has space",
            fill,
            ("factorial", "prune"),
            20,
        ),
    )
    if os.geteuid() == 0
    else ()
)
