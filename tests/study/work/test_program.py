"""Programs that work, and programs that fail in every way: each failure costs its own run."""

from __future__ import annotations

import json
import os
import time
from typing import TYPE_CHECKING, Any

import pytest
from support.bench import Bench
from support.midi_bytes import midi, off, on, track

import ablate
from ablate.errors import AblateError
from ablate.music.midi import READER_VERSION, read_midi
from ablate.registry import get_registry
from ablate.report.data.left_out import left_out
from ablate.study.bundle.pack import pack
from ablate.study.bundle.unpack import unpack
from ablate.study.file.overrides import Overrides
from ablate.study.file.study_file import read_study
from ablate.study.work.program import process

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

STUDY = """
replicates = 2
[program]
command = ["sh", "train.sh", "{size}", "{seed}", "{out}", "{checkpoint}"]
metrics = "metrics.json"
directions = { loss = "lower" }
units = { loss = "nats" }
[parameters]
size = 1
[axes]
parameters.size = [1, 2]
"""
GOOD = 'echo "{\\"loss\\": $1.5}" > "$3/metrics.json"'


@pytest.fixture
def start(tmp_path: Path, bench: Bench) -> Callable[..., Any]:
    """Return a function that runs the study with another script; its variant of size 2 is ``script``."""

    def started(script: str, study: str = STUDY, **options: Any) -> Any:
        (tmp_path / "train.sh").write_text(f'if [ "$1" = 1 ]; then {GOOD}; exit; fi\n{script}\n')
        (tmp_path / "own.toml").write_text(study)
        settings = tuple(options.pop("settings", {}).items())
        return bench.run(read_study(str(tmp_path / "own.toml"), Overrides(settings=settings, name="own")), **options)

    return started


