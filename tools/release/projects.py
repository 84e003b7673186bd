"""The distributions of this repository, and the commit that a release is built from."""

from __future__ import annotations

import dataclasses
import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


@dataclasses.dataclass(frozen=True)
class Project:
    """A distribution: its name on the package index, its folder in the repository ("" is the whole of it).

    ``packed`` maps the beginnings of paths in that folder to those in the wheel; other files are not in the wheel.
    """

    name: str
    folder: str
    packed: dict[str, str]

    @property
    def stem(self) -> str:
        """The name as it begins the names of files."""
        return self.name.replace("-", "_")

    def wheel_name(self, path: str) -> str | None:
        """Return where a wheel has a file of the repository, or None if it has not."""
        starts = [start for start in self.packed if path.startswith(start)]
        return self.packed[starts[0]] + path.removeprefix(starts[0]) if starts else None


PROJECTS = (
    Project(
        "ablate-music",
        "",
        {"ablate/": "ablate/", "ablate_music.py": "ablate_music.py", "plugins/": "", "studies/": "ablate/studies/"},
    ),
    Project("ablate-miditok", "distributions/ablate-miditok", {"ablate_miditok/": "ablate_miditok/"}),
)


@dataclasses.dataclass(frozen=True)
class Commit:
    """The last commit: its name, its time in seconds since 1970, its version, and how many files differ from it."""

    name: str
    epoch: int
    version: str
    changed: int

    def files(self, folder: str) -> list[str]:
        """Return the paths of the commit's files in a folder, relative to it."""
        names = git("ls-tree", "-r", "-z", "--name-only", f"{self.name}:{folder}")
        return sorted(name for name in names.split("\0") if name)


def last_commit() -> Commit:
    """Return the commit that is checked out here.

    Raises:
        SystemExit: this folder is no checkout of git.
    """
    name, epoch = git("log", "-1", "--format=%H %ct").split()
    version = re.search(r'^__version__ = "(.+)"$', git("show", f"{name}:ablate/__init__.py"), re.MULTILINE)
    if version is None:
        raise SystemExit("ablate/__init__.py has no line '__version__ = \"X.Y.Z\"'; add it")
    return Commit(name, int(epoch), version[1], len(git("status", "--porcelain").splitlines()))


def git(*words: str) -> str:
    """Return what a command of git prints about this checkout."""
    done = subprocess.run(["git", "-C", ROOT, *words], capture_output=True, text=True, check=False)  # noqa: S603, S607
    if done.returncode:
        raise SystemExit(f"a release is built from a checkout of git: {done.stderr.strip()}")
    return done.stdout
