"""What a page of a running study costs: the driver that notes its work, the reader, and the viewers."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from http.client import HTTPConnection
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness import Case, Table, compare

from ablate.store.database.address import home_url
from ablate.store.records import FinishedStage, RunRecord, StageRecord, StudyRecord, VariantRecord
from ablate.store.store import Store
from ablate.study.run.listener import Listener
from ablate.study.run.live import LiveNote
from ablate.study.stage import Stage
from ablate.study.work.messages import Job, LoggedStep, News
from ablate.watch import hub
from ablate.watch.music import Music
from ablate.watch.source import Place, Source

if TYPE_CHECKING:
    from collections.abc import Iterator

STUDY, VARIANTS, REPLICATES, KINDS = "watched", 50, 20, ("train", "generate", "measure a", "measure b", "measure c")
EVENTS, STATES = 100_000, 20
VIEWERS = 20


def news(listener: Listener) -> float:
    """Tell a listener of the steps of a training, far more than a worker sends."""
    stage = Stage("train", {})
    listener.started(Job("train", (stage,)))
    name = stage.fingerprint
    for step in range(EVENTS):
        logged = (LoggedStep(name, step, EVENTS, 1.0, step, 1.0),)
        listener.news(News(name, "train", step / EVENTS, 1.0, 1e4, logged=logged))
    return float(EVENTS)


def noted(home: Path) -> float:
    """Tell the listener that keeps the file up to date."""
    with LiveNote(home, STUDY) as note:
        return news(note)


def half_done(home: Path) -> None:
    """Store a study of 1,000 runs and 5,000 stages, half of them finished."""
    variants = [VariantRecord(f"v{v}", f"f{v}", {"v": v}, v == 0) for v in range(VARIANTS)]
    runs = [
        RunRecord(f"v{v}", r, {kind: f"{kind} {v} {r}" for kind in KINDS}, {"v": v})
        for v in range(VARIANTS)
        for r in range(REPLICATES)
    ]
    done = [run for run in runs if run.replicate < REPLICATES // 2]
    with Store(home_url(home)) as store:
        store.put_study(StudyRecord(STUDY, {"question": "?"}, "default", "bach", 1), variants, runs)
        names = [(kind, fingerprint) for run in done for kind, fingerprint in run.stages.items()]
        store.put_stages(
            FinishedStage(StageRecord(name, kind.partition(" ")[0], {}, {}, "", "cpu", 1.0, {})) for kind, name in names
        )
        store.set_runs(STUDY, {(run.variant, run.replicate): ("done", "", "") for run in done})


class AlwaysNew(Place):
    """A database that is read at each chance."""

    _numbers = itertools.count()

    def stamp(self) -> object:
        """See :class:`Place`."""
        return next(self._numbers)


async def _shown(source: Source, viewers: int) -> float:
    numbers = itertools.count()
    shared = hub.Hub(lambda: {**source.parts(), "tick": next(numbers)}, pause=0.0)

    async def view() -> None:
        stream = shared.messages()
        for _ in range(STATES):
            await anext(stream)
        await stream.aclose()

    await asyncio.gather(*(view() for _ in range(viewers)))
    shared.close()
    return float(STATES)


def shown(source: Source, viewers: int) -> float:
    """Show some states of a study to viewers, each of which reads the database once."""
    before, hub.REST = hub.REST, 0
    try:
        return asyncio.run(_shown(source, viewers))
    finally:
        hub.REST = before


def ran(home: Path) -> float:
    """Run the smoke profile of tau_sweep anew."""
    for path in home.iterdir() if home.is_dir() else ():
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    words = ["study", "run", "tau_sweep", "--profile", "smoke", "--no-report", "--workers", "1", "--home", str(home)]
    subprocess.run([sys.executable, "-P", "-m", "ablate", *words], check=True, capture_output=True)
    return 1.0


def _view(port: int, ended: threading.Event) -> None:
    while not ended.wait(0.2):
        connection = HTTPConnection("127.0.0.1", port, timeout=60)
        with contextlib.suppress(OSError), contextlib.closing(connection):
            connection.request("GET", "/events?study=tau_sweep%40smoke")
            answer = connection.getresponse()
            while answer.status == 200 and answer.readline() and not ended.is_set():
                pass


@contextlib.contextmanager
def watching(home: Path) -> Iterator[None]:
    """Let a server and its viewers watch a home."""
    words = [sys.executable, "-P", "-m", "ablate", "watch", "--port", "0", "--home", str(home)]
    ended = threading.Event()
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as server:
        assert server.stdout
        port = int(server.stdout.readline().rstrip().rstrip("/").rpartition(":")[2])
        for _ in range(VIEWERS):
            threading.Thread(target=_view, args=(port, ended), daemon=True).start()
        try:
            yield
        finally:
            ended.set()
            server.terminate()


def tables() -> Iterator[Table]:
    """The group's tables."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        cases: list[Case] = [
            Case("nobody listens", lambda: news(Listener())),
            Case("the driver notes it in a file", lambda: noted(home), most=EVENTS * 1e-5),
        ]
        notes = [f"{EVENTS:,} events; a training sends one each second, so 10 µs of each event are no time."]
        yield compare("Steps of trainings that reach the driver", "events", cases, 5, notes, time.process_time)

    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        home = Path(folder)
        half_done(home)
        music = Music(home)
        stack.callback(music.close)
        source = Source(AlwaysNew(home), STUDY, music)

        def case(viewers: int, **targets: Any) -> Case:
            name = "1 viewer" if viewers == 1 else f"{viewers} viewers"
            return Case(name, lambda: shown(source, viewers), **targets)

        notes = ["The whole database is read for each state, at most once a second and a twentieth of the time."]
        title = f"States of {VARIANTS * REPLICATES:,} runs that are read and sent, all work of the server"
        yield compare(title, "states", [case(1), case(20, target=0.9), case(200)], 5, notes, time.process_time)

    with tempfile.TemporaryDirectory() as folder:
        alone, watched = Path(folder) / "alone", Path(folder) / "watched"
        ran(watched)
        with watching(watched):
            runs = [
                Case("nobody watches", lambda: ran(alone)),
                Case(f"{VIEWERS} viewers watch", lambda: ran(watched), target=0.97),
            ]
            yield compare("ablate study run tau_sweep --profile smoke --workers 1", "studies", runs, 7)
