"""Fixtures that every test may use."""

from __future__ import annotations

import contextlib
import dataclasses
import io
import os
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings
from support.checkout import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

# One thread a process, as a study's workers have it: there is a process a core already, and more threads wait in turn.
# Before torch is imported, which reads it once; processes that a test starts inherit it.
os.environ.setdefault("OMP_NUM_THREADS", "1")

# A first call may import torch or compile a table; how long an example takes is no property of ours.
settings.register_profile("ablate", deadline=None)
settings.load_profile("ablate")


def _folder(variable: str, default: Path, what: str) -> Path:
    folder = Path(os.environ.get(variable, default))
    if not folder.is_dir():
        pytest.skip(f"{what} not found at {folder}; set {variable} to its folder")
    return folder


@pytest.fixture(scope="session")
def smd_dir() -> Path:
    """The 50 MIDI files of the Saarland Music Data, which the project may not ship."""
    return _folder("ABLATE_SMD_DIR", ROOT.parent / "shared/data/smd", "Saarland Music Data (SMD)")


@pytest.fixture(scope="session")
def reference_dir() -> Path:
    """Golden tokens made with public code, and the values that the original report printed."""
    return _folder("ABLATE_REFERENCE_DIR", ROOT.parent / "shared/reference", "reference values")


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What one command line left: its exit code and what it printed."""

    code: int
    out: str
    err: str


@pytest.fixture(scope="session")
def smoke_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home in which the smoke profile of tau_sweep has run, to be copied."""
    from ablate.cli import run

    home = tmp_path_factory.mktemp("smoke") / ".ablate"
    words = ["study", "run", "tau_sweep", "--profile", "smoke", "--workers", "1", "--no-report", "--home", str(home)]
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        assert run(words) == 0
    return home


@pytest.fixture
def ran(ablate: Callable[..., Outcome], smoke_home: Path, tmp_path: Path) -> Callable[..., Outcome]:
    """The same as ``ablate``, in a folder whose home has the smoke profile of tau_sweep."""
    shutil.copytree(smoke_home, tmp_path / ".ablate")
    return ablate


@pytest.fixture
def ablate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Outcome]:
    """``ablate("study", "list")``: run a command as the console script would, in an empty folder.

    No terminal, no colour, a fixed width, and nothing of the caller's settings. Errors meant for people become an exit
    code and lines in ``err``; any other exception comes through, so that no test mistakes a bug for a refusal.
    """
    from ablate.cli import run

    monkeypatch.chdir(tmp_path)
    for name in ("ABLATE_HOME", "ABLATE_STRICT_PLUGINS", "FORCE_COLOR", "CLICOLOR_FORCE", "TTY_COMPATIBLE"):
        monkeypatch.delenv(name, raising=False)
    for name, value in {"NO_COLOR": "1", "TERM": "dumb", "COLUMNS": "100", "LINES": "50"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("sys.stdin", io.StringIO())

    def call(*args: str) -> Outcome:
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            try:
                code = run([str(arg) for arg in args])
            except SystemExit as stop:  # a command's own `sys.exit(130)`
                code = stop.code if isinstance(stop.code, int) else 1
        return Outcome(code, out.getvalue(), err.getvalue())

    return call


@pytest.fixture
def demo_plugins(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Plugins on disk as if they had been installed, most of them broken (see the folder's README)."""
    from ablate.registry import get_registry

    folder = ROOT / "tests/data/demo_plugins"
    monkeypatch.syspath_prepend(folder)
    get_registry.cache_clear()
    yield folder
    get_registry.cache_clear()
    for name in [name for name in sys.modules if name.startswith("demo_")]:
        del sys.modules[name]
