"""The two example plugins: repositories as ``plugin new`` writes them, which import public names only."""

from __future__ import annotations

import ast
import subprocess
import sys
import tomllib
from typing import TYPE_CHECKING

import pytest
from support import installed
from support.checkout import ROOT

import ablate
import ablate.testing
from ablate.cli.plugin_new import owner_words, package_words, render

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

EXAMPLES = ROOT / "docs/examples"
#: Each example, and the kind that it was begun with.
KINDS = {"local-key": "conditioner", "npvi": "metric"}
#: The files that an author has no reason to change, and those that begin as they are written.
UNCHANGED = (
    ".github/dependabot.yml",
    ".github/workflows/ci.yml",
    ".github/workflows/contract.yml",
    ".github/workflows/release.yml",
    ".gitignore",
    "CONTRIBUTING.md",
    "LICENSE",
)
PUBLIC = {"ablate": {*ablate.__all__}, "ablate.testing": {*ablate.testing.__all__}}


def written(name: str) -> dict[str, str]:
    """The files that ``plugin new`` writes for an example now."""
    words = {
        **package_words(name, KINDS[name]),
        **owner_words(name, "The ablate authors", None),
        "ci": True,
        "year": "2026",
    }
    return dict(render(words))


@pytest.mark.parametrize("name", KINDS)
def test_an_example_is_a_repository_as_it_is_written(name: str) -> None:
    folder, files = EXAMPLES / f"ablate-{name}", written(name)
    assert {path: (folder / path).read_text("utf-8") for path in UNCHANGED} == {path: files[path] for path in UNCHANGED}
    assert all((folder / path).is_file() for path in files)
    ours, theirs = (
        tomllib.loads(text) for text in ((folder / "pyproject.toml").read_text("utf-8"), files["pyproject.toml"])
    )
    for project in (ours["project"], theirs["project"]):
        assert project.pop("description")
        project["keywords"] = project["keywords"][0]
    assert ours == theirs


def used_names(path: Path) -> Iterator[tuple[str, str]]:
    """Yield each name that a module takes from ablate, with the module that it is taken from."""
    tree = ast.parse(path.read_text("utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "ablate":
            yield from ((node.module or "", alias.name) for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from ((alias.name, "") for alias in node.names if alias.name.startswith("ablate."))
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "ablate":
            yield "ablate", node.attr


@pytest.mark.parametrize("name", [*KINDS, "example"])
def test_an_example_uses_published_names_only(name: str) -> None:
    modules = sorted((EXAMPLES / f"ablate-{name}").rglob("*.py"))
    used = {pair for module in modules for pair in used_names(module)}
    assert {(module, each) for module, each in used if each not in PUBLIC.get(module, ())} == set()
    assert {"ablate", "ablate.testing"} <= {module for module, _ in used}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder into which pip has installed the examples."""
    folder = tmp_path_factory.mktemp("site")
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", "--no-index"]
    packages = [str(EXAMPLES / f"ablate-{name}") for name in KINDS]
    subprocess.run([*pip, "--no-build-isolation", "--target", folder, *packages], check=True, capture_output=True)
    return folder


@pytest.mark.slow
def test_the_examples_pass_their_own_tests_and_run_their_studies(site: Path, tmp_path: Path) -> None:
    tests = (EXAMPLES / f"ablate-{name}/tests" for name in KINDS)
    tested = installed.tests(site, tmp_path, *tests, ABLATE_STRICT_PLUGINS="1")
    assert tested.returncode == 0, tested.stdout
    sizes = ["training.steps=3", "generation.tokens=60", "floors.draws=5"]
    settings = ["--replicates", "1", "--no-report", "--workers", "1", *(w for size in sizes for w in ("--set", size))]
    studies = [str(EXAMPLES / f"ablate-{name}/studies/{name}.toml") for name in KINDS]
    runs = (("study", "run", study, "--profile", "smoke", *settings) for study in studies)
    ran = installed.commands(site, tmp_path, *runs, ABLATE_STRICT_PLUGINS="1")
    assert ran.returncode == 0, ran.stderr
    assert all(quantity in ran.stdout for quantity in ("key-share", "npvi"))