def test_numbers_of_a_program(start: Callable[..., Any], bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    result = start(f'echo working; touch "$3/extra.bin"; {GOOD}')
    assert (result.failures, result.ran) == ((), {"program": 4, "measure": 4})
    expected = [("size=1", 1.5), ("size=2", 2.5)]
    with bench.store() as store:
        rows = [tuple(row) for row in store.measurement_rows("own")]
    assert rows == [(v, r, 0, "loss", "value", value, "nats", "lower", 1) for v, value in expected for r in (0, 1)]
    kept = {path.name for path in bench.home.glob("artifacts/program/*/*/*")}
    assert kept == {"out", "metrics.json", "log.txt"}
    assert len(list(bench.home.glob("artifacts/program/*/*/out/extra.bin"))) == 2
    logs = [path.read_text() for path in bench.home.glob("artifacts/program/*/*/log.txt")]
    assert sum("working" in log for log in logs) == 2
    loaded = ablate.load_results("own", home=bench.home)
    assert {path.name for path in loaded.outputs("size=2", 1).iterdir()} == {"extra.bin", "metrics.json"}
    with pytest.raises(AblateError, match="has no samples: its programs write numbers only"):
        loaded.samples("size=2")
    monkeypatch.setattr("ablate.study.plan.program.READER_VERSION", READER_VERSION + 1)
    assert start(f'echo working; touch "$3/extra.bin"; {GOOD}').ran == {}, "everything is reused, with any reader"
    assert start(f"true; {GOOD}").ran == {"program": 4, "measure": 4}, "the script is an input"


def test_a_script_that_is_edited_while_its_study_runs(start: Callable[..., Any], bench: Bench) -> None:
    edits = f'echo "# edited" >> train.sh; {GOOD}'
    first, second = start(edits).failures
    assert {(first.variant, first.replicate), (second.variant, second.replicate)} == {("size=1", 1), ("size=2", 1)}
    assert first.error.startswith("the input train.sh is missing or is another file than the one that belongs to this")


def written(content: str) -> str:
    return f"echo '{content}' > \"$3/metrics.json\""


FAILURES = {
    "echo one; echo two >&2; exit 3": "the program ended with status 3 after ",
    "printf '\\033[31mone\\n'; echo two >&2; exit 4": ": one | two; see ",
    "kill -11 $$": "the program was killed by SIGSEGV after ",
    "true": "the program ended without writing metrics.json",
    'echo 1 > "$3/metric.json"': "without writing metrics.json; did you mean 'metric.json'?",
    written("{loss"): "metrics.json is not valid JSON: ",
    written("[1]"): "metrics.json must be a JSON object of metric: number, not ",
    written("{}"): "metrics.json must be a JSON object of metric: number, not ",
    written('{"loss": NaN}'): "metrics.json: loss is nan; a run whose result is not",
    written('{"loss": 1e999}'): "metrics.json: loss is inf; ",
    written('{"loss": "low"}'): 'metrics.json: loss must be a number, not "low"',
    written('{"loss": true}'): "metrics.json: loss must be a number, not true",
    written('{"loss": {}}'): "metrics.json: loss has no value",
    written('{"los": 1}'): "metrics.json: no metric 'loss'; did you mean 'los'?",
    written('{"loss": {"a": 1, "direction": "higher"}}'): "loss: a has the direction higher, but the study file",
}


def test_each_failure_costs_its_own_run(start: Callable[..., Any], bench: Bench) -> None:
    cases = "\n".join(f"{number}) {script};;" for number, script in enumerate(FAILURES, 2))
    sizes = list(range(1, len(FAILURES) + 2))
    result = start(f'case "$1" in\n{cases}\nesac', STUDY.replace("[1, 2]", str(sizes)), settings={"replicates": 1})
    assert {f.error_class for f in result.failures} == {"ProgramFailed"}
    for failure, message in zip(result.failures, FAILURES.values(), strict=True):
        assert message in failure.error
        assert "\n" not in failure.error
    assert list(bench.states("own").values()) == ["done", *["failed"] * len(FAILURES)]
    assert not list(bench.home.rglob(".writing-*"))


def test_a_program_beyond_its_limit_ends_with_all_that_it_started(
    start: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "GRACE", 0.3)
    script = f'trap "" TERM; (setsid sleep 300 & echo $! >> {tmp_path}/pids; wait) & sleep 300 & wait; wait'
    began = time.monotonic()
    result = start(script, settings={"program.time_limit": 0.3, "replicates": 1})
    assert time.monotonic() - began < 60, "nobody waits for it"
    assert "the program was ended at its time limit of 0.3 s" in result.failures[0].error
    for pid in map(int, (tmp_path / "pids").read_text().split()):
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


def test_checkpoints_outlive_a_failure_and_not_a_success(start: Callable[..., Any], bench: Bench) -> None:
    script = f'if [ -e "$4/half" ]; then {GOOD}; else touch "$4/half"; exit 1; fi'
    assert len(start(script).failures) == 2
    assert len(list(bench.home.glob("checkpoints/*/half"))) == 2
    assert start(script).failures == ()
    assert not list(bench.home.glob("checkpoints/*"))


def test_the_environment_of_a_program(start: Callable[..., Any], bench: Bench) -> None:
    script = 'echo "$OMP_NUM_THREADS/$SIZE/$CUDA_VISIBLE_DEVICES/$PWD"; ' + GOOD
    settings = {"program.cores": 3, "program.environment": {"SIZE": "{size}"}, "replicates": 1}
    start(script, settings=settings)
    logs = "".join(path.read_text() for path in bench.home.glob("artifacts/program/*/*/log.txt"))
    assert f"3/2//{bench.home.parent}" in logs
    more = {**settings, "program.environment": {"SIZE": "{size}", "MORE": "1"}, "program.cores": 2}
    assert start(script, settings=more).ran["program"] == 2, "variables decide the result, cores do not"


def test_features_units_and_directions_of_the_file(start: Callable[..., Any], bench: Bench) -> None:
    study = STUDY.replace('{ loss = "lower" }\nunits = { loss = "nats" }', '{ fit = "given" }').replace("[1, 2]", "[2]")
    study = study.replace("size = 1", "size = 2")
    fit = {"mse": 1, "r": {"value": 2, "unit": "m", "direction": "higher"}, "direction": "lower"}
    result = start(written(json.dumps({"fit": fit, "x": 1})), study)
    with bench.store() as store:
        rows = {tuple(row)[4:8] for row in store.measurement_rows("own")}
    assert rows == {("mse", 1.0, "1", "lower"), ("r", 2.0, "m", "higher")}
    assert result.notes == ("the metrics file also has x; add these to program.directions to judge them, too",)


def test_nothing_runs_again_after_a_bundle(start: Callable[..., Any], bench: Bench, tmp_path: Path) -> None:
    start(f'mkdir "$3/weights"; {GOOD}')
    (tmp_path / "page").mkdir()
    (tmp_path / "page/index.html").write_text("a page")
    with bench.store() as store:
        pack(store, bench.home, "own", tmp_path / "b.zip", page=tmp_path / "page", without=(), registry=get_registry())
    other = Bench(tmp_path / "other")
    unpack(tmp_path / "b.zip", other.home, other.url)
    assert other.counts(read_study(str(tmp_path / "own.toml"), Overrides(name="own")), "program") == (0, 4)
    assert other.numbers("own") == bench.numbers("own")


MIDI = """
replicates = 2
[program]
command = ["sh", "train.sh", "{size}", "{seed}", "{out}"]
inputs = ["music"]
midi = "**/*.mid"
[parameters]
size = 2
[corpus.midi]
path = "music"
[metric."distance.pitch"]
[axes]
parameters.size = [2, 3]
"""


def test_midi_files_are_samples_with_floors(
    start: Callable[..., Any], bench: Bench, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    result = start(f'mkdir "$3/a"; cp {folder}/piece0.mid "$3/a/10.mid"; cp {folder}/piece1.mid "$3/a/9.mid"', MIDI)
    assert result.failures == ()
    assert result.ran == {"load": 1, "program": 4, "measure": 4, "floor": 1, "resample": 4}
    artifact = next(iter(bench.home.glob("artifacts/program/*/*")))
    assert {path.name for path in artifact.iterdir()} >= {"performances.npz", "sample-00.mid", "sample-01.mid"}
    first, second = (read_midi(path) for path in (artifact / "sample-00.mid", folder / "piece1.mid"))
    assert first.canonical().notes.tolist() == second.canonical().notes.tolist(), "9 comes before 10"
    with bench.store() as store:
        stages = [fingerprint for run in store.runs("own") for fingerprint in run.stages.values()]
        floors = {row.floor for rows in store.floors(stages).values() for row in rows}
    assert floors == {"copy", "resampling"}
    monkeypatch.setattr("ablate.study.plan.program.READER_VERSION", READER_VERSION + 1)
    again = read_study(str(folder.parent / "own.toml"), Overrides(name="own"))
    assert bench.counts(again, "program") == (4, 0), "a new reader may find other notes in the files"


def test_notes_left_out_of_the_files_of_a_program_are_counted(
    start: Callable[..., Any], bench: Bench, folder: Path
) -> None:
    (folder.parent / "odd.mid").write_bytes(midi(track([(0, on(60)), (0, on(64)), (480, off(60))])))
    start('mkdir "$3/a"; cp odd.mid "$3/a/odd.mid"', MIDI, settings={"replicates": 1})
    with bench.store() as store:
        study, runs = store.study("own"), store.runs("own")
        stages = store.stages(fingerprint for run in runs for fingerprint in run.stages.values())
    lacking = left_out(runs, stages, study.spec)
    assert lacking.sentences == ("Samples: 2 of 4 notes left out, in 2 of 2 runs.",)
    line = "a/odd.mid: 1 of 2 notes left out: 1 never ended"
    assert lacking.problems == tuple(f"size={size}, replicate 0: {line}" for size in (2, 3))


@pytest.mark.parametrize(
    ("script", "message"),
    [
        ("true", "the program ended without writing a MIDI file that matches **/*.mid"),
        ('echo no > "$3/a.mid"; cp "$3/a.mid" "$3/b.mid"', "a.mid: "),
        ('cp music/piece0.mid "$3/a.mid"', "the program wrote 1 MIDI files that match **/*.mid, not 2"),
    ],
)
def test_midi_files_that_cannot_be_used(start: Callable[..., Any], folder: Path, script: str, message: str) -> None:
    assert folder.is_dir()
    result = start(script, MIDI, settings={"program.samples": 2, "replicates": 1})
    assert len(result.failures) == 2
    assert result.failures[0].error.startswith(message)
