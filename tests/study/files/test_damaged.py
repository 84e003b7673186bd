"""Files of finished results that are damaged: found before they are used, and made again bit for bit."""

from __future__ import annotations

import hashlib
import itertools
import random
import re
import shutil
import sqlite3
from typing import TYPE_CHECKING, Any

import pytest
from support.damage import DAMAGES, empty, flip, remove, swap

import ablate
from ablate.errors import CorpusError, DamagedFile
from ablate.kinds import KINDS
from ablate.registry import get_registry
from ablate.study.file.overrides import Overrides
from ablate.study.file.study_file import read_study
from ablate.study.plan.layout import lay_out
from ablate.study.plan.plan import make_plan
from ablate.study.run.listener import Listener
from ablate.study.work.checked_files import check_inputs
from ablate.study.work.dispatch import work
from ablate.study.work.messages import Context, Job, StageResult

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from support.bench import Bench

    from ablate.study.file.study_file import StudySpec
    from ablate.study.plan.layout import Layout
    from ablate.study.plan.plan import Plan


@pytest.fixture(scope="module")
def layout(spec: StudySpec) -> Layout:
    return lay_out(spec, get_registry(), "cpu")


def files(home: Path) -> list[Path]:
    return sorted(path for path in (home / "artifacts").rglob("*") if not path.is_dir())


def contents(bench: Bench, spec: StudySpec) -> tuple[dict[str, str], list[Any]]:
    """Everything that the study computed: each file, and each number."""
    assert not any(path.is_symlink() for path in (bench.home / "artifacts").rglob("*"))
    digests = {
        path.relative_to(bench.home).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in files(bench.home)
    }
    return digests, bench.numbers(spec.name)


