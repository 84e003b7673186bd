"""The files that decide a program's result."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ablate.errors import StudyFileError
from ablate.study.program.inputs import command_files, digests, matching

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for name, text in {
        "train.py": "import json, helper\nfrom net import layers\nimport torch.nn",
        "helper.py": "from . import nothing\nimport loop",
        "loop.py": "import helper",
        "net/__init__.py": "",
        "net/layers.py": "from .deep import cell\nfrom ..helper import x",
        "net/deep/__init__.py": "",
        "net/deep/cell.py": "this is no Python",
        "net/unused.py": "",
        "scripts/run.py": "import tools",
        "scripts/tools.py": "",
        "data/a.mid": "a",
        "data/b.mid": "b",
        "data/.hidden": "",
        "data/__pycache__/x.pyc": "",
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


def test_a_script_brings_the_modules_that_it_imports(project: Path) -> None:
    modules = ["helper.py", "loop.py", "net/__init__.py", "net/deep/__init__.py", "net/deep/cell.py", "net/layers.py"]
    assert command_files(["python", "train.py", "--out", "{out}"], project) == sorted([*modules, "train.py"])
    assert command_files(["{python}", "scripts/run.py"], project) == ["scripts/run.py", "scripts/tools.py"]
    assert command_files(["python", "-m", "net.layers"], project) == sorted(["helper.py", "loop.py", *modules[2:]])


def test_data_that_a_command_names_is_an_input(project: Path) -> None:
    assert command_files(["./train.py", "data/a.mid", "x" * 5000, "\0"], project)[:1] == ["./train.py"]
    assert "data/a.mid" in command_files(["./train.py", "data/a.mid"], project)
    for word in ("--piece=data/a.mid", "piece=data/a.mid"):
        assert "data/a.mid" in command_files(["./train.py", word], project)
    assert command_files(["/bin/sh", "-c", "true"], project) == []


def test_patterns_and_folders(project: Path) -> None:
    assert matching("data/*.mid", project) == ["data/a.mid", "data/b.mid"]
    assert matching("data", project) == ["data/a.mid", "data/b.mid"]
    assert matching("**/run.py", project) == ["scripts/run.py"]
    assert matching(str(project / "train.py"), project) == [str(project / "train.py")]
    assert matching("nothing", project) == []


def test_contents_count_and_dates_do_not(project: Path) -> None:
    before = digests(["data/a.mid"], project)
    (project / "data/a.mid").write_text("other")
    after = digests(["data/a.mid"], project)
    (project / "data/a.mid").write_text("a")
    assert before != after
    assert digests(["data/a.mid"], project) == before
    with pytest.raises(StudyFileError, match="cannot be read as an input of the program"):
        digests(["missing"], project)
