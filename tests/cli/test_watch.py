"""The command ``ablate watch``: its messages, and its end with viewers connected."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import signal
import socket
import sqlite3
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from support.watching import Viewer, get

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from support.commands import Command


@pytest.fixture
def heeded_hangup() -> Iterator[None]:
    """Undo for new processes what ``nohup`` may have set for the tests."""
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGHUP, before)


@pytest.mark.usefixtures("heeded_hangup")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_the_server_with_viewers_connected(
    smoke_home: Path, tmp_path: Path, number: signal.Signals
) -> None:
    """Sounds are kept in a temporary folder, which goes with the server; a closed terminal sends SIGHUP."""
    words = [sys.executable, "-P", "-m", "ablate", "watch", "--home", str(smoke_home), "--port", "0"]
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stdout
        line = process.stdout.readline()
        port = int(line.rstrip().rstrip("/").rpartition(":")[2])
        assert line == f"watching {smoke_home} at http://127.0.0.1:{port}/\n"
        viewers = [Viewer(port, "/events?study=tau_sweep%40smoke") for _ in range(3)]
        assert [viewer.take() for viewer in viewers] == ["state"] * 3
        assert [path.name[:13] for path in tmp_path.iterdir()] == ["ablate-watch-"]
        process.send_signal(number)
        out, err = process.communicate(timeout=60)
        for viewer in viewers:
            assert "end" in (viewer.take(), viewer.take())
            viewer.close()
    assert out == ""
    assert err == "Ctrl-C ends it; the study does not notice\n"
    assert process.returncode == (0 if number == signal.SIGINT else -number)
    assert list(tmp_path.iterdir()) == []


def test_a_server_under_nohup_outlives_its_terminal(smoke_home: Path) -> None:
    words = ["nohup", sys.executable, "-P", "-m", "ablate", "watch", "--home", str(smoke_home), "--port", "0"]
    pipe = subprocess.PIPE
    with subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=pipe, stderr=pipe, text=True) as process:
        assert process.stdout
        port = int(process.stdout.readline().rstrip().rstrip("/").rpartition(":")[2])
        process.send_signal(signal.SIGHUP)
        assert get(port, "/?list")[0] == 200
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 0


def test_a_home_without_a_database(ablate: Command, tmp_path: Path) -> None:
    outcome = ablate("watch")
    assert outcome.code == 1
    assert outcome.err == (
        f"error: no studies have been run in {tmp_path}/.ablate; run one (ablate study run tau_sweep), "
        "or choose another --home\n"
    )


def test_a_database_that_cannot_be_read(ran: Command, tmp_path: Path) -> None:
    path = tmp_path / ".ablate" / "ablate.db"
    with contextlib.closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE ablate_alembic_version SET version_num = '9999'")
    outcome = ran("watch")
    newer = f"error: sqlite:///{path} was written by a newer ablate (schema 9999); upgrade ablate\n"
    assert (outcome.code, outcome.err) == (1, newer)
    path.write_bytes(b"x" * 10_000)
    outcome = ran("watch")
    assert outcome.code == 1
    assert outcome.err.startswith(f"error: sqlite:///{path}: file is not a database; the file is damaged or cut off: ")
    assert outcome.err.count("\n") == 1


def test_an_unknown_study(ablate: Command, smoke_home: Path) -> None:
    outcome = ablate("watch", "tau_swep@smoke", "--home", str(smoke_home))
    assert outcome.code == 2
    assert "did you mean 'tau_sweep@smoke'?" in outcome.err
    outcome = ablate("watch", "backbone", "--home", str(smoke_home))
    assert outcome.code == 1
    assert f"To run it: ablate study run --home {smoke_home} backbone" in outcome.err


def test_a_profile_of_no_study(ablate: Command, smoke_home: Path) -> None:
    outcome = ablate("watch", "--home", str(smoke_home), "--profile", "smoke")
    assert outcome.code == 2
    assert outcome.err == "error: --profile belongs to the name of a study: ablate watch STUDY --profile smoke\n"


def test_a_port_in_use(ablate: Command, smoke_home: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        outcome = ablate("watch", "--home", str(smoke_home), "--port", str(port))
    assert outcome.code == 2
    assert outcome.err.startswith(f"error: port {port} of 127.0.0.1 is in use")


@pytest.mark.parametrize("token", ["", "short", "a" * 300, "spaces in this token are not allowed"])
def test_a_token_that_is_none(ablate: Command, smoke_home: Path, token: str) -> None:
    outcome = ablate("watch", "--home", str(smoke_home), "--token", token)
    assert (outcome.code, outcome.err.startswith("error: --token needs 16 to 256")) == (2, True)


def test_the_extra_is_not_installed(ablate: Command, smoke_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "uvicorn" else find(name))
    outcome = ablate("watch", "--home", str(smoke_home))
    assert outcome.code == 2
    assert outcome.err == "error: ablate watch needs uvicorn; to install: pip install 'ablate-music[watch]'\n"


def test_every_other_address_needs_a_token(smoke_home: Path) -> None:
    words = [sys.executable, "-P", "-m", "ablate", "watch", "tau_sweep@smoke", "--home", str(smoke_home), "--port", "0"]
    environment = {**os.environ, "ABLATE_WATCH_TOKEN": "a-token-of-many-letters"}
    with subprocess.Popen(
        [*words, "--host", "0.0.0.0"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    ) as process:
        assert process.stdout
        assert "/?token=a-token-of-many-letters&study=tau_sweep%40smoke" in process.stdout.readline()
        process.send_signal(signal.SIGINT)
        assert "not encrypted" in process.communicate(timeout=60)[1]