class _Lines(Listener):
    """Keeps what is said about files that are lost."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def lost(self, plan: Plan) -> None:
        self.lines.append(plan.lost_line())


def test_nothing_is_lost_of_a_home_that_nobody_touched(finished: Bench, layout: Layout) -> None:
    with finished.store() as store:
        plan = make_plan(layout, store, finished.home)
        records = store.stages(layout.stages())
    assert plan.missing == {}
    assert plan.lost_line() == ""
    kept = [record for record in records.values() if KINDS[record.kind].keeps_files]
    assert {record.kind for record in kept} == {"load", "fit", "prepare", "prime", "train", "generate"}
    recorded = {f"{record.artifact}/{name}" for record in kept for name in record.files}
    names = {path.rpartition("/")[2] for path in recorded}
    assert names >= {"learned.bin", "instrument.txt", "validation.npz", "validation.npy", "primer.npy", "tokens.npy"}
    assert recorded == {path.relative_to(finished.home).as_posix() for path in files(finished.home)}


@pytest.mark.parametrize("damage", DAMAGES)
def test_every_damage_of_every_file_is_found(home: Bench, layout: Layout, damage: Callable[[Path, Path], None]) -> None:
    every = files(home.home)
    with home.store() as store:
        for path, other in zip(every, [*every[7:], *every[:7]], strict=True):
            before = {each: each.read_bytes() for each in (path, other)}
            if damage is swap and before[path] == before[other]:
                continue
            damage(path, other)
            plan = make_plan(layout, store, home.home)
            assert path.parent.name in plan.damaged, path
            assert plan.damaged.keys() <= plan.missing.keys()
            name = f"{path.parent.name}/{path.name}"
            assert any(name in str(found) for found in plan.damaged[path.parent.name])
            for each, content in before.items():
                if each.is_dir() and not each.is_symlink():
                    shutil.rmtree(each)
                each.unlink(missing_ok=True)
                each.write_bytes(content)
        assert make_plan(layout, store, home.home).missing == {}


def _assignments(every: list[Path], rng: random.Random) -> Iterator[tuple[Path, Path, Callable[[Path, Path], None]]]:
    """Yield files with a damage each; every damage comes as often as every other."""
    kinds = itertools.cycle(rng.sample(DAMAGES, len(DAMAGES)))
    for path in rng.sample(every, len(every)):
        yield path, rng.choice([each for each in every if each != path]), next(kinds)


@pytest.mark.parametrize("seed", range(3))
def test_whatever_is_damaged_the_next_run_leaves_what_an_undamaged_home_has(
    finished: Bench, home: Bench, spec: StudySpec, seed: int
) -> None:
    rng, lines = random.Random(seed), _Lines()
    damaged = 0
    for path, other, damage in _assignments(files(home.home), rng):
        if rng.random() < (0.2, 0.5, 1.0)[seed] and path.is_file() and other.is_file():
            damage(path, other)
            damaged += 1
    result = home.run(spec, listener=lines)
    assert not result.failures
    assert contents(home, spec) == contents(finished, spec)
    (line,) = lines.lines
    assert "\n" not in line
    assert "of finished results cannot be used, so " in line
    assert sum(result.ran.values()) >= 1
    assert home.run(spec).ran == {}


def test_a_line_counts_what_is_lost(home: Bench, spec: StudySpec) -> None:
    losses = [path for path in files(home.home) if path.name == "losses.npy"]
    for path in losses:
        empty(path, path)
    lines = _Lines()
    result = home.run(spec, listener=lines)
    assert lines.lines[0].startswith(
        "2 files of finished results cannot be used, so 2 stages run again (2 trainings): "
    )
    assert lines.lines[0].endswith(" is empty, and 1 more")
    assert any(str(path.relative_to(home.home)) in lines.lines[0] for path in losses)
    assert result.ran == {"train": 2}
    assert set(home.states(spec.name).values()) == {"done"}


def test_what_cannot_be_made_again_is_said_and_the_rest_is_kept(
    bench: Bench, tmp_path: Path, tiny_text: str, offer: Callable[[Any], None]
) -> None:
    class Once(ablate.Corpus):
        fails = False

        def identity(self) -> str:
            return "always"

        def load(self) -> list[ablate.Performance]:
            if Once.fails:
                raise CorpusError("the disk with the music is gone")
            return [ablate.Performance.from_notes([(60 + i % 7, 64, i * 0.25, i * 0.25 + 0.2) for i in range(60)])]

    offer(ablate.CorpusSpec(name="once", summary="Loads once.", build=lambda options: Once()))
    (tmp_path / "once.toml").write_text(tiny_text.replace("bach-prelude", "once"), encoding="utf-8")
    once = read_study(str(tmp_path / "once.toml"), Overrides())
    bench.run(once)
    numbers = bench.numbers("once")
    (loaded,) = bench.home.glob("artifacts/load/*/*/performances.npz")
    flip(loaded, loaded)
    Once.fails = True
    result = bench.run(once)
    assert result.ran == {}
    (note,) = [note for note in result.notes if "could not be made again" in note]
    start = (
        "a damaged load could not be made again, and what was computed from it is kept: the disk with the music is gone"
    )
    assert note.startswith(start)
    assert bench.numbers("once") == numbers
    assert set(bench.states("once").values()) == {"done"}


def test_a_killed_repair_is_taken_up_again(home: Bench, spec: StudySpec, layout: Layout) -> None:
    """The record of what is lost stays until it has been made again."""
    weights = next(path for path in files(home.home) if path.name == "weights.safetensors")
    remove(weights, weights)

    class Killed(_Lines):
        def started(self, job: object) -> None:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        home.run(spec, listener=Killed())
    with home.store() as store:
        assert weights.parent.name in make_plan(layout, store, home.home).damaged
    home.run(spec)
    assert weights.is_file()


def test_results_of_an_older_ablate_have_no_digests_and_are_used_as_before(home: Bench, spec: StudySpec) -> None:
    connection = sqlite3.connect(home.home / "ablate.db")
    connection.execute("UPDATE ablate_stages SET files = NULL")
    connection.commit()
    connection.close()
    for path in files(home.home):
        if path.name == "losses.npy":
            flip(path, path)
    assert home.run(spec).ran == {}
    generated = next(path for path in files(home.home) if path.name == "tokens.npy").parent
    weights = next(path for path in files(home.home) if path.name == "weights.safetensors")
    shutil.rmtree(generated)
    empty(weights, weights)
    ran = home.run(spec).ran
    assert ran["generate"] == 1
    assert ran.get("train", 0) <= 1
    assert (generated / "performances.npz").is_file()
    with home.store() as store:
        assert store.stages([generated.name])[generated.name].files.keys() == {
            path.name for path in generated.iterdir()
        }


def test_a_worker_compares_what_it_reads(home: Bench, layout: Layout) -> None:
    """Also what the disk has changed since the plan was made."""
    stages = layout.stages()
    generate = next(stage for stage in stages.values() if stage.kind == "generate")
    with home.store() as store:
        records = store.stages(stages)
    digests = {stage.fingerprint: records[stage.fingerprint].files for stage in generate.inputs.values()}
    check_inputs([generate], digests, home.home)
    for role in ("weights", "primer"):
        folder = home.home / generate.inputs[role].artifact
        for path in folder.iterdir():
            content = path.read_bytes()
            flip(path, path)
            with pytest.raises(DamagedFile, match=re.escape(f"{path} is not what was written")):
                check_inputs([generate], digests, home.home)
            path.write_bytes(content)
    (result,) = work(
        Job("generate", (generate,), {"": {}} | digests), Context(home.home, "cpu", get_registry(), print, bool)
    )
    assert isinstance(result, StageResult)
    assert result.files == records[generate.fingerprint].files
