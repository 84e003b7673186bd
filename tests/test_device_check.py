"""The check of a GPU, rehearsed on a CPU, so that it starts where there is a GPU."""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from device_check import agreement, capture
from device_check.check import Check
from device_check.runner import Limit, Runner, table
from support.checkout import ROOT
from support.fusion_material import trained

if TYPE_CHECKING:
    from pathlib import Path

#: What a section may do, as a program: report a result and end, fail, be slow with a child of its own, or crash.
PROGRAMS = {
    "good": "pass",
    "bad": "raise SystemExit(1)",
    "slow": "subprocess.Popen('printf yes; exec sleep 600', shell=True, stdout=(folder / 'alive').open('w')).wait()",
    "crashed": "os.abort()",
}


@pytest.fixture
def check(tmp_path: Path) -> Check:
    return Check("section", tmp_path, "cpu", tiny=True)


def results(check: Check) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((check.folder / "section.json").read_text())
    return found


@pytest.mark.parametrize("section", [agreement, capture])
def test_a_section_finds_no_fault_on_a_cpu(section: Any, check: Check) -> None:
    section.run(check)
    assert not check.failed
    assert sum(result["ok"] is True for result in results(check)) >= 9


def test_models_that_differ_are_faults(check: Check, monkeypatch: pytest.MonkeyPatch) -> None:
    def with_another_seed(jobs: Any, **how: Any) -> Any:
        return trained(jobs if how.get("fused", True) else jobs[::-1], **how)

    monkeypatch.setattr(agreement, "trained", with_another_seed)
    monkeypatch.setattr(agreement, "SMALL", ["gru"])
    agreement.run(check)
    assert [result["ok"] for result in results(check)] == [False, False, True] * 2


def test_an_error_is_a_fault_and_leaves_the_results_before_it(check: Check, capsys: Any) -> None:
    with check.errors_kept():
        check.report("before", 1, ok=True)
        raise ValueError("no such thing")
    assert [result["value"] for result in results(check)] == [1, "ValueError: no such thing"]
    assert check.failed
    assert "Traceback" in capsys.readouterr().err


@pytest.fixture
def program(tmp_path: Path) -> list[str]:
    """The words of a program that reports a number as the section that it is given, and does as in PROGRAMS."""
    file = tmp_path / "program.py"
    file.write_text(
        "import json, os, pathlib, subprocess, sys, time\n"
        "name, folder = sys.argv[1], pathlib.Path(sys.argv[2])\n"
        "result = {'what': 'a number', 'value': 1, 'ok': name == 'good'}\n"
        "(folder / f'{name}.json').write_text(json.dumps([result]))\n"
        f"exec({PROGRAMS!r}[name])\n"
    )
    return [sys.executable, str(file)]


def test_a_section_that_fails_or_is_slow_does_not_end_the_others(tmp_path: Path, program: list[str]) -> None:
    os.mkfifo(tmp_path / "alive")
    alive = os.open(tmp_path / "alive", os.O_RDONLY | os.O_NONBLOCK)
    runner = Runner(tmp_path, 120, [str(tmp_path)], {"gpu": ""}, program)
    found = runner.run([Limit("bad", 30), Limit("slow", 3), Limit("crashed", 30), Limit("good", 30)])
    os.set_blocking(alive, True)
    assert os.read(alive, 9) == b"yes"
    assert os.read(alive, 9) == b""  # its only writer, the child of the slow one, has ended
    os.close(alive)
    assert {name: each["outcome"] for name, each in found.items()} == {
        "bad": "failed",
        "slow": "ended after its limit of 3 s",
        "crashed": "ended with code -6",
        "good": "passed",
    }
    assert json.loads((tmp_path / "results.json").read_text()) == {"machine": {"gpu": ""}, "sections": found}
    assert [len(each["results"]) for each in found.values()] == [1, 1, 1, 1]
    assert "passed, faults: 0" in table(found)
    assert "failed, faults: 1" in table(found)


def test_without_time_left_a_section_is_not_started(tmp_path: Path, program: list[str]) -> None:
    found = Runner(tmp_path, 0, [str(tmp_path)], {}, program).run([Limit("good", 30)])
    assert found["good"]["outcome"] == "not started: no time left"
    assert not (tmp_path / "good.json").exists()


def test_the_command_runs_a_section_as_a_process(tmp_path: Path) -> None:
    words = [sys.executable, str(ROOT / "tools/device_check"), "memory", "--device", "cpu", "--tiny"]
    done = subprocess.run([*words, "--out", str(tmp_path)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "not measured: needs a GPU" in done.stdout
    assert json.loads((tmp_path / "results.json").read_text())["sections"]["memory"]["outcome"] == "passed"


@pytest.mark.parametrize("name", ["tests", "study", "speed"])
def test_a_section_of_commands_can_be_imported(name: str) -> None:
    assert callable(importlib.import_module(f"device_check.{name}").run)
