"""Fixtures that every test may use."""

from __future__ import annotations

import contextlib
import gc
import io
import os
import shutil
import signal
import sqlite3
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import filelock
import pandas as pd
import pytest
import sqlalchemy as sa
from hypothesis import settings
from support import forked, migrations, no_disk, postgres
from support.checkout import ROOT
from support.commands import Command, Outcome, run

from ablate.study.run.executor import start

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.postgres import Server


# One thread for each process, as in a study's workers: there is one process for each core, and more threads would wait.
# It is set before torch is imported, which reads it once; processes that a test starts inherit it.
os.environ.setdefault("OMP_NUM_THREADS", "1")
# Where a test has two threads, they do not spin while they wait: the other processes need the cores.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")

# Modules are compiled once for the hundreds of processes that tests start, whatever the caller's environment says.
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

# A shell's background jobs ignore Ctrl-C, and what nohup starts ignores a hang-up; so would the commands of tests.
for _number, _usual in ((signal.SIGINT, signal.default_int_handler), (signal.SIGHUP, signal.SIG_DFL)):
    if signal.getsignal(_number) is signal.SIG_IGN:
        signal.signal(_number, _usual)

# As in a command: modules and tests live until the end, so they are seldom searched for garbage.
gc.set_threshold(50_000)

# Columns of text as where pyarrow is not installed, which is an extra: a third of the time of small reports goes into
# its arrays. The commands that tests start as processes use it.
pd.set_option("mode.string_storage", "python")

migrations.load_once()

# The studies of all tests in a process fork their workers from one process, which imports this part of torch once: each
# worker that trains would need over a second of a core for it. A command does the same if it has two workers.
start._PRELOAD.append(start._FOR_OPTIMIZERS)
start._PRELOAD += [no_disk.__name__, "support.plugins_loaded"]
forked.preload()  # and commands that tests start as processes are forked from it too

# A first call may import torch or compile a table, so the time that an example takes is not checked.
settings.register_profile("ablate", deadline=None)
settings.load_profile("ablate")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """Return one worker more than there are cores, because tests often wait for servers, clusters and processes."""
    return (os.cpu_count() or 1) + 1


def pytest_collection_finish() -> None:
    """Take what the tests have imported, which lives until the end, out of each search for garbage."""
    gc.freeze()


@sa.event.listens_for(sa.engine.Engine, "connect")
def _wait_for_no_disk(connection: Any, _record: Any) -> None:
    """Leave it to the system when to write: nobody needs these databases after a power cut, and kills lose nothing."""
    if isinstance(connection, sqlite3.Connection):
        with contextlib.suppress(sqlite3.Error):  # no database: what opens it says so
            connection.execute("PRAGMA synchronous = OFF")


def _folder(variable: str, default: Path, what: str) -> Path:
    folder = Path(os.environ.get(variable, default))
    if not folder.is_dir():
        pytest.skip(f"{what} not found at {folder}; set {variable} to its folder")
    return folder


@pytest.fixture(scope="session")
def smd_dir() -> Path:
    """Return the folder of the Saarland Music Data: 50 MIDI files, which the project may not ship."""
    return _folder("ABLATE_SMD_DIR", ROOT.parent / "shared/data/smd", "Saarland Music Data (SMD)")


@pytest.fixture(scope="session")
def reference_dir() -> Path:
    """Return the folder of the golden tokens, made with public code, and of the values in the original report."""
    return _folder("ABLATE_REFERENCE_DIR", ROOT.parent / "shared/reference", "reference values")


@pytest.fixture(scope="session")
def cases_dir() -> Path:
    """Return the folder of inputs that were once treated wrongly, which the project does not ship."""
    return _folder("ABLATE_CASES_DIR", ROOT.parent / "shared/cases", "cases")


@pytest.fixture(scope="session")
def smoke_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a home in which the smoke profile of tau_sweep has run, once for all workers; copy it before use."""
    root = tmp_path_factory.getbasetemp()
    home = (root.parent if "PYTEST_XDIST_WORKER" in os.environ else root) / "smoke" / ".ablate"
    words = ["study", "run", "tau_sweep", "--profile", "smoke", "--workers", "1", "--no-report", "--home", str(home)]
    home.parent.mkdir(exist_ok=True)
    with filelock.FileLock(home.parent / "lock"):
        if not (home.parent / "done").exists():
            with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
                assert run(words) == 0
            (home.parent / "done").touch()
    return home


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Server]:
    """Start a PostgreSQL server of this process; tests that need it are skipped where it cannot be."""
    lacking = postgres.missing()
    if lacking:
        pytest.skip(f"no PostgreSQL server: {lacking}")
    with postgres.running_server() as server:
        yield server


@pytest.fixture(scope="session")
def postgres_template(postgres_server: Server) -> tuple[Server, str]:
    """Return a server, and the name of a database in it with all tables and no rows, to be copied."""
    from ablate.store.store import Store
    from ablate.study.trials.storage import close_storage, open_storage

    name = postgres_server.create()
    with Store(postgres_server.url(name)):
        close_storage(open_storage(postgres_server.url(name)))
    return postgres_server, name


@pytest.fixture
def ran(ablate: Command, smoke_home: Path, tmp_path: Path) -> Command:
    """Return the fixture ``ablate``, in a folder whose home has the smoke profile of tau_sweep."""
    shutil.copytree(smoke_home, tmp_path / ".ablate")
    return ablate


@pytest.fixture
def ablate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Command:
    """Return a function that runs a command line as the console script would: ``ablate("study", "list")``.

    It runs in an empty folder, without a terminal, without colour, at a fixed width, and without the caller's
    environment variables. Errors meant for people become an exit code and lines in ``err``; any other exception is
    raised, so that no test mistakes a bug for an error message.
    """
    monkeypatch.chdir(tmp_path)
    for name in (
        "ABLATE_HOME",
        "ABLATE_OBSERVE",
        "ABLATE_STRICT_PLUGINS",
        "FORCE_COLOR",
        "CLICOLOR_FORCE",
        "TTY_COMPATIBLE",
        "COLUMNS",
        "LINES",
    ):
        monkeypatch.delenv(name, raising=False)
    for name, value in {"NO_COLOR": "1", "TERM": "dumb"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("sys.stdin", io.StringIO())

    def call(*args: str) -> Outcome:
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = run([str(arg) for arg in args])
        return Outcome(code, out.getvalue(), err.getvalue())

    return call


@pytest.fixture
def demo_plugins(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Make the demo plugins importable as if installed; most of them are broken (see the README in their folder)."""
    from ablate.registry import get_registry

    folder = ROOT / "tests/data/demo_plugins"
    monkeypatch.syspath_prepend(folder)
    get_registry.cache_clear()
    yield folder
    get_registry.cache_clear()
    for name in [name for name in sys.modules if name.startswith("demo_")]:
        del sys.modules[name]
