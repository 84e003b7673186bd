"""Reading MIDI and writing it as tokens; a folder as large as MAESTRO from files to training windows."""

from __future__ import annotations

import concurrent.futures as cf
import importlib.util
import multiprocessing
import tempfile
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pretty_midi
import symusic
from harness import Case, Table, compare
from material import MAESTRO_FILES, MAESTRO_NOTES, saarland, write_folder
from naive import naive_tokens

from ablate.music import midi
from ablate.music.corpus.read import read_corpus
from ablate.registry import get_registry

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ablate.music.performance import Performance

LIMIT = 2**30


def _tokenizer(name: str) -> Any:
    spec = get_registry().spec("tokenizer", name)
    return spec.build(spec.parse({}))


def _notes(performances: Any) -> float:
    return float(sum(map(len, performances)))


def tables() -> Iterator[Table]:
    """The group's tables."""
    folder = saarland()
    with tempfile.TemporaryDirectory() as temporary:
        if folder is None:
            folder = Path(temporary) / "made"
            folder.mkdir()
            write_folder(folder, 50, 150_000)
        yield _reading(folder)
        yield _growing(Path(temporary))
        yield _maestro(Path(temporary))


def _reading(folder: Path) -> Table:
    files = sorted(folder.glob("*.mid"))
    pieces = [midi.read_midi(file) for file in files]
    classic, grid = _tokenizer("midilike-classic"), _tokenizer("midilike")
    all_notes = _notes(pieces)

    def loaded(read: Callable[[Path], Any]) -> float:
        for file in files:
            read(file)
        return all_notes

    def encoded(encode: Callable[[Performance], Any]) -> float:
        for piece in pieces:
            encode(piece)
        return all_notes

    cases = [
        Case("pretty_midi, loading", lambda: loaded(lambda file: pretty_midi.PrettyMIDI(str(file)))),
        Case("per-note Python, tokenizing", lambda: encoded(naive_tokens)),
        Case("ablate, loading", lambda: loaded(midi.read_midi)),
        Case("ablate, tokenizing (midilike-classic)", lambda: encoded(classic.encode)),
        Case("ablate, tokenizing (midilike)", lambda: encoded(grid.encode)),
        Case("ablate, loading and tokenizing", lambda: loaded(lambda f: classic.encode(midi.read_midi(f))), most=0.15),
        Case("ablate, the folder as a corpus, 4 threads at most", lambda: _notes(read_corpus(folder).performances)),
    ]
    if importlib.util.find_spec("miditok"):
        from miditok import MIDILike

        other = MIDILike()
        cases.append(Case("MidiTok MIDILike, loading and tokenizing", lambda: loaded(other)))
    notes = [f"{len(files)} files of {folder.name}, {all_notes:,.0f} notes"]
    data = [file.read_bytes() for file in files]
    begun = time.perf_counter()
    for each in data:
        symusic.Score.from_midi(each)
    once = time.perf_counter() - begun
    notes.append(f"symusic alone, for comparison: {once:.3f} s")
    return compare("Loading and tokenizing, notes a second", "notes", cases, rounds=3, notes=notes)


def _growing(temporary: Path) -> Table:
    cases = []
    for files in (10, 40, 160):
        folder = temporary / f"of {files}"
        folder.mkdir()
        write_folder(folder, files, files * 5_000)
        cases.append(
            Case(f"{files} files, {files * 5_000:,} notes", lambda f=folder: _notes(read_corpus(f).performances))
        )
    return compare("Loading a folder, by its number of pieces", "notes", cases, rounds=3)


def _maestro(temporary: Path) -> Table:
    folder = temporary / "maestro"
    folder.mkdir()
    write_folder(folder, MAESTRO_FILES, MAESTRO_NOTES)
    spawn = multiprocessing.get_context("spawn")
    peaks: dict[str, int] = {}

    def worked(stage: str) -> float:
        # a process of its own for each, as its memory is what counts
        with cf.ProcessPoolExecutor(1, spawn) as pool:
            count, peaks[stage] = pool.submit(work_on, stage, folder, temporary / "home").result()
        return count

    cases = [
        Case("load: files to notes", lambda: worked("load")),
        Case("prepare: notes to tokens", lambda: worked("prepare")),
        Case("1,000 batches of 16 windows of 128 (mapped)", lambda: worked("windows")),
    ]
    table = compare(
        f"{MAESTRO_FILES} files, {MAESTRO_NOTES:,} notes, each with the start of its process", "notes", cases, 1
    )
    for stage, peak in peaks.items():
        verdict = "met" if peak < LIMIT else "missed"
        table.notes.append(f"{stage}: peak memory {peak / 2**20:,.0f} MiB, under 1 GiB {verdict}")
    return table


def work_on(stage: str, folder: Path, home: Path) -> tuple[float, int]:
    """One stage of a study of that folder, in this process; returns the notes in the folder and the peak memory."""
    from ablate.engine.memory import peak_memory
    from ablate.engine.training.windows import Windows
    from ablate.settings import TrainingSettings
    from ablate.study.file.overrides import Overrides
    from ablate.study.file.study_file import read_study
    from ablate.study.plan.layout import lay_out
    from ablate.study.work.artifacts import read_examples
    from ablate.study.work.dispatch import work
    from ablate.study.work.messages import Context, Job, StageResult

    layout = lay_out(read_study("tau_sweep", Overrides(corpus=str(folder))), get_registry(), "cpu")
    stages = layout.runs[0].stages.stages
    most = [0]

    def watch() -> None:
        while True:
            most[0] = max(most[0], sum(peak_memory("cpu")))
            time.sleep(0.05)

    threading.Thread(target=watch, daemon=True).start()
    if stage == "windows":
        examples = read_examples(home / stages["prepare"].artifact / "examples.npz")
        windows = Windows(examples, TrainingSettings(steps=1000), 0)
        for step in range(1000):
            windows.batch(step, [], 0)
    else:
        (result,) = work(
            Job(stage, (stages[stage],)), Context(home, "cpu", get_registry(), lambda news: None, lambda: False)
        )
        if not isinstance(result, StageResult):
            raise RuntimeError(result.error)
    return float(MAESTRO_NOTES), max(most[0], sum(peak_memory("cpu")))
