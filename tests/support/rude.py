"""A plugin on disk whose metrics end their process, hang, or flood the driver with progress."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from ablate.registry import get_registry

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import pytest

MODULE = '''
"""Metrics that do harm."""

import ctypes, gc, os, pathlib, pickle, signal, subprocess, sys, threading, time

import ablate


def note(pid, what):
    with open(pathlib.Path(__file__).with_name("pids.txt"), "a") as file:
        file.write(f"{pid} {what}\\n")


def crash():
    ctypes.string_at(0)


def leave():
    os._exit(3)


def killed():
    os.kill(os.getpid(), signal.SIGKILL)


def unlucky():
    """Be killed from outside three times, and work then."""
    if pathlib.Path(__file__).with_name("pids.txt").read_text().count(" unlucky") <= 3:
        killed()
    return ablate.Measurements((ablate.Value(1.0, direction="lower", n=1),))


def hang():
    note(subprocess.Popen(["sleep", "600"]).pid, "child of hang")
    while True:
        time.sleep(0.01)


def flood():
    from ablate.study.work.messages import News

    channel = next(each for each in gc.get_objects() if type(each).__name__ == "_News").channel
    threading.Timer(0.05, killed).start()
    while True:
        channel.send(pickle.dumps(News("x" * 1_000_000, "measure", 0.5)))


def hold():
    """Die, but leave a process that holds all that this one had open."""
    if os.fork() == 0:
        time.sleep(20)
        os._exit(0)
    os._exit(4)


class Rude(ablate.Metric):
    def __init__(self, harm):
        self.harm = harm

    def measure(self, performance, reference):
        note(os.getpid(), self.harm)
        print("printed by a metric")
        os.write(1, b"written by a metric\\n")
        return globals()[self.harm]()


@ablate.hookimpl
def ablate_metrics():
    for harm in ("crash", "leave", "killed", "unlucky", "hang", "flood", "hold"):
        yield ablate.MetricSpec(
            name=f"rude.{harm}",
            summary="Does harm.",
            build=lambda options, harm=harm: Rude(harm),
        )
'''


class Rude:
    """The plugin's files; its metrics write down in which process they worked."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        info = folder / "rude-1.0.dist-info"
        info.mkdir(parents=True)
        (folder / "rude.py").write_text(MODULE, encoding="utf-8")
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: rude\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text("[ablate]\nrude = rude\n")

    def pids(self, harm: str) -> list[int]:
        """Return the processes in which a metric worked."""
        try:
            lines = (self.folder / "pids.txt").read_text().splitlines()
        except FileNotFoundError:
            return []
        return [int(line.split()[0]) for line in lines if line.partition(" ")[2] == harm]


def rude_plugin(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Rude]:
    """Install the plugin for one test."""
    monkeypatch.syspath_prepend(folder)
    get_registry.cache_clear()
    yield Rude(folder)
    get_registry.cache_clear()
    sys.modules.pop("rude", None)
