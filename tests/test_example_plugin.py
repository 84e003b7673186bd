"""The plugin guide after its first section, and its page of examples: a stranger installs, tests and uses the plugins.

The first section is test_plugin_new.py's.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from support import installed
from support.checkout import ROOT

from ablate.music.storage import read_performances

if TYPE_CHECKING:
    from pathlib import Path

EXAMPLE = ROOT / "docs/examples/ablate-example"
GUIDES = ROOT / "docs/guides"
PAGE = (GUIDES / "plugin-examples.md").read_text(encoding="utf-8")
TESTING = (GUIDES / "testing-a-plugin.md").read_text(encoding="utf-8")
#: The guide after its first section.
GUIDE = (GUIDES / "writing-a-plugin.md").read_text(encoding="utf-8").split("\n## ", 2)[2]
COMPONENTS = {
    ("tokenizer", "example-notes"),
    ("augmenter", "example-transpose"),
    ("conditioner", "example-label"),
    ("sampler", "example-min-p"),
    ("metric", "example-repetition"),
    ("observer", "example-losses"),
}


def blocks(page: str, language: str) -> list[str]:
    """Return the fenced code blocks of a page in that language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", page, re.DOTALL | re.MULTILINE)


def test_the_guide_shows_the_whole_module() -> None:
    module = (EXAMPLE / "ablate_example.py").read_text(encoding="utf-8")
    assert "\n\n".join(blocks(PAGE, "python")) == module


def test_the_guide_shows_a_contract_of_the_tests() -> None:
    (shown,) = blocks(TESTING, "python")
    assert shown in (EXAMPLE / "tests/test_ablate_example.py").read_text(encoding="utf-8")


def test_the_guide_shows_the_project_and_the_study() -> None:
    project, (study,) = blocks(GUIDE, "toml")[0], blocks(PAGE, "toml")
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
    folder, project = tmp_path_factory.mktemp("plugins"), blocks(GUIDE, "toml")[0]
    first = write_package(folder / "first", project, blocks(GUIDE, "python")[0])
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
    env = {**os.environ, "PYTHONPATH": str(site), "NO_COLOR": "1"}
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
    assert offered["ablate-music"] >= {("model", "lstm"), ("sampler", "temperature")}


@pytest.mark.slow
def test_a_broken_plugin_beside_it_is_named(site: Path, tmp_path: Path) -> None:
    listed = python(site, tmp_path, "-m", "ablate", "plugin", "list")
    assert listed.returncode == 0
    (said,) = (line for line in listed.stdout.splitlines() if line.startswith(("failed", "clash")))
    assert said.startswith("failed: plugin 'broken' (ablate_broken, of ablate-broken 0.1.0): ModuleNotFoundError: ")


@pytest.mark.slow
def test_its_own_tests_pass(site: Path, tmp_path: Path) -> None:
    tested = installed.tests(site, tmp_path, EXAMPLE / "tests")
    assert tested.returncode == 0, tested.stdout


@pytest.mark.slow
def test_the_commands_of_the_guide(site: Path, tmp_path: Path) -> None:
    shutil.copy(EXAMPLE / "repetition.toml", tmp_path)
    commands = [
        shlex.split(line)[2:]
        for block in (*blocks(GUIDE, "console"), *blocks(PAGE, "console"))
        for line in block.splitlines()
        if "$ ablate" in line
    ]
    assert [command[:2] for command in commands] == [["plugin", "list"], ["study", "run"], ["study", "run"]]
    # what a study would do says as well whether it can be run, and says it sooner
    words = [[group, "plan" if command == "run" else command, *rest] for group, command, *rest in commands]
    asked = installed.commands(site, tmp_path, *words)
    assert asked.returncode == 0, asked.stderr


@pytest.mark.slow
def test_a_study_uses_all_components(site: Path, tmp_path: Path) -> None:
    command = ("study", "run", str(EXAMPLE / "repetition.toml"), "--home", "home", "--json")
    settings = ("--replicates", "1", "--workers", "1", "--observe", "example-losses")
    settings += ("--set", "training.steps=3", "--set", "generation.tokens=100", "--set", "floors.draws=20")
    ran = installed.commands(site, tmp_path, (*command, "--no-report", *settings))
    assert ran.returncode == 0, ran.stderr
    made = tmp_path / "home/artifacts"
    losses = (tmp_path / "home/observers/example-losses/losses.csv").read_text().splitlines()
    # the three variants share the training, whose last step is the only one that is logged
    assert [row.split(",")[1:4] for row in losses] == [[f"share={share}", "0", "3"] for share in (0.0, 0.1, 0.3)]
    assert len({row.split(",")[4] for row in losses}) == 1

    (examples,) = made.glob("prepare/*/*/examples.npz")
    with np.load(examples) as prepared:
        assert prepared["counts"].tolist() == [3 * 549] * 3  # three tokens for each note of the prelude, three copies
        told = prepared["conditions_0"].reshape(3, 3 * 549)
    assert np.array_equal(told, np.broadcast_to(np.float32([[0], [-2 / 12], [2 / 12]]), told.shape))
    generated = [p.notes for path in made.glob("generate/*/*/performances.npz") for p in read_performances(path)]
    assert {int(velocity) for notes in generated for velocity in notes["velocity"]} == {64}
    assert len({notes.tobytes() for notes in generated}) == len(generated) == 6
    measured = json.loads(ran.stdout)["comparison"]
    assert {(row["variant"], row["metric"], row["feature"]) for row in measured} == {
        (f"share={share}", "example-repetition", feature)
        for share in (0.0, 0.1, 0.3)
        for feature in ("share", "distance")
    }
