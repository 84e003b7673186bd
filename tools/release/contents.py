"""The files inside of a wheel and a source distribution, compared with the repository."""

from __future__ import annotations

import subprocess
import sys
import tarfile
import zipfile
from typing import TYPE_CHECKING

from release.projects import ROOT, Commit, Project

if TYPE_CHECKING:
    from pathlib import Path

#: The files of a wheel beside the package: its metadata, and the licence.
METADATA = ("METADATA", "RECORD", "WHEEL", "entry_points.txt", "licenses/LICENSE")


def problems(project: Project, commit: Commit, folder: Path) -> list[str]:
    """Return how the files of a distribution in ``folder`` differ from those of the commit."""
    (sdist,), (wheel,) = folder.glob("*.tar.gz"), folder.glob("*.whl")
    tracked = commit.files(project.folder)
    # hatchling adds its own file, and the .gitignore that decided about the files
    sources = {*tracked, "PKG-INFO", ".gitignore"}
    top = f"{project.stem}-{commit.version}"
    with tarfile.open(sdist) as archive:
        members = archive.getmembers()
    with zipfile.ZipFile(wheel) as archive:
        packed = archive.namelist()
    expected = [name for path in tracked if (name := project.wheel_name(path))]
    return [
        *_differences(sdist.name, [f"{top}/{path}" for path in sources], [each.name for each in members]),
        *_differences(wheel.name, [*expected, *(f"{top}.dist-info/{name}" for name in METADATA)], packed),
        *(
            f"{sdist.name}: {each.name} has an owner, a time or a mode of its own"
            for each in members
            if _own(each, commit)
        ),
        *_checked("check_wheel_contents", "--config", ROOT / "pyproject.toml", wheel),
        *_checked("twine", "check", "--strict", sdist, wheel),
    ]


def _own(member: tarfile.TarInfo, commit: Commit) -> bool:
    return (member.uid, member.gid, member.mtime) != (0, 0, commit.epoch) or member.mode not in (0o644, 0o755)


def _differences(archive: str, expected: list[str], names: list[str]) -> list[str]:
    return [
        *(f"{archive}: {name} is missing" for name in sorted(set(expected) - set(names))),
        *(f"{archive}: {name} does not belong there" for name in sorted(set(names) - set(expected))),
    ]


def _checked(module: str, *words: str | Path) -> list[str]:
    """Run a tool on built files; return its output if it refuses them."""
    done = subprocess.run([sys.executable, "-m", module, *words], capture_output=True, text=True, check=False)  # noqa: S603
    return [f"{module}: {line}" for line in (done.stdout + done.stderr).splitlines()] if done.returncode else []
