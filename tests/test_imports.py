"""What starts at once must stay so: each case asks a fresh interpreter what it loaded."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from typing import TYPE_CHECKING

import pytest
from support.checkout import ROOT

from ablate.store.records import StudyRecord, VariantRecord
from ablate.store.store import Store

if TYPE_CHECKING:
    from pathlib import Path

HEAVY = {
    "alembic",
    "matplotlib",
    "optuna",
    "pandas",
    "pretty_midi",
    "pyarrow",
    "scipy",
    "seaborn",
    "sqlalchemy",
    "statsmodels",
    "symusic",
    "torch",
}
PLUGINS = sorted(folder.name for folder in (ROOT / "plugins").iterdir() if (folder / "__init__.py").is_file())


def loaded_by(code: str) -> set[str]:
    """The heavy packages that are loaded after ``code`` has run in an interpreter of its own."""
    return HEAVY & modules(code)


def modules_of(code: str) -> int:
    """How many modules are loaded after it."""
    return len(modules(code))


def modules(code: str) -> set[str]:
    ask = "import atexit, json, sys\natexit.register(lambda: sys.stderr.write(json.dumps(list(sys.modules))))\n"
    # in an empty folder: a home in the checkout, as `make demo` leaves one, has a database to be opened
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            [sys.executable, "-c", ask + code],
            capture_output=True,
            text=True,
            check=True,
            cwd=folder,
            env={**os.environ, "ABLATE_STRICT_PLUGINS": "1"},
        )
    return set(json.loads(done.stderr))


def command(*args: str) -> str:
    return f"sys.argv = {['ablate', *args]!r}\nfrom ablate.cli import main\nmain()\n"


def test_the_probe_sees_what_is_loaded() -> None:
    assert loaded_by("import scipy") == {"scipy"}


def test_the_package() -> None:
    assert loaded_by("import ablate") == set()


@pytest.mark.parametrize(
    "args",
    [
        ("--help",),
        ("--version",),
        ("plugin", "--help"),
        ("plugin", "list"),
        ("plugin", "show", "temperature"),
        ("study", "--help"),
        ("study", "list"),
        ("study", "run", "--help"),
        ("corpus", "--help"),
        ("db", "--help"),
    ],
    ids=" ".join,
)
def test_commands_that_only_print(args: tuple[str, ...]) -> None:
    assert loaded_by(command(*args)) == set()


@pytest.mark.parametrize(
    ("args", "most"),
    [(("--help",), 200), (("study", "list"), 260), (("plugin", "list"), 330)],
    ids=lambda value: value[0] if isinstance(value, tuple) else "",
)
def test_they_import_little_of_anything(args: tuple[str, ...], most: int) -> None:
    """A budget: `import click, pluggy` alone is some 140 modules, and each takes its tenth of a millisecond or more."""
    assert modules_of(command(*args)) <= most


def test_a_database_is_read_without_anything_heavy(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    with Store(f"sqlite:///{home / 'ablate.db'}") as store:
        store.put_study(StudyRecord("one", {}, "default", "none", 0), [VariantRecord("v", "f", {}, True)], [])
    assert loaded_by(command("study", "show", "one", "--home", str(home))) == set()


def test_a_study_file_is_checked_before_torch_is_loaded() -> None:
    code = "from ablate.study.file.study_file import read_study\nread_study('tau_sweep')"
    assert loaded_by(code) == set()


@pytest.mark.parametrize("plugin", PLUGINS)
def test_plugins(plugin: str) -> None:
    code = f"import {plugin} as plugin, importlib.metadata\nfrom ablate.registry import Registry\n"
    code += f"ours = [e for e in importlib.metadata.entry_points(group='ablate') if e.value == {plugin!r}]\n"
    assert loaded_by(code + "assert Registry(ours, strict=True).components") == set()
