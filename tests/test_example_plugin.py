"""docs/writing-a-plugin.md: its plugins are installed, found, tested and used in a study as a stranger's would be."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tomllib
from typing import TYPE_CHECKING, Any

import pytest
from conftest import ROOT

if TYPE_CHECKING:
    from pathlib import Path

EXAMPLE = ROOT / "docs/examples/ablate-example"
GUIDE = (ROOT / "docs/writing-a-plugin.md").read_text(encoding="utf-8")
COMPONENTS = {
    ("tokenizer", "example-notes"),
    ("augmenter", "example-transpose"),
    ("conditioner", "example-label"),
    ("sampler", "example-min-p"),
    ("metric", "example-repetition"),
}


def blocks(language: str) -> list[str]:
    """The fenced code blocks of the guide in that language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", GUIDE, re.DOTALL | re.MULTILINE)


def test_the_guide_shows_the_whole_module() -> None:
    _, *shown, _ = blocks("python")
    module = (EXAMPLE / "ablate_example.py").read_text(encoding="utf-8")
    assert "\n\n".join(shown) == module


def test_the_guide_shows_a_contract_of_the_tests() -> None:
    assert blocks("python")[-1] in (EXAMPLE / "tests/test_ablate_example.py").read_text(encoding="utf-8")


def test_the_guide_shows_the_project_and_the_study() -> None:
    project, study = blocks("toml")
    renamed = project.replace("ablate-pitch-count", "ablate-example").replace("pitch-count = ", "example = ")
    renamed = renamed.replace("ablate_pitch_count", "ablate_example")
    assert renamed == (EXAMPLE / "pyproject.toml").read_text(encoding="utf-8")
    assert study == (EXAMPLE / "repetition.toml").read_text(encoding="utf-8")


def write_package(folder: Path, project: str, module: str) -> Path:
    folder.mkdir()
    (folder / "pyproject.toml").write_text(project)
    (folder / f"{tomllib.loads(project)['project']['name'].replace('-', '_')}.py").write_text(module)
    return folder


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder into which pip has installed the example, the guide's first plugin, and one that cannot be imported."""
    folder, project = tmp_path_factory.mktemp("plugins"), blocks("toml")[0]
    first = write_package(folder / "first", project, blocks("python")[0])
    broken = write_package(
        folder / "broken",
        project.replace("pitch-count", "broken").replace("pitch_count", "broken"),
        "import a_module_that_nobody_has\n",
    )
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    alone = ["--no-deps", "--no-build-isolation", "--no-index", "--target", str(folder / "site")]
    subprocess.run([*pip, *alone, str(EXAMPLE), str(first), str(broken)], check=True, capture_output=True)
    return folder / "site"


def python(site: Path, cwd: Path, *args: str) -> subprocess.CompletedProcess[str]:
    """Run ``python ARGS`` with what pip installed on its path."""
    env = {**os.environ, "PYTHONPATH": str(site), "PYTHONWARNINGS": "error", "NO_COLOR": "1"}
    env.pop("ABLATE_STRICT_PLUGINS", None)
    return subprocess.run([sys.executable, *args], cwd=cwd, env=env, capture_output=True, text=True, check=False)


@pytest.mark.slow
def test_its_components_stand_beside_ours(site: Path, tmp_path: Path) -> None:
    listed = python(site, tmp_path, "-m", "ablate", "plugin", "list", "--json")
    assert (listed.returncode, listed.stderr) == (0, "")
    components = json.loads(listed.stdout)["components"]
    offered: dict[str, set[Any]] = {}
    for component in components:
        offered.setdefault(component["distribution"], set()).add((component["kind"], component["name"]))
    assert offered["ablate-example"] == COMPONENTS
    assert offered["ablate-pitch-count"] == {("metric", "pitch-count")}
    assert offered["ablate"] >= {("model", "lstm"), ("sampler", "temperature")}


@pytest.mark.slow
def test_a_broken_plugin_beside_it_is_named(site: Path, tmp_path: Path) -> None:
    listed = python(site, tmp_path, "-m", "ablate", "plugin", "list")
    assert listed.returncode == 0
    assert [line for line in listed.stdout.splitlines() if line.startswith(("failed", "clash"))] == [
        "failed: plugin 'broken' (ablate_broken, of ablate-broken 0.1.0): "
        "ModuleNotFoundError: No module named 'a_module_that_nobody_has'"
    ]


@pytest.mark.slow
def test_its_own_tests_pass(site: Path, tmp_path: Path) -> None:
    tested = python(site, tmp_path, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(EXAMPLE / "tests"))
    assert tested.returncode == 0, tested.stdout


@pytest.mark.slow
def test_a_study_uses_all_five_components(site: Path, tmp_path: Path) -> None:
    command = ("-m", "ablate", "study", "run", str(EXAMPLE / "repetition.toml"))
    short = ("--replicates", "1", "--set", "training.steps=3", "--set", "metric.pitch-count={}")
    ran = python(site, tmp_path, *command, *short, "--json")
    assert ran.returncode == 0, ran.stderr
    result = json.loads(ran.stdout)
    assert result["failures"] == []
    assert result["ran"]["train"] == 1
    assert result["ran"]["generate"] == 3
    print(json.dumps(result, indent=1)[:3000])
