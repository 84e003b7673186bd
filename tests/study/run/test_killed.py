"""Real processes, killed for real, and run again: in this process, which spares the time to start another one."""

from __future__ import annotations

import os
import resource
import shutil
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import pytest
from support import forked
from support.killed import wait_for

from ablate import Performance

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from support.bench import Bench
    from support.commands import Command

    from ablate.study.file.study_file import StudySpec

LONG = {"training.steps": 150, "generation.tokens": 1500, "floors.draws": 1}
#: Every part of a training that has a state.
MODERN = {
    "optimizer": "adamw",
    "schedule": "warmup_cosine",
    "split.validation": 0.25,
    "training.steps": 200,
    "training.accumulate": 2,
    "training.weight_decay": 0.1,
    "training.label_smoothing": 0.1,
    "training.ema": 0.9,
    "training.validate_every": 20,
    "training.keep": "best",
    "training.patience": 30,
    "floors.draws": 1,
}
pytestmark = pytest.mark.slow


PROGRAM = (sys.executable, "-m", "ablate")


def command(tiny: Path, bench: Bench, *more: str, settings: dict[str, Any] = LONG) -> list[str]:
    sets = [word for key, value in settings.items() for word in ("--set", f"{key}={value}")]
    return ["study", "run", str(tiny), "--home", str(bench.home), "--no-report", *sets, *more]


@pytest.fixture
def started(tmp_path: Path) -> Iterator[Callable[..., forked.Process]]:
    """Start a command in a process group of its own; nothing of it outlives the test.

    It is forked, which takes a tenth of the time, unless a test wants it as the console script starts it.
    """
    processes: list[forked.Process] = []

    def start(words: list[str], *, anew: bool = False) -> forked.Process:
        with (tmp_path / f"log-{len(processes)}.txt").open("wb") as log:
            process: forked.Process
            if anew:
                process = subprocess.Popen([*PROGRAM, *words], stdout=log, stderr=log, start_new_session=True)
            else:
                process = forked.command(words, stdout=log, stderr=log)
        processes.append(process)
        return process

    yield start
    for process in processes:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def results(bench: Bench, name: str) -> tuple[Any, dict[str, bytes]]:
    files = [path for path in (bench.home / "artifacts").rglob("*") if path.is_file()]
    return bench.numbers(name), {str(path.relative_to(bench.home)): path.read_bytes() for path in files}


@pytest.fixture
def uninterrupted(bench: Bench, load: Callable[..., StudySpec], tmp_path: Path) -> tuple[Any, dict[str, bytes]]:
    other = type(bench)(tmp_path / "uninterrupted")
    other.run(load(LONG))
    return results(other, load(LONG).name)


def test_killed_in_training_and_in_generation(
    bench: Bench,
    tiny: Path,
    load: Callable[..., StudySpec],
    uninterrupted: Any,
    started: Callable[..., forked.Process],
    ablate: Command,
) -> None:
    words = command(tiny, bench, "--checkpoint-seconds", "0.05", "--workers")
    home = bench.home

    process = started([*words, "2"])
    wait_for(lambda: list(home.glob("checkpoints/*.safetensors")), process)
    process.kill()
    process.wait()
    assert not list(home.glob("artifacts/train/*/*"))

    process = started([*words, "2"])
    wait_for(lambda: len(list(home.glob("artifacts/train/*/*/losses.npy"))) == 2, process)
    process.kill()
    process.wait()
    assert len(list(home.glob("artifacts/generate/*/*/tokens.npy"))) < 4

    done = ablate(*words, "1")
    assert done.code == 0, done.err
    assert results(bench, load(LONG).name) == uninterrupted
    assert not list(home.glob("checkpoints/*"))


def test_a_modern_recipe_killed_in_training(
    bench: Bench,
    tiny: Path,
    load: Callable[..., StudySpec],
    tmp_path: Path,
    started: Callable[..., forked.Process],
    ablate: Command,
) -> None:
    """Averages, best weights and validations are part of the checkpoint."""
    rng = np.random.default_rng(0)
    (tmp_path / "music").mkdir()
    for number in range(4):
        notes = [(int(rng.integers(40, 90)), 64, 0.2 * i, 0.2 * i + 0.15) for i in range(60)]
        (tmp_path / f"music/{number}.mid").write_bytes(Performance.from_notes(notes).midi_bytes())
    words = command(tiny, bench, "--corpus", str(tmp_path / "music"), "--checkpoint-seconds", "0.02", settings=MODERN)
    process = started([*words, "--workers", "2"])
    wait_for(lambda: list(bench.home.glob("checkpoints/*.safetensors")), process)
    process.kill()
    process.wait()
    assert not list(bench.home.glob("artifacts/train/*/*"))
    done = ablate(*words, "--workers", "1")
    assert done.code == 0, done.err
    spec = load(MODERN, corpus=str(tmp_path / "music"))
    other = type(bench)(tmp_path / "uninterrupted")
    other.run(spec)
    assert results(bench, spec.name) == results(other, spec.name)
    assert list(bench.home.glob("artifacts/train/*/*/validation.npy"))


