"""The state of a study, read from a real database and the file of a running command."""

from __future__ import annotations

import json
import os
import shutil
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from support.watching import HACK, HOSTILE, IMAGE

from ablate.store.records import RunRecord, StageFacts, StudyProgress, StudyRecord, VariantRecord
from ablate.store.store import Store
from ablate.study.run.live import LIVE
from ablate.watch import source as sources
from ablate.watch import state, watched
from ablate.watch.live import Live, LiveJob, LiveTraining
from ablate.watch.music import Music
from ablate.watch.remaining import Remaining, remaining
from ablate.watch.source import Place, Source
from ablate.watch.verdicts import EARLY, Verdicts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from support.postgres import Server
    from support.report_study import Builder, Home


@pytest.fixture
def source(half: tuple[Home, Builder]) -> Iterator[Source]:
    music = Music(half[0].path)
    yield Source(Place(half[0].path), HOSTILE, music)
    music.close()


def working(home: Path, kind: str, *stages: str, training: tuple[int, int, float] | None = None) -> None:
    """Write the file of a command that works on these stages."""
    job = {"kind": kind, "stages": stages, "at": stages[0], "since": time.time(), "fraction": 0.25}
    data: dict[str, Any] = {"study": HOSTILE, "pid": os.getpid(), "host": socket.gethostname()}
    data |= {"since": time.time() - 60, "now": time.time(), "jobs": [job], "trainings": {}}
    if training:
        step, steps, loss = training
        data["trainings"] = {stages[0]: {"step": step, "steps": steps, "loss": loss, "points": [[step, loss]]}}
    (home / LIVE).write_text(json.dumps(data))


def texts(parts: dict[str, Any]) -> list[list[str]]:
    rows = sorted(name for name in parts if name.startswith("row:"))
    return [[f"{cell['text']} {cell['facts']}".strip() for cell in parts[name]["cells"]] for name in rows]


def test_what_is_done_failed_or_waits(source: Source) -> None:
    parts = source.parts()
    head = parts["head"]
    assert (head["phase"], head["done"], head["failed"], head["total"]) == ("stopped", 3, 1, 6)
    assert texts(parts) == [["done", "not started"], ["done", "not started"], ["done", "failed"]]
    assert parts["failures"] == [{"reason": f"TrainingDiverged: {HACK}", "runs": f"{IMAGE}, replicate 1"}]
    assert [row["variant"] for name, row in sorted(parts.items()) if name.startswith("row:")] == ["plain", HACK, IMAGE]
    (figure,) = [part for name, part in parts.items() if name.startswith("loss:")]
    assert figure["title"] == "plain and all other variants, which share the trainings"
    assert figure["lines"][0]["points"][-1][1] == pytest.approx(0.5, rel=0.05)
    assert [each["variant"] for each in parts["samples"]["listed"]] == ["plain", HACK, IMAGE]


def test_what_a_command_works_on(half: tuple[Home, Builder], source: Source) -> None:
    home, builder = half
    working(home.path, "train", "train 1", training=(200, 800, 2.5))
    parts = source.parts()
    assert parts["head"]["phase"] == "running"
    cell = "training step 200 of 800, loss 2.500"
    assert texts(parts) == [["done", cell], ["done", cell], ["done", cell]]  # also the one that failed before
    assert parts["jobs"][0]["who"] == "plain and 2 others, replicate 1"
    assert parts["loss:0"]["lines"][1] == {"replicate": "1", "points": [(200, 2.5)], "running": True, "steps": 800}
    builder.train(1)
    working(home.path, "generate", "generate plain 1", f"generate {HACK} 1")
    assert texts(source.parts()) == [["done", "generating"], ["done", "generating"], ["done", "failed"]]
    builder.generate("plain", 1)
    working(home.path, "measure", "distance.pitch plain 1", f"distance.pitch {HACK} 1")
    assert texts(source.parts())[:2] == [["done", "measuring"], ["done", "trained, waiting"]]
    (home.path / LIVE).unlink()
    assert source.parts()["head"]["phase"] == "stopped"


