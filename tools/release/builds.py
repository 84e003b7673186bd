"""Builds of one commit in different surroundings, which must give the same bytes."""

from __future__ import annotations

import dataclasses
import hashlib
import os
import shutil
import subprocess
import sys
import tarfile
from typing import TYPE_CHECKING

from release.projects import ROOT, Commit, Project

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path


@dataclasses.dataclass(frozen=True)
class Surroundings:
    """Things that must not reach a built file: folder, umask, time zone, language, hash seed, times of files."""

    folder: str
    umask: int
    variables: dict[str, str]
    touched: float | None = None

    def run(self, *words: str | Path, epoch: int) -> None:
        """Run a command of this Python in these surroundings.

        Raises:
            SystemExit: the command failed; its output is the message.
        """
        variables = {**os.environ, **self.variables, "SOURCE_DATE_EPOCH": str(epoch)}
        command = [sys.executable, *words]
        done = subprocess.run(command, env=variables, umask=self.umask, capture_output=True, text=True, check=False)  # noqa: S603
        if done.returncode:
            raise SystemExit(f"{' '.join(map(str, words))} failed:\n{done.stdout}{done.stderr}")


PLAIN = Surroundings("plain", 0o022, {"TZ": "UTC", "LC_ALL": "C.UTF-8", "PYTHONHASHSEED": "0"})
OTHER = Surroundings(
    "another and longer path", 0o077, {"TZ": "Pacific/Auckland", "LC_ALL": "C", "PYTHONHASHSEED": "1"}, 1e9
)


def build_thrice(project: Project, commit: Commit, work: Path, dist: Path) -> list[str]:
    """Build a distribution in two surroundings, and its wheel a third time from the source distribution.

    The first build is copied to ``dist``. The result names each file whose builds differ.
    """
    first, second = (_built(project, commit, work, surroundings) for surroundings in (PLAIN, OTHER))
    from_source = _built_from_source(next(first.glob("*.tar.gz")), commit, work)
    shutil.copytree(first, dist)
    return [
        *_differences(first, second, sorted({path.name for folder in (first, second) for path in folder.iterdir()})),
        *_differences(first, from_source, [path.name for path in first.glob("*.whl")]),
    ]


def _built(project: Project, commit: Commit, work: Path, surroundings: Surroundings) -> Path:
    """Build a commit's wheel and source distribution; return the folder with both."""
    folder = work / surroundings.folder
    folder.mkdir()
    archive = folder / "commit.tar"
    subprocess.run(["git", "-C", ROOT, "archive", "--output", archive, commit.name], check=True)  # noqa: S603, S607
    checkout = folder / "checkout"
    surroundings.run("-m", "tarfile", "--extract", archive, checkout, epoch=commit.epoch)
    if surroundings.touched is not None:
        for path in checkout.rglob("*"):
            os.utime(path, (surroundings.touched, surroundings.touched))
    out = folder / "out"
    source = checkout / project.folder
    surroundings.run(
        *("-m", "build", "--no-isolation", "--sdist", "--wheel", "--outdir"), out, source, epoch=commit.epoch
    )
    return out


def _built_from_source(sdist: Path, commit: Commit, work: Path) -> Path:
    """Build the wheel of an unpacked source distribution; return its folder."""
    folder, out = work / "from source", work / "from source" / "out"
    with tarfile.open(sdist) as archive:
        archive.extractall(folder, filter="data")
    source = folder / sdist.name.removesuffix(".tar.gz")
    PLAIN.run("-m", "build", "--no-isolation", "--wheel", "--outdir", out, source, epoch=commit.epoch)
    return out


def _differences(first: Path, second: Path, names: Iterable[str]) -> list[str]:
    return [
        f"{name}: {_digest(first / name)} in one build, {_digest(second / name)} in another"
        for name in names
        if _digest(first / name) != _digest(second / name)
    ]


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:16] if path.exists() else "absent"
