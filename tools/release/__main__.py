"""Build both distributions from the last commit and check them, up to the upload: ``python tools/release``.

The files are in ``dist/``: wheels and source distributions in a folder for each distribution, the list of parts (SBOM)
of a default installation, and the checksums of all of them. ``build/release/venv`` has the wheel installed alone.
With ``--licences`` only docs/reference/licences.md is written again, from the packages that are installed.
"""

from __future__ import annotations

import argparse
import hashlib
import shutil
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from release import builds, contents, licences, parts, published
from release.projects import PROJECTS, ROOT, Commit, last_commit

DIST = ROOT / "dist"
RUNTIME = ROOT / "build" / "release" / "venv"


def main() -> int:
    """Build, check and describe a release; return 1 if anything is wrong."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--licences", action="store_true", help="only write docs/reference/licences.md again")
    if parser.parse_args().licences:
        licences.PAGE.write_text(licences.page(licences.installed()), encoding="utf-8")
        return report("licences", licences.problems(licences.installed()))
    commit = last_commit()
    if commit.changed:
        print(f"not in this release: {commit.changed} files that are not committed")  # noqa: T201
    failed = build(commit)
    return failed or describe(commit)


def build(commit: Commit) -> int:
    """Build and check the files of both distributions in ``dist/``; return the number of steps that failed."""
    shutil.rmtree(DIST, ignore_errors=True)
    failed = 0
    for project in PROJECTS:
        folder = DIST / project.name
        with tempfile.TemporaryDirectory(prefix="ablate-release-") as work:
            differences = builds.build_thrice(project, commit, Path(work), folder)
        failed += report(f"{project.name}: three builds are equal", differences)
        failed += report(
            f"{project.name}: the contents are those of the repository", contents.problems(project, commit, folder)
        )
        failed += report(f"{project.name}: the index can show its page", published.problems(project, commit, folder))
    return failed


def describe(commit: Commit) -> int:
    """Write the list of parts and the checksums, and compare the licences; return the number of failed steps."""
    found = licences.installed()
    failed = report("licences", [*licences.problems(found), *licences.stale(found)])
    parts.install_alone(next((DIST / "ablate-music").glob("*.whl")), RUNTIME)
    bom = parts.bill_of_materials(RUNTIME, commit)
    (DIST / f"ablate-music-{commit.version}.cdx.json").write_text(bom, encoding="utf-8")
    failed += report("the list of parts has the versions of constraints.txt", parts.problems(bom))
    (DIST / "SHA256SUMS").write_text(checksums(), encoding="utf-8")
    print(checksums(), end="")  # noqa: T201
    return failed


def checksums() -> str:
    """Return a line for each file of the release, in the form that ``sha256sum --check`` reads in ``dist/``."""
    files = sorted(path for path in DIST.rglob("*") if path.is_file() and path.name != "SHA256SUMS")
    return "".join(
        f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.relative_to(DIST).as_posix()}\n" for path in files
    )


def report(step: str, problems: list[str]) -> int:
    """Print a step and its problems; return 1 if it has any."""
    print(f"{'FAILED' if problems else 'ok':<7} {step}")  # noqa: T201
    for problem in problems:
        print(f"        {problem}")  # noqa: T201
    return int(bool(problems))


if __name__ == "__main__":
    sys.exit(main())
