"""The command ``ablate watch``: its messages, and its end with viewers connected."""

from __future__ import annotations

import importlib.util
import os
import signal
import socket
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from support.watching import Viewer

if TYPE_CHECKING:
    from pathlib import Path

    from support.commands import Command


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_server_with_viewers_connected(smoke_home: Path, number: signal.Signals) -> None:
    words = [sys.executable, "-P", "-m", "ablate", "watch", "--home", str(smoke_home), "--port", "0"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout
        line = process.stdout.readline()
        port = int(line.rstrip().rstrip("/").rpartition(":")[2])
        assert line == f"watching {smoke_home} at http://127.0.0.1:{port}/\n"
        viewers = [Viewer(port, "/events?study=tau_sweep%40smoke") for _ in range(3)]
        assert [viewer.take() for viewer in viewers] == ["state"] * 3
        process.send_signal(number)
        out, err = process.communicate(timeout=60)
        for viewer in viewers:
            assert "end" in (viewer.take(), viewer.take())
            viewer.close()
    assert out == ""
    assert err == "Ctrl-C ends it; the study does not notice\n"
    assert process.returncode == (0 if number == signal.SIGINT else -signal.SIGTERM)


def test_a_home_without_a_database(ablate: Command, tmp_path: Path) -> None:
    outcome = ablate("watch")
    assert outcome.code == 1
    assert outcome.err == (
        f"error: no studies have been run in {tmp_path}/.ablate; run one (ablate study run tau_sweep), "
        "or choose another --home\n"
    )


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
