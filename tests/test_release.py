"""What ``tools/release`` refuses: builds that differ, files that do not belong, pages with dead links, licences."""

from __future__ import annotations

import shutil
import subprocess
import tarfile
import tomllib
import zipfile
from typing import TYPE_CHECKING, Any

import pytest
from release import builds, contents, licences, projects
from release.projects import Commit, Project
from support.checkout import ROOT

if TYPE_CHECKING:
    from pathlib import Path

published = pytest.importorskip("release.published", reason="needs the packages of the extra 'release'")
TINY = Project("tiny", "", {"tiny/": "tiny/"})
PYPROJECT = """
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"
[project]
name = "tiny"
version = "1.0"
requires-python = ">=3.11"
[tool.hatch.build.targets.wheel]
only-include = ["tiny"]
[tool.hatch.build.targets.wheel.hooks.custom]
"""
#: Writes something about the surroundings of a build into the wheel.
HOOK = """
import os, pathlib, sys, time
from hatchling.builders.hooks.plugin.interface import BuildHookInterface
class Hook(BuildHookInterface):
    def initialize(self, version, build_data):
        pathlib.Path(self.root, "tiny", "__init__.py").write_text(f"# {EXPRESSION}")
"""


@pytest.fixture
def tiny(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with a package of one file."""
    folder = tmp_path / "tiny"
    (folder / "tiny").mkdir(parents=True)
    (folder / "tiny" / "__init__.py").touch()
    (folder / "pyproject.toml").write_text(PYPROJECT)
    monkeypatch.setattr(builds, "ROOT", folder)
    monkeypatch.setattr(projects, "ROOT", folder)
    return folder


def committed(folder: Path, hook: str) -> Commit:
    (folder / "hatch_build.py").write_text(HOOK.replace("EXPRESSION", hook))
    settings = ("-c", "user.name=A", "-c", "user.email=a@example.org", "-c", "init.defaultBranch=main")
    for words in (("init", "-q"), ("add", "."), ("commit", "-qm", "Begin")):
        subprocess.run(["git", "-C", folder, *settings, *words], check=True)
    name, epoch = projects.git("log", "-1", "--format=%H %ct").split()
    return Commit(name, int(epoch), "1.0", 0)


@pytest.mark.skipif(shutil.which("git") is None, reason="needs git")
@pytest.mark.parametrize(
    ("hook", "equal"),
    [("1", True), ("os.umask(0)", False)],
)
def test_builds_in_other_surroundings_are_compared(tiny: Path, tmp_path: Path, hook: str, equal: bool) -> None:  # noqa: FBT001
    differences = builds.build_thrice(TINY, committed(tiny, hook), tmp_path, tmp_path / "dist")
    assert sorted(path.name for path in (tmp_path / "dist").iterdir()) == [
        "tiny-1.0-py3-none-any.whl",
        "tiny-1.0.tar.gz",
    ]
    assert bool(differences) is not equal
    assert all("tiny-1.0-py3-none-any.whl: " in each for each in differences)


@pytest.mark.skipif(shutil.which("git") is None, reason="needs git")
def test_files_that_do_not_belong_are_found(tiny: Path, tmp_path: Path) -> None:
    commit = committed(tiny, "1")
    (dist := tmp_path / "dist").mkdir()
    top = "tiny-1.0"
    members = {".gitignore": "", "PKG-INFO": "", "pyproject.toml": "", "cache/secret": "", "tiny/__init__.py": ""}
    with tarfile.open(dist / f"{top}.tar.gz", "w:gz") as tar:
        for name in members:
            member = tarfile.TarInfo(f"{top}/{name}")
            member.mtime, member.mode = commit.epoch, 0o600 if name == "pyproject.toml" else 0o644
            tar.addfile(member)
    with zipfile.ZipFile(dist / f"{top}-py3-none-any.whl", "w") as archive:
        for name in (
            "tiny/__init__.py",
            "tests/test_tiny.py",
            *(f"{top}.dist-info/{name}" for name in contents.METADATA[1:]),
        ):
            archive.writestr(name, "")
    found = contents.problems(TINY, commit, dist)
    expected = [
        f"{top}.tar.gz: {top}/hatch_build.py is missing",
        f"{top}.tar.gz: {top}/cache/secret does not belong there",
        f"{top}-py3-none-any.whl: {top}.dist-info/METADATA is missing",
        f"{top}-py3-none-any.whl: tests/test_tiny.py does not belong there",
        f"{top}.tar.gz: {top}/pyproject.toml has an owner, a time or a mode of its own",
    ]
    assert [each for each in found if each.startswith(top)] == expected
    assert any(each.startswith("twine: ") for each in found)


GOOD = """Metadata-Version: 2.4
Name: tiny
Version: 1.0
Summary: A tiny package
Keywords: tiny
Author: A
License-Expression: MIT
License-File: LICENSE
Requires-Python: >=3.11
Project-URL: Homepage, https://example.org
Project-URL: Documentation, https://example.org
Project-URL: Changelog, https://example.org
Project-URL: Issues, https://example.org
Classifier: Programming Language :: Python :: 3.11
Classifier: Programming Language :: Python :: 3.12
Classifier: Programming Language :: Python :: 3.13
Classifier: Programming Language :: Python :: 3.14
Description-Content-Type: text/markdown

# Tiny
"""


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("Version: 1.0", "Version: 1.1", "the version is 1.1, not 1.0"),
        ("License-Expression: MIT\n", "", "the metadata has no license_expression"),
        ("Project-URL: Issues, https://example.org\n", "", "the metadata has no link 'issues'"),
        ("Classifier: Programming Language :: Python :: 3.14\n", "", "no classifier of Python 3.14"),
        ("text/markdown", "text/plain", "the description is not in Markdown"),
    ],
)
def test_incomplete_metadata_is_found(old: str, new: str, problem: str) -> None:
    assert published.metadata_problems(GOOD.encode(), "1.0") == []
    assert old in GOOD
    assert published.metadata_problems(GOOD.replace(old, new).encode(), "1.0") == [problem]


@pytest.mark.parametrize(
    ("address", "problem"),
    [
        ("https://example.org/page", ""),
        ("#begin", ""),
        (f"{published.REPOSITORY}/blob/v1.0/docs/index.md#first", ""),
        (f"{published.RAW}/v1.0/report.png", ""),
        ("#end", "end has no heading"),
        ("docs/index.md", "the link docs/index.md does not work on the index"),
        (f"{published.REPOSITORY}/blob/v1.0/docs/no.md", "leads to a file that does not exist"),
        (f"{published.RAW}/main/report.png", "leads to main instead of v1.0"),
    ],
)
def test_links_that_lead_nowhere_on_the_index_are_found(address: str, problem: str) -> None:
    pytest.importorskip("comrak", reason="needs the packages of the extra 'release'")
    found = published.page_problems(f"# Begin\n\n[here]({address})\n", "1.0", {"docs/index.md", "report.png"})
    assert len(found) == bool(problem)
    assert all(problem in each for each in found)


def test_pictures_that_are_nowhere_on_the_index_are_found() -> None:
    pytest.importorskip("comrak", reason="needs the packages of the extra 'release'")
    found = published.page_problems("![here](docs/report.png)", "1.0", {"docs/report.png"})
    assert found == ["the link docs/report.png does not work on the index"]


@pytest.mark.parametrize(
    ("licence", "accepted"),
    [
        ("MIT", True),
        ("MIT License", True),
        ("Apache-2.0 OR GPL-3.0-only", True),
        ("(MIT OR GPL-3.0-only) AND BSD-3-Clause", True),
        ("Apache Software License; MIT License", True),
        ("MIT AND GPL-3.0-only", False),
        ("MIT License; GNU General Public License (GPL)", False),
        ("LGPL-3.0-only", False),
        ("UNKNOWN", False),
        ("", False),
    ],
)
def test_a_licence_is_accepted_by_rule(licence: str, accepted: bool) -> None:  # noqa: FBT001
    assert licences.accepted(licences.spelled(licence)) is accepted


def test_unknown_licences_and_idle_exceptions_are_named() -> None:
    exceptions = dict.fromkeys(licences.RULES["exceptions"], "LGPL-3.0-only")
    assert licences.problems({"": {"good": "MIT"}, "extra": exceptions}) == []
    refused = "surprise has the licence AGPL-3.0-only, which is not accepted (tools/release/licences.toml)"
    assert licences.problems({"": {"surprise": "AGPL-3.0-only"}, "extra": exceptions}) == [refused]
    idle = [f"{name} is an exception without need" for name in exceptions]
    assert licences.problems({"": {"good": "MIT"}, "extra": dict.fromkeys(exceptions, "MIT")}) == idle


def test_the_page_of_licences_names_each_direct_dependency() -> None:
    project: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = {name: needs for name, needs in project["optional-dependencies"].items() if name not in licences.OWN}
    page = licences.PAGE.read_text(encoding="utf-8")
    names = [
        need.split(">")[0].split("[")[0] for needs in (project["dependencies"], *extras.values()) for need in needs
    ]
    assert [name for name in names if f"| {name.replace('_', '-').lower()} |" not in page] == []