def test_workers_die_with_a_killed_driver(bench: Bench, tiny: Path, started: Callable[..., forked.Process]) -> None:
    settings = {**LONG, "training.steps": 100_000}
    process = started(command(tiny, bench, "--workers", "2", "--checkpoint-seconds", "0", settings=settings))
    wait_for(lambda: list(bench.home.glob("checkpoints/*.safetensors")), process)
    process.kill()
    process.wait()
    deadline = time.monotonic() + 20
    while _alive(process.pid):
        assert time.monotonic() < deadline, "a worker goes on without its driver"
        time.sleep(0.1)


def _alive(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return any(line.split()[1] != "Z" for line in _processes(group))


def _processes(group: int) -> list[str]:
    listing = subprocess.run(["ps", "-eo", "pgid,stat"], capture_output=True, text=True, check=True).stdout
    return [line for line in listing.splitlines()[1:] if int(line.split()[0]) == group]


def test_ctrl_c_keeps_everything_and_says_how_to_go_on(
    bench: Bench,
    tiny: Path,
    load: Callable[..., StudySpec],
    started: Callable[..., forked.Process],
    tmp_path: Path,
) -> None:
    words = command(tiny, bench, "--workers", "2", "--checkpoint-seconds", "0.05")
    process = started(words, anew=True)
    wait_for(lambda: list(bench.home.glob("checkpoints/*.safetensors")), process)
    os.killpg(process.pid, signal.SIGINT)  # a terminal sends it to the whole group
    assert process.wait(timeout=30) == 130
    said = (tmp_path / "log-0.txt").read_text()
    assert "stopping after the current step" in said
    assert "To continue, run the same command again" in said
    assert "Traceback" not in said
    states = set(bench.states(load(LONG).name).values())
    assert states <= {"interrupted", "done", "pending"}  # on a busy machine, the second worker may not have begun
    assert states & {"interrupted", "done"}


def test_a_second_run_at_once_refuses(
    bench: Bench, tiny: Path, started: Callable[..., forked.Process], ablate: Command
) -> None:
    words = command(tiny, bench, settings={**LONG, "training.steps": 100_000})
    process = started([*words, "--checkpoint-seconds", "0", "--workers", "1"])
    wait_for(lambda: list(bench.home.glob("checkpoints/*.safetensors")), process)
    second = ablate(*words)
    assert second.code == 1
    (line,) = second.err.splitlines()
    assert line.startswith(f"error: {bench.home} is in use: study tiny@set-")
    assert f"process {process.pid}" in line


def limited(words: list[str]) -> None:
    """Run a command line in a process that can write small files only."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (2_000_000, 2_000_000))
    forked.run_command(words)


class TestFullDisk:
    """Weights that do not fit, a database that does."""

    BIG: ClassVar[dict[str, Any]] = {"model.lstm.hidden": 512, "training.steps": 3}

    def check(self, bench: Bench, code: int, err: str) -> None:
        assert code == 1
        assert "Traceback" not in err
        assert err.splitlines()[-1].startswith(f"error: no space left for results in {bench.home}")
        assert not list(bench.home.glob("artifacts/train/*/*"))
        assert list(bench.home.glob("artifacts/load/*/*/performances.npz")), "what was finished is kept"

    def test_a_limit_on_files(self, bench: Bench, tiny: Path, tmp_path: Path) -> None:
        words, log = command(tiny, bench, "--workers", "1", settings=self.BIG), tmp_path / "log.txt"
        with log.open("wb") as file, forked.Forked(f"{__name__}:limited", words, stdout=file, stderr=file) as process:
            code = process.wait(timeout=120)
        self.check(bench, code, log.read_text())

    def test_a_small_disk(self, bench: Bench, tiny: Path, ablate: Command) -> None:
        shutil.rmtree(bench.home)
        bench.home.mkdir()
        mount = ["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", str(bench.home)]
        if subprocess.run(mount, capture_output=True, check=False).returncode:
            pytest.skip("mounting a small disk needs more rights than this user has")
        try:
            done = ablate(*command(tiny, bench, "--workers", "2", settings=self.BIG))
            self.check(bench, done.code, done.err)
        finally:
            subprocess.run(["umount", str(bench.home)], check=True)
