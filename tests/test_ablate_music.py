"""Another distribution may have a package ``ablate`` too; the command says so before anything fails obscurely."""

from __future__ import annotations

import importlib.metadata
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

import ablate_music

if TYPE_CHECKING:
    from pathlib import Path

ADVICE = (
    "{0} {1} and ablate-music both install a package 'ablate', and only one of them can work: run pip uninstall {0}, "
    "then install ablate-music again with --force-reinstall --no-deps"
)


def install(site: Path, name: str, version: str, files: dict[str, str]) -> None:
    """Write what an installed distribution consists of."""
    about = {"METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"}
    about["RECORD"] = "".join(f"{path},,\n" for path in files)
    for path, text in {**files, **{f"{name}-{version}.dist-info/{key}": text for key, text in about.items()}}.items():
        (site / path).parent.mkdir(parents=True, exist_ok=True)
        (site / path).write_text(text)


def test_the_distribution_has_the_name_that_the_command_expects() -> None:
    assert importlib.metadata.distribution(ablate_music.NAME).name == "ablate-music"


def run_command(*first: Path) -> subprocess.CompletedProcess[str]:
    """Run ``ablate --version`` in a process, with folders in front of its module path."""
    env = {**os.environ, "PYTHONPATH": os.pathsep.join([*map(str, first), *filter(None, sys.path)])}
    command = [sys.executable, "-P", "-c", "import ablate_music; ablate_music.main()", "--version"]
    return subprocess.run(command, env=env, capture_output=True, text=True, check=False)


def test_a_healthy_environment_is_silent() -> None:
    done = run_command()
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.endswith(", version 0.1.0\n")


def test_leftovers_of_the_other_distribution_are_a_warning(tmp_path: Path) -> None:
    install(tmp_path, "ablate", "0.2.3", {})
    done = run_command(tmp_path)
    assert (done.returncode, done.stderr) == (0, f"warning: {ADVICE.format('ablate', '0.2.3')}\n")
    assert done.stdout.endswith(", version 0.1.0\n")


@pytest.mark.parametrize("name", ["ablate", "tissue"])
def test_a_package_in_place_of_ours_is_an_error_of_one_line(tmp_path: Path, name: str) -> None:
    install(tmp_path, name, "0.2.3", {"ablate/__init__.py": "from .report import Report\n", "ablate/report.py": ""})
    done = run_command(tmp_path)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"error: {ADVICE.format(name, '0.2.3')} (ImportError: cannot import name 'Report' ")
    assert done.stderr.count("\n") == 1
