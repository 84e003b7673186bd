"""Standard output gets results only, whatever plugins, their libraries and their processes print."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from support.checkout import ROOT

if TYPE_CHECKING:
    from pathlib import Path

NOISY = """
import atexit, ctypes, os, sys, threading
import ablate

print("printed")
os.write(1, b"written to the descriptor\\n")
os.system("echo a process")
ctypes.CDLL(None).puts(b"a library")
atexit.register(print, "at the end")
sys.__stdout__.write("the old stream\\n")
threading.Timer(0.0, print, ["a thread"]).start()


@ablate.hookimpl
def ablate_metrics():
    print("asked")
    yield ablate.MetricSpec(name="noisy", summary="Prints.", build=print)
"""


def noisy_plugin(folder: Path, text: str = NOISY) -> dict[str, str]:
    """Write a plugin on disk, and return the environment that finds it."""
    (folder / "noisy-1.dist-info").mkdir(parents=True)
    (folder / "noisy.py").write_text(text, encoding="utf-8")
    (folder / "noisy-1.dist-info/METADATA").write_text("Metadata-Version: 2.1\nName: noisy\nVersion: 1\n")
    (folder / "noisy-1.dist-info/entry_points.txt").write_text("[ablate]\nnoisy = noisy\n")
    path = os.pathsep.join(filter(None, [str(folder), os.environ.get("PYTHONPATH", "")]))
    return {**os.environ, "PYTHONPATH": path}


def test_what_a_plugin_prints_goes_to_standard_error(tmp_path: Path) -> None:
    command = [sys.executable, "-P", "-m", "ablate", "plugin", "list", "--kind", "metric", "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=noisy_plugin(tmp_path / "site"))
    assert "noisy" in {component["name"] for component in json.loads(done.stdout)["components"]}
    for text in (
        "printed", "written to the descriptor", "a process", "a library", "at the end", "the old stream",
        "a thread", "asked",
    ):  # fmt: skip
        assert text in done.stderr


@pytest.mark.parametrize("args", [["--help"], ["--version"], ["plugin", "list", "--help"]], ids=" ".join)
def test_help_is_a_result(args: list[str]) -> None:
    done = subprocess.run([sys.executable, "-P", "-m", "ablate", *args], capture_output=True, text=True, check=True)
    assert done.stdout
    assert not done.stderr


def test_a_closed_standard_error_is_no_failure(tmp_path: Path) -> None:
    command = f'"{sys.executable}" -P -m ablate plugin list --kind metric --json 2>&-'
    env = noisy_plugin(tmp_path / "site")
    done = subprocess.run(command, shell=True, stdout=subprocess.PIPE, text=True, check=True, env=env)
    assert json.loads(done.stdout)["failed"] == []


def test_commands_print_results_with_echo() -> None:
    """A bare ``click.echo`` prints where plugins print: to standard error."""
    wrong = []
    for path in sorted((ROOT / "ablate/cli").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in ("click.echo", "print", "click.secho"):
                if {keyword.arg for keyword in node.keywords} & {"err", "file"}:
                    continue
                wrong.append(f"{path.relative_to(ROOT)}:{node.lineno}: use ablate.cli.echo")
    assert wrong == []


def test_a_thread_of_a_plugin_does_not_hold_the_command_back(tmp_path: Path) -> None:
    text = (
        "import atexit, threading, time\n"
        "threading.Thread(target=time.sleep, args=(1000,)).start()\natexit.register(print, 'at the end')\n"
    )
    command = [sys.executable, "-P", "-m", "ablate", "plugin", "list", "--kind", "metric", "--json"]
    environment = noisy_plugin(tmp_path / "site", text)
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment, timeout=100)
    assert json.loads(done.stdout)["components"]
    assert "at the end" in done.stderr
