"""The driver of a study with many runs and many workers: how fast it records stages, and how long workers wait for it.

The workers are simulated (``simulated.py``): a stage takes a set time on a clock that the real seconds of the driver
are added to. So the time of sending messages between processes is left out.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness import Case, Row, Table, once
from material import write_folder

if TYPE_CHECKING:
    from collections.abc import Iterator

MANY, FEW = 10_000, 1_000
STAGE_SECONDS = (0.1, 1.0, 60.0)
WORKERS = (1, 2, 4, 8, 64)
#: The least share of their time that 64 workers should work, with stages of a second or more.
EFFICIENT = 0.9
MEMORY = 1024


def driven(runs: int, workers: int, seconds: float) -> dict[str, Any]:
    """Drive a study in a process of its own, and return what was measured."""
    words = [sys.executable, __file__, str(runs), str(workers), str(seconds)]
    done = subprocess.run(words, check=True, capture_output=True, text=True)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def _drive(runs: int, workers: int, seconds: float) -> dict[str, Any]:
    from simulated import Simulated, layout

    from ablate.cli.study.running.progress import PlainProgress
    from ablate.engine.memory import peak_memory
    from ablate.store.store import Store
    from ablate.study.run.runner import SharedContext, StudyRunner

    with tempfile.TemporaryDirectory() as folder, Path(os.devnull).open("w", encoding="utf-8") as nothing:
        home = Path(folder)
        begun = time.process_time()
        laid_out = layout(home, runs)
        simulated = Simulated(home, workers, seconds, backlog=workers)
        with contextlib.redirect_stderr(nothing), Store(f"sqlite:///{home / 'ablate.db'}") as store:
            progress, shared = PlainProgress(laid_out), SharedContext(simulated)
            result = StudyRunner(laid_out, store, home, listener=progress, shared=shared).run()
            done = sum(run.state == "done" for run in store.runs(laid_out.spec.name))
        cpu = time.process_time() - begun
    if result.failures or done != runs:
        raise RuntimeError(f"{done} of {runs} runs are done: {result.failures[:1]}")
    memory = peak_memory("cpu")
    wall = simulated.ended - simulated.begun
    return {
        "stages": simulated.done,
        "driver": simulated.driver,
        "cpu": cpu,
        "efficiency": simulated.worked / (workers * wall),
        "start": simulated.begun,
        "mebibytes": (memory.own + memory.shared) / 2**20,
    }


def simulated_table(runs: int, workers: tuple[int, ...]) -> Table:
    """Return the table of a study with a number of runs; its ratio is the efficiency."""
    rows, notes = [], []
    for count in workers:
        for seconds in STAGE_SECONDS:
            found = driven(runs, count, seconds)
            target = EFFICIENT if seconds >= 1 else 0.0
            rate, name = found["stages"] / found["driver"], f"{count} workers, stages of {seconds:g} s"
            rows.append(Row(name, found["driver"], 0.0, rate, found["efficiency"], target))
    notes.append(
        f"the last of these: {found['cpu']:.1f} CPU seconds of the driver in all, {found['start']:.1f} s until the "
        f"first stage, peak memory {found['mebibytes']:.0f} MiB"
        + (f", under 1 GiB {'met' if found['mebibytes'] <= MEMORY else 'missed'}" if runs == MANY else "")
    )
    title = f"{runs:,} runs of three stages: the driver's real seconds and its limit; ratio is the workers' efficiency"
    return Table(title, "stages", rows, notes)


#: A study as large as the simulated one with 2,000 runs, on 30 pieces, for the whole command.
PIECES, REPLICATES, NOTES = 30, 20, 30_000
BIG = """
question = "How long does it take to plan?"
corpus.midi.path = "corpus"
tokenizer = "midilike"
metric = ["distance.pitch", "distance.duration", "memorization.covered", "likelihood.nll"]
objective.metric = "distance.pitch"
sampler.temperature.tau = 1.0
training = { steps = 100, batch = 8, window = 64 }
generation = { samples = 8, tokens = 600 }
split = { test = 0.2, validation = 0.1, per_replicate = true }
model.lstm = { embedding = 16, hidden = 16 }
[axes]
model.lstm.hidden = [16, 20, 24, 28, 32, 36, 40, 44, 48, 52]
training.learning_rate = [1e-3, 2e-3, 3e-3, 4e-3, 5e-3, 6e-3, 7e-3, 8e-3, 9e-3, 1e-2]
[baseline]
model.lstm.hidden = 16
training.learning_rate = 1e-3
"""


def planned(folder: Path, replicates: int) -> float:
    """Run the whole command ``ablate study plan``; return the number of runs."""
    file = folder / f"big-{replicates}.toml"
    file.write_text(f"replicates = {replicates}\n{BIG}", encoding="utf-8")
    words = [sys.executable, "-m", "ablate", "study", "plan", str(file), "--home", str(folder / "home")]
    subprocess.run(words, check=True, capture_output=True)
    return 100.0 * replicates


def tables() -> Iterator[Table]:
    """The group's tables; they take half an hour."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        (folder / "corpus").mkdir()
        write_folder(folder / "corpus", PIECES, NOTES)
        cases = [Case(f"{n} replicates", lambda n=n: planned(folder, n)) for n in (1, REPLICATES)]
        yield once(f"ablate study plan, 100 variants, {PIECES} pieces, with its trial steps", "runs", cases)
    yield simulated_table(FEW, WORKERS)
    yield simulated_table(MANY, (8, 64))  # with fewer workers, the driver has less to do in a second


if __name__ == "__main__":
    print(json.dumps(_drive(int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]))))
