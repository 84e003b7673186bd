"""The files around the code agree with each other: versions, dependencies, hosted checks and make targets."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from support.checkout import ROOT

import ablate
from ablate import site

if TYPE_CHECKING:
    from pathlib import Path

PYPROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yml"))


def test_the_citation_has_the_version() -> None:
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert citation["version"] == ablate.__version__
    assert citation["repository-code"] == PYPROJECT["project"]["urls"]["Homepage"]
    assert citation["repository-artifact"] == f"https://pypi.org/project/{PYPROJECT['project']['name']}/"


def test_messages_name_pages_of_the_site_and_not_files_of_a_checkout() -> None:
    assert PYPROJECT["project"]["urls"]["Documentation"] == site.SITE
    assert f'html_baseurl = "{site.SITE}"' in (ROOT / "docs/conf.py").read_text(encoding="utf-8")
    sources = [*ROOT.glob("ablate/**/*.py"), *ROOT.glob("plugins/**/*.py")]
    texts_of = ((path, path.read_text(encoding="utf-8")) for path in sources)
    for path, tree in [(path, ast.parse(text)) for path, text in texts_of if "docs/" in text or "page(" in text]:
        documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
        docstrings = {ast.get_docstring(node, clean=False) for node in ast.walk(tree) if isinstance(node, documented)}
        texts = {
            node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)
        }
        assert not [text for text in texts - docstrings if re.search(r"\bdocs/\w", text)], path
        calls = (node for node in ast.walk(tree) if isinstance(node, ast.Call) and ast.unparse(node.func) == "page")
        for call in calls:
            assert (ROOT / f"docs/{ast.literal_eval(call.args[0])}.md").is_file(), path


def test_the_distribution_beside_ablate_has_its_version_and_licence() -> None:
    folder = ROOT / "distributions/ablate-miditok"
    project = tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["version"] == ablate.__version__
    assert project["classifiers"] == [
        name for name in PYPROJECT["project"]["classifiers"] if not name.startswith("Typing")
    ]
    assert "ablate-plugin" in project["keywords"]
    assert "ablate-plugin" in project["keywords"]
    assert (folder / "LICENSE").read_bytes() == (ROOT / "LICENSE").read_bytes()


def test_the_lowest_versions_are_those_of_pyproject() -> None:
    script = [sys.executable, ROOT / "tools/lowest_versions.py"]
    lines = subprocess.run(script, capture_output=True, text=True, check=True).stdout.splitlines()
    assert {line.replace("==", ">=") for line in lines} == set(PYPROJECT["project"]["dependencies"])
    dev = subprocess.run([*script, "dev"], capture_output=True, text=True, check=True).stdout.splitlines()
    assert set(dev) > set(lines)


def test_each_requirement_has_an_exact_version_in_the_constraints() -> None:
    extras = PYPROJECT["project"]["optional-dependencies"].values()
    requirements = [*PYPROJECT["project"]["dependencies"], *(name for extra in extras for name in extra)]
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    exact = {normalized(line.split("==")[0]) for line in lines if "==" in line}
    assert {normalized(re.split(r">=|\[", requirement)[0]) for requirement in requirements} <= exact


def normalized(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_a_workflow_calls_scripts_that_exist(path: Path) -> None:
    jobs = yaml.safe_load(path.read_text(encoding="utf-8"))["jobs"]
    steps = [step for job in jobs.values() for step in job.get("steps", [])]
    assert all("timeout-minutes" in job for job in jobs.values() if "uses" not in job)
    for script in [step["run"].split()[0] for step in steps if step.get("run", "").startswith(".")]:
        assert (ROOT / script).is_file()


def test_the_hosted_checks_run_on_every_python() -> None:
    jobs = yaml.safe_load((ROOT / ".github/workflows/ci.yml").read_text(encoding="utf-8"))["jobs"]
    assert jobs["test"]["steps"][-1] == {"run": ".ci/run"}
    pythons = jobs["test"]["strategy"]["matrix"]["python"]
    assert f">={pythons[0]}" == PYPROJECT["project"]["requires-python"]
    assert [f"Programming Language :: Python :: {name}" for name in pythons] == [
        name for name in PYPROJECT["project"]["classifiers"] if name.startswith("Programming Language :: Python :: 3.")
    ]
    lowest = jobs["lowest"]["steps"]
    assert lowest[1]["with"]["python-version"] == pythons[0]
    assert lowest[-1] == {"run": ".ci/run lowest"}


def test_make_site_prints_each_step_and_installs_once(tmp_path: Path) -> None:
    """The commands of the environment print nothing: installing and building would take minutes."""
    (tmp_path / "bin").mkdir()
    for name in ("python", "sphinx-build"):
        (tmp_path / "bin" / name).write_text("#!/bin/sh\n")
        (tmp_path / "bin" / name).chmod(0o755)
    (tmp_path / ".made").touch()
    words = ["make", "-s", "-C", str(ROOT), f"VENV={tmp_path}", "site"]
    first, again = (subprocess.run(words, capture_output=True, text=True, check=True).stdout for _ in range(2))
    building = "building the documentation into build/site; this takes some minutes\n"
    needs = "ablate and what its documentation needs"
    assert first == f"installing {needs} into {tmp_path}; this takes some minutes the first time\n{building}"
    assert again == building


def test_make_leaves_an_environment_alone_that_it_has_not_made(tmp_path: Path) -> None:
    own = tmp_path / "own file"
    own.touch()
    # PYTHON=true: nothing is made here even where the check is missing
    words = ["make", "-C", str(ROOT), f"VENV={tmp_path}", "PYTHON=true", f"{tmp_path}/.made"]
    made = subprocess.run(words, capture_output=True, text=True, check=False)
    assert made.returncode != 0
    assert "would overwrite it; choose another folder" in made.stderr
    assert [*tmp_path.iterdir()] == [own]


def test_make_lists_every_target() -> None:
    listed = subprocess.run(["make", "-s", "-C", ROOT], capture_output=True, text=True, check=True).stdout
    phony = re.search(r"^\.PHONY: (.*)$", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    assert phony is not None
    assert [line.split()[0] for line in listed.splitlines()] == phony[1].split()
