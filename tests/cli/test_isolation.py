"""Commands whose components end their process, hang or are stopped: only workers compute."""

from __future__ import annotations

import os
import signal
import threading
import time
from typing import TYPE_CHECKING

import pytest
from support import commands
from support.rude import Rude, rude_plugin

from ablate.store.store import Store

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from support.commands import Command

STUDY = """
question = "Who survives?"
seed = 1
replicates = 1
[corpus.bach-prelude]
[tokenizer.midilike-classic]
[model.lstm]
embedding = 8
hidden = 8
[training]
steps = 2
batch = 2
window = 16
[generation]
samples = 1
tokens = 40
[sampler.temperature]
[floors]
draws = 0
[metric."distance.pitch"]
[metric."rude.HARM"]
[axes]
sampler.temperature.tau = [1.0]
"""


@pytest.fixture
def rude(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Rude]:
    monkeypatch.setattr(commands, "ISOLATED", True)
    yield from rude_plugin(tmp_path / "rude", monkeypatch)


def words(folder: Path, harm: str, *more: str) -> list[str]:
    (folder / "s.toml").write_text(STUDY.replace("HARM", harm))
    return ["study", "run", "s.toml", "--no-report", "--workers", "1", *more]


def metrics(folder: Path) -> set[str]:
    with Store(f"sqlite:///{folder}/.ablate/ablate.db") as store:
        return {row.metric for row in store.measurement_rows("s")}


def test_a_component_never_ends_the_command(ablate: Command, rude: Rude, tmp_path: Path) -> None:
    """Also not in the second run, in which only its own stages are left."""
    for _ in range(2):
        done = ablate(*words(tmp_path, "leave"))
        assert done.code == 1
        assert "WorkerDied: metric 'rude.leave'" in done.err
        assert done.err.rstrip().endswith("1 run failed; see: ablate study show s")
        assert "by a metric" not in done.out
    assert metrics(tmp_path) == {"distance.pitch"}
    assert os.getpid() not in rude.pids("leave")


def test_a_stuck_component_is_ended_at_the_stated_limit(ablate: Command, rude: Rude, tmp_path: Path) -> None:
    done = ablate(*words(tmp_path, "hang", "--stall-limit", "3"))
    assert done.code == 1
    assert "showed no progress for 3 s, so its process was ended (--stall-limit)" in done.err


@pytest.mark.parametrize(("first", "second"), [("SIGINT", "SIGINT"), ("SIGHUP", "SIGTERM")])
def test_the_second_signal_stops_a_stuck_component(
    first: str, second: str, ablate: Command, rude: Rude, tmp_path: Path
) -> None:
    asked: list[float] = []

    def ask() -> None:
        while not rude.pids("hang"):
            time.sleep(0.05)
        for name in (first, second):
            time.sleep(0.5)
            asked.append(time.monotonic())
            os.kill(os.getpid(), getattr(signal, name))

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    done = ablate(*words(tmp_path, "hang"))
    assert time.monotonic() - asked[1] < 4, "on a busy machine"
    thread.join()
    assert done.code == 130
    assert "stopping after the current step; press Ctrl-C again to stop at once" in done.err
    assert done.err.rstrip().endswith("finished results are kept. To continue, run the same command again")
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
