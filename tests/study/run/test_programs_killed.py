"""Studies of programs, killed with SIGKILL and run again: the same results, and nothing goes on in the background."""

from __future__ import annotations

import os
import shutil
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from support.bench import Bench
from support.checkout import ROOT
from support.killed import run_and_kill

from ablate.study.file.overrides import Overrides
from ablate.study.file.study_file import read_study
from ablate.study.run.home import only_command
from ablate.study.run.listener import Listener

if TYPE_CHECKING:
    from ablate.study.file.study_file import StudySpec
    from ablate.study.run.result import StudyResult
    from ablate.study.run.runner import StudyRunner
    from ablate.study.work.messages import News

pytestmark = pytest.mark.slow
EXAMPLES = ROOT / "docs/examples/programs"
#: Six replicates and both axes, as in the study file, take minutes. The suite runs one training, which is killed.
REPLICATES = int(os.environ.get("ABLATE_PROGRAM_REPLICATES", "0"))
SMALL = (("axes.parameters.hidden", [32]), ("axes.parameters.lr", [0.01]))


@pytest.fixture
def examples(tmp_path: Path) -> Path:
    shutil.copytree(EXAMPLES, tmp_path / "examples")
    return tmp_path / "examples"


def words(study: Path, home: Path, *more: str) -> list[str]:
    return ["study", "run", str(study), "--home", str(home), "--no-report", *more]


def results(bench: Bench, name: str) -> tuple[Any, dict[str, bytes]]:
    """Return every number, and every file that a program has written."""
    files = (
        path for path in bench.home.glob("artifacts/program/*/*/**/*") if path.is_file() and path.name != "log.txt"
    )
    return bench.numbers(name), {str(path.relative_to(bench.home)): path.read_bytes() for path in files}


def finished(bench: Bench) -> set[str]:
    """Return the fingerprints of the programs whose folders are complete."""
    folders = bench.home.glob("artifacts/program/*/*")
    return {folder.name for folder in folders if not folder.name.startswith(".")}


def again(bench: Bench, spec: StudySpec) -> StudyResult:
    """Run a study as the command does, which first removes what the killed one left half written."""
    with only_command(bench.home, bench.url, spec.name):
        return bench.run(spec)


def test_a_training_script_killed_in_the_middle(examples: Path, tmp_path: Path) -> None:
    """Of the PyTorch script: killed in a training that has a checkpoint, and resumed."""
    study, bench, other = examples / "learning_rate.toml", Bench(tmp_path / "home"), Bench(tmp_path / "other")
    settings = () if REPLICATES else SMALL
    overrides = Overrides(replicates=REPLICATES or 1, settings=settings, name="lr")
    sets = [word for key, values in settings for word in ("--set", f"{key}={values}")]
    count = 4 * REPLICATES or 1

    def reached() -> bool:
        started = {path.parent.name for path in bench.home.glob("checkpoints/*/last.pt")}
        return 2 * len(finished(bench)) >= count - 1 and bool(started - finished(bench))

    run_and_kill(
        words(study, bench.home, "--workers", "2", *sets, "--replicates", str(overrides.replicates), "--name", "lr"),
        reached,
        seconds=300,
    )
    assert (count - 1) / 2 <= len(finished(bench)) < count
    spec = read_study(str(study), overrides)
    resumed = again(bench, spec)
    assert (resumed.failures, 0 < resumed.ran["program"] <= count) == ((), True)
    assert not list(bench.home.glob("checkpoints/*"))
    assert not list(bench.home.rglob(".writing-*"))
    assert other.run(spec).failures == ()
    assert results(bench, spec.name) == results(other, spec.name)
    assert len(bench.numbers(spec.name)) >= 3 * count, "a loss of each run, and distances of two samples"


def test_hydra_style_overrides_killed_in_the_middle(examples: Path, tmp_path: Path) -> None:
    study, bench, other = examples / "overrides.toml", Bench(tmp_path / "home"), Bench(tmp_path / "other")
    replicates = max(REPLICATES, 2)
    command = words(study, bench.home, "--replicates", str(replicates))
    run_and_kill(command, lambda: len(finished(bench)) >= 4, seconds=120)
    spec = read_study(str(study), Overrides(replicates=replicates))
    ran = again(bench, spec).ran
    assert 0 < ran["program"] < 4 * replicates
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


def test_programs_die_with_a_killed_driver(tmp_path: Path) -> None:
    (tmp_path / "sleeper.toml").write_text(SLEEPER)
    pids = tmp_path / "pids"
    run_and_kill(
        words(tmp_path / "sleeper.toml", tmp_path / "home", "--workers", "2"),
        lambda: pids.exists() and len(pids.read_text().splitlines()) == 4,
        seconds=120,
        pause=0.05,
    )
    wait_for_the_end(pids)


def wait_for_the_end(pids: Path) -> None:
    """Wait until none of the processes listed in a file exists."""
    deadline = time.monotonic() + 20
    while any(Path(f"/proc/{pid}").exists() for pid in pids.read_text().split()):
        assert time.monotonic() < deadline, "a program goes on without ablate"
        time.sleep(0.05)


class _Stopper(Listener):
    """Stops the run as soon as both processes of its program exist."""

    run: StudyRunner

    def __init__(self, pids: Path) -> None:
        self._pids = pids

    def news(self, news: News) -> None:
        threading.Thread(target=self._stop).start()

    def _stop(self) -> None:
        while not self._pids.exists() or len(self._pids.read_text().splitlines()) < 2:
            time.sleep(0.01)
        self.run.stop()


def test_a_study_that_is_stopped_ends_its_programs(bench: Bench, tmp_path: Path) -> None:
    (tmp_path / "sleeper.toml").write_text(SLEEPER)
    result = bench.run(read_study(str(tmp_path / "sleeper.toml")), listener=_Stopper(tmp_path / "pids"))
    assert (result.stopped, result.ran, result.failures) == (True, {}, ())
    wait_for_the_end(tmp_path / "pids")
    assert set(bench.states("sleeper").values()) == {"pending"}, "a program without checkpoints starts anew"
