"""Studies of programs, killed with SIGKILL and run again: the same results, and nothing goes on in the background."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from support.bench import Bench
from support.checkout import ROOT
from support.killed import run_and_kill, wait_for

from ablate.study.file.overrides import Overrides
from ablate.study.file.study_file import read_study
from ablate.study.run.home import only_command

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ablate.study.file.study_file import StudySpec
    from ablate.study.run.result import StudyResult

pytestmark = pytest.mark.slow
EXAMPLES = ROOT / "docs/examples/programs"
#: Six as in the study file take two minutes; one runs with the suite.
REPLICATES = int(os.environ.get("ABLATE_PROGRAM_REPLICATES", "1"))


@pytest.fixture
def examples(tmp_path: Path) -> Path:
    shutil.copytree(EXAMPLES, tmp_path / "examples")
    return tmp_path / "examples"


def words(study: Path, home: Path, *more: str) -> list[str]:
    command = [sys.executable, "-P", "-m", "ablate", "study", "run", str(study), "--home", str(home), "--no-report"]
    return [*command, *more]


def results(bench: Bench, name: str) -> tuple[Any, dict[str, bytes]]:
    """Return every number, and every file that a program has written."""
    files = (
        path for path in bench.home.glob("artifacts/program/*/*/**/*") if path.is_file() and path.name != "log.txt"
    )
    return bench.numbers(name), {str(path.relative_to(bench.home)): path.read_bytes() for path in files}


def again(bench: Bench, spec: StudySpec) -> StudyResult:
    """Run a study as the command does, which first removes what the killed one left half written."""
    with only_command(bench.home, bench.url, spec.name):
        return bench.run(spec)


def test_a_training_script_killed_in_the_middle(examples: Path, tmp_path: Path) -> None:
    """Of the PyTorch script: two axes, killed in a training that has a checkpoint, and resumed."""
    study, bench, other = examples / "learning_rate.toml", Bench(tmp_path / "home"), Bench(tmp_path / "other")
    more = ("--workers", "2", "--replicates", str(REPLICATES))
    done = bench.home / "artifacts/program"
    run_and_kill(
        words(study, bench.home, *more),
        lambda: (
            len(list(done.glob("*/*/log.txt"))) >= 2 * REPLICATES and list(bench.home.glob("checkpoints/*/last.pt"))
        ),
        seconds=300,
    )
    assert 2 * REPLICATES <= len(list(done.glob("*/*/log.txt"))) < 4 * REPLICATES
    spec = read_study(str(study), Overrides(replicates=REPLICATES))
    resumed = again(bench, spec)
    assert (resumed.failures, resumed.ran["program"] < 4 * REPLICATES) == ((), True)
    assert not list(bench.home.glob("checkpoints/*"))
    assert not list(bench.home.rglob(".writing-*"))
    assert other.run(spec).failures == ()
    assert results(bench, spec.name) == results(other, spec.name)
    assert len(bench.numbers(spec.name)) > 4 * REPLICATES


def test_hydra_style_overrides_killed_in_the_middle(examples: Path, tmp_path: Path) -> None:
    study, bench, other = examples / "overrides.toml", Bench(tmp_path / "home"), Bench(tmp_path / "other")
    run_and_kill(
        words(study, bench.home), lambda: len(list(bench.home.glob("artifacts/program/*/*"))) >= 8, seconds=120
    )
    spec = read_study(str(study))
    ran = again(bench, spec).ran
    assert 0 < ran["program"] < 24
    assert other.run(spec).failures == ()
    assert results(bench, spec.name) == results(other, spec.name)
    values = {row.variant: row.value for row in _rows(other, spec.name) if row.feature == "mse"}
    assert len(values) == 4


def _rows(bench: Bench, name: str) -> list[Any]:
    with bench.store() as store:
        return store.measurement_rows(name)


SLEEPER = """
replicates = 2
[program]
command = ["sh", "-c", "setsid sleep 1000 & echo $! >> pids; echo $$ >> pids; wait; echo {seed} {out}"]
metrics = "metrics.json"
directions = { loss = "lower" }
"""


@pytest.fixture
def sleeping(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[bytes], list[int]]]:
    """Start a study whose programs sleep; yield it and the processes of its programs."""
    (tmp_path / "sleeper.toml").write_text(SLEEPER)
    command = words(tmp_path / "sleeper.toml", tmp_path / "home", "--workers", "2")
    with (tmp_path / "said.txt").open("wb") as said:
        process = subprocess.Popen(command, stdout=said, stderr=said, start_new_session=True)
    pids = tmp_path / "pids"
    wait_for(lambda: pids.exists() and len(pids.read_text().splitlines()) == 4, process, pause=0.05)  # type: ignore[arg-type]
    yield process, [int(line) for line in pids.read_text().splitlines()]
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _wait_for_the_end(pids: list[int]) -> None:
    deadline = time.monotonic() + 20
    while any(Path(f"/proc/{pid}").exists() for pid in pids):
        assert time.monotonic() < deadline, "a program goes on without ablate"
        time.sleep(0.05)


def test_programs_die_with_a_killed_driver(sleeping: tuple[subprocess.Popen[bytes], list[int]]) -> None:
    process, pids = sleeping
    process.kill()
    process.wait()
    _wait_for_the_end(pids)


def test_ctrl_c_ends_programs_and_says_how_to_go_on(
    sleeping: tuple[subprocess.Popen[bytes], list[int]], tmp_path: Path
) -> None:
    process, pids = sleeping
    os.killpg(process.pid, signal.SIGINT)
    assert process.wait(timeout=60) == 130
    _wait_for_the_end(pids)
    said = (tmp_path / "said.txt").read_text()
    assert "To continue, run the same command again" in said
    assert "Traceback" not in said
