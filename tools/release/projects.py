"""The distributions of this repository, and the commit that a release is built from."""

from __future__ import annotations

import dataclasses
import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


@dataclasses.dataclass(frozen=True)
class Project:
    """A distribution: its name on the package index, and its folder in the repository ("" is the whole of it)."""

    name: str
    folder: str

    @property
    def stem(self) -> str:
        """The name as it begins the names of files."""
        return self.name.replace("-", "_")

    def wheel_name(self, path: str) -> str | None:
        """Return where a wheel has a file of the repository, or None if it has not."""
        if self.folder:
            return path if path.startswith(f"{self.stem}/") else None
        if path.startswith("studies/"):
            return f"ablate/{path}"
        if path.startswith("plugins/"):
            return path.removeprefix("plugins/")
        return path if path.startswith("ablate/") or path == "ablate_music.py" else None


PROJECTS = (Project("ablate-music", ""), Project("ablate-miditok", "distributions/ablate-miditok"))


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