def test_nothing_is_read_again_unless_something_was_written(
    half: tuple[Home, Builder], source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    reads = []
    opened = Place.open
    monkeypatch.setattr(Place, "open", lambda self: reads.append(1) or opened(self))  # type: ignore[func-returns-value]
    monkeypatch.setattr(sources, "_SETTLED", 0.0)
    before = source.parts()
    assert source.parts() == before
    assert len(reads) == 1
    half[0].store.set_run(HOSTILE, "plain", 1, "failed", "StageError", "no")
    assert source.parts()["head"]["failed"] == 2
    assert len(reads) == 2


def test_a_database_that_is_gone_is_reported_and_found_again(half: tuple[Home, Builder], source: Source) -> None:
    home = half[0].path
    half[0].store.close()
    assert source.parts()["head"]["phase"] == "stopped"
    shutil.move(home, home.with_name("aside"))
    assert "no such file" in source.parts()["head"]["problem"]
    shutil.move(home.with_name("aside"), home)
    assert source.parts()["head"]["phase"] == "stopped"


def test_a_study_that_is_deleted_is_reported(half: tuple[Home, Builder], source: Source) -> None:
    assert source.parts()["head"]["phase"] == "stopped"
    half[0].store.delete_study(HOSTILE)
    assert "unknown study" in source.parts()["head"]["problem"]


def test_many_runs_are_counted(source: Source, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(state, "MOST_CELLS", 5)
    parts = source.parts()
    assert parts["row:2"]["counts"] == {"done": 1, "failed": 1}
    assert parts["columns"] == []


def test_early_verdicts_come_with_their_price(half: tuple[Home, Builder], source: Source) -> None:
    home, builder = half
    place = Place(home.path)
    found = Verdicts(place.open, HOSTILE).ask(source.snapshot())
    assert found["warning"] == EARLY
    assert found["blocks"]
    assert found["promise"] == "", "nothing is promised of a study that is not complete"
    # complete: the first look has to be recorded, which a page that only reads cannot do
    builder.train(1)
    for name in builder.names:
        builder.generate(name, 1)
        builder.measure(name, 1)
        builder.store.set_run(HOSTILE, name, 1, "done")
    found = Verdicts(place.open, HOSTILE).ask(source.snapshot())
    assert "ablate study report" in found["refused"]
    assert home.store.looks(HOSTILE) == []


def at_once(function: Callable[[], Any]) -> list[Any]:
    """Return what a function returns in each of eight threads that call it at the same time."""
    ready = threading.Barrier(8)

    def call() -> Any:
        ready.wait(60)
        return function()

    with ThreadPoolExecutor(8) as threads:
        return [each.result() for each in [threads.submit(call) for _ in range(8)]]


def test_viewers_who_come_at_once_share_a_study(half: tuple[Home, Builder]) -> None:
    home = watched.Home(Place(half[0].path))
    found = at_once(lambda: home.get(HOSTILE))
    home.close()
    assert len({id(each) for each in found}) == 1


def test_viewers_who_ask_at_once_share_the_answer(half: tuple[Home, Builder], monkeypatch: pytest.MonkeyPatch) -> None:
    reads = []
    read = Source._read
    monkeypatch.setattr(Source, "_read", lambda self: reads.append(1) or read(self))  # type: ignore[func-returns-value]
    monkeypatch.setattr(sources, "_SETTLED", 0.0)
    study = watched.Watched(Place(half[0].path), HOSTILE)
    found = at_once(study.verdicts)
    study.close()
    assert found == [found[0]] * 8
    assert found[0]["warning"] == EARLY
    assert len(reads) == 1


STAGES = {"train": "t{0}", "generate": "g{0}", "measure x": "m{0}"}


def simulated(done: int, runs: int) -> StudyProgress:
    """A study of runs that take 10 s to train, 4 to generate and 1 to measure; the first ones are done."""
    seconds = {"t": ("train", 10.0), "g": ("generate", 4.0), "m": ("measure", 1.0)}
    finished = datetime.fromtimestamp(1000, UTC)
    stages = {f"{s}{r}": StageFacts(*seconds[s], finished) for s in "tgm" for r in range(done)}
    records = [
        RunRecord(
            "a", r, {name: text.format(r) for name, text in STAGES.items()}, {}, "done" if r < done else "pending"
        )
        for r in range(runs)
    ]
    return StudyProgress((("a", True),), tuple(records), stages, ())


def live(*jobs: LiveJob, since: float = 970.0, **trainings: LiveTraining) -> Live:
    return Live("s", 1, "h", since, 1000.0, jobs, trainings)


def test_the_time_that_is_left() -> None:
    # 2 of 4 runs in 30 s, on one worker: the other two need as long
    assert remaining(simulated(2, 4), live(), 1000.0) == Remaining(30.0, at_least=False)
    # on two workers they took half as long
    assert remaining(simulated(2, 4), live(since=985.0), 1000.0) == Remaining(15.0, at_least=False)
    # half of a training counts
    job = LiveJob("train", ("t2",), "t2", 995.0, 0.5)
    found = remaining(simulated(2, 4), live(job, since=965.0, t2=LiveTraining(50, 100, 1.0, ())), 1000.0)
    assert found == Remaining(25.0, at_least=False)


def test_the_time_that_is_left_before_anything_is_finished() -> None:
    assert remaining(simulated(0, 2), live(), 1000.0) is None
    job = LiveJob("train", ("t0",), "t0", 980.0, 0.5)  # 20 s for half of it
    found = remaining(simulated(0, 2), live(job, since=980.0, t0=LiveTraining(50, 100, 1.0, ())), 1000.0)
    assert found == Remaining(60.0, at_least=True)  # how long the rest takes is not known
    assert remaining(simulated(2, 2), live(), 1000.0) is None, "nothing is left"


def test_a_study_in_a_postgresql_database(
    postgres_template: tuple[Server, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sources, "_OF_SERVERS", 1e-9)  # read each time, instead of every two seconds
    server, template = postgres_template
    url = server.url(server.create(template))
    runs = [RunRecord("a", replicate, {"train": f"t{replicate}"}, {}) for replicate in range(2)]
    music = Music(tmp_path)
    try:
        with Store(url) as store:
            source = Source(Place(tmp_path, url), HOSTILE, music)
            assert "unknown study" in source.parts()["head"]["problem"]
            store.put_study(
                StudyRecord(HOSTILE, {}, "default", "", 1), [VariantRecord("a", "f", {}, baseline=True)], runs
            )
            assert source.parts()["head"]["done"] == 0
            store.set_run(HOSTILE, "a", 0, "done")
            assert source.parts()["head"]["done"] == 1
    finally:
        music.close()
