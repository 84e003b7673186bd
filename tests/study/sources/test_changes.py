"""Results compared with the present."""

from __future__ import annotations

import dataclasses
import os
from typing import TYPE_CHECKING, Any

import pytest
from support.own_plugin import OwnPlugin, own_plugin

from ablate.cli.study.planning.reuse import changed_lines, unknown_lines
from ablate.registry import get_registry
from ablate.store.database.address import home_url
from ablate.store.records import FinishedStage, StageRecord
from ablate.store.store import Store
from ablate.study.plan.layout import lay_out
from ablate.study.plan.plan import make_plan
from ablate.study.run.forget import forget
from ablate.study.sources.changes import Comparison, compare
from ablate.study.sources.facts import Sources, well_formed
from ablate.study.sources.files import FileDigests, named_paths
from ablate.study.sources.recompute import chosen_stages
from ablate.study.sources.started import read_started, write_started
from ablate.study.stage import checkpoint_path
from ablate_performer.options import PerformerOptions

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from ablate.study.file.study_file import StudySpec
    from ablate.study.stage import Stage


@pytest.fixture
def plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[OwnPlugin]:
    yield from own_plugin(tmp_path / "plugin", monkeypatch)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(home_url(tmp_path)) as store:
        yield store


def record(stage: Stage, sources: dict[str, Any]) -> FinishedStage:
    return FinishedStage(
        StageRecord(stage.fingerprint, stage.kind, stage.plain(), {}, "", "cpu", 2.0, {"python": "3"}, sources=sources)
    )


def compared(spec: StudySpec, store: Store, home: Path) -> Comparison:
    layout = lay_out(spec, get_registry(), "cpu")
    plan = make_plan(layout, store, home)
    return compare(plan, Sources(layout.registry), home)


def test_an_unfinished_training_counts_too(
    load: Callable[..., StudySpec], plugin: OwnPlugin, store: Store, tmp_path: Path
) -> None:
    spec = load({"model": "mine"})
    layout = lay_out(spec, get_registry(), "cpu")
    train = layout.runs[0].stages.stages["train"]
    write_started(tmp_path, train.fingerprint, Sources(layout.registry).of(train))
    checkpoint = tmp_path / checkpoint_path(train.fingerprint)
    checkpoint.touch()
    plugin.edit("mine/network.py", "torch.zeros", "torch.ones")
    write_started(tmp_path, train.fingerprint, {})  # a command that resumes it keeps what is there
    found = compared(spec, store, tmp_path)
    assert (found.stages, found.unfinished) == (frozenset(), {train.fingerprint})
    assert list(changed_lines(found)) == [
        "these have changed under an equal version since 1 unfinished training came from them:",
        "  model 'mine' (1 stage): mine/network.py",
    ]
    forget(store, tmp_path, "tiny", found.unfinished)
    assert not checkpoint.exists()
    assert read_started(tmp_path, train.fingerprint) is None
    assert compared(spec, store, tmp_path) == Comparison()


@pytest.mark.parametrize(
    ("name", "kinds"),
    [
        ("prepare", {"prepare", "train", "generate", "measure", "resample"}),
        ("train", {"train", "generate", "measure", "resample"}),
        ("tokenizer", {"prepare", "train", "generate", "measure", "resample", "floor"}),
        ("lstm", {"train", "generate", "measure", "resample"}),
        ("sampler.temperature", {"generate", "measure", "resample"}),
        ("metric", {"measure", "resample", "floor"}),
        ("floor", {"floor"}),
        ("augmenter", set()),
        ("changed", set()),
    ],
)
def test_a_name_stands_for_stages_and_what_depends_on_them(
    load: Callable[..., StudySpec], name: str, kinds: set[str]
) -> None:
    stages = lay_out(load(), get_registry(), "cpu").stages()
    chosen = chosen_stages([name], stages, Comparison())
    assert {stages[fingerprint].kind for fingerprint in chosen} == kinds


def test_a_metric_is_computed_again_without_the_others(load: Callable[..., StudySpec]) -> None:
    stages = lay_out(load(), get_registry(), "cpu").stages()
    chosen = chosen_stages(["distance.pitch"], stages, Comparison())
    assert {stages[f].config["metric"]["name"] for f in chosen} == {"distance.pitch"}


def test_unknown_sources_are_said_and_not_refused(
    load: Callable[..., StudySpec], plugin: OwnPlugin, store: Store, tmp_path: Path
) -> None:
    """Stages of before there were records, and modules without a source."""
    spec = load({"model": "mine"})
    layout = lay_out(spec, get_registry(), "cpu")
    stages = layout.runs[0].stages.stages
    store.put_stages([record(stages["measure distance.velocity"], {})])
    unreadable = {
        "components": {"model.mine": {"source": {}, "defaults": {}, "unknown": ["mine.network"]}},
        "files": {},
    }
    store.put_stages([record(stages["measure distance.pitch"], unreadable)])
    found = compared(spec, store, tmp_path)
    assert found.changes == ()
    assert list(unknown_lines(found)) == [
        "note: nothing is recorded about the source of 1 reused stage, so a change of it is not noticed",
        (
            "note: model 'mine' has modules without a source that can be read, so a change of them is not noticed: "
            "mine.network"
        ),
    ]


def test_what_was_recorded_comes_back(store: Store) -> None:
    facts = {"components": {"model.lstm": {"source": {"a.py": "1"}, "defaults": {"x": 1}}}, "files": {}}
    one, two = (
        StageRecord("one", "train", {}, {}, "", "cpu", 1.0, {}, sources=facts),
        StageRecord("two", "train", {}, {}, "", "cpu", 1.0, {}, sources=dict(facts)),
    )
    store.put_stages(
        [
            FinishedStage(one),
            FinishedStage(two),
            FinishedStage(dataclasses.replace(one, fingerprint="three", sources={})),
        ]
    )
    found = store.stages(["one", "two", "three"])
    assert found["one"].sources == facts
    assert found["one"].sources is found["two"].sources  # read once
    assert found["three"].sources == {}


@pytest.mark.parametrize(
    ("facts", "good"),
    [
        ({}, True),
        ({"components": {"model.a": {"source": {}, "defaults": {}, "unknown": ["x"]}}, "files": {}}, True),
        ({"components": {}, "files": {"a": {"digest": "1", "stamp": "2", "option": "model.a.b"}}}, True),
        ({"components": {}}, False),
        ({"components": {"model.a": {"source": {}}}, "files": {}}, False),
        ({"components": {"model.a": {"source": {}, "defaults": {}, "unknown": [1]}}, "files": {}}, False),
        ({"components": {}, "files": {"a": {"digest": "1", "stamp": 2, "option": "x"}}}, False),
        ({"components": [], "files": {}}, False),
    ],
)
def test_facts_of_a_bundle_are_checked(*, facts: dict[str, Any], good: bool) -> None:
    assert well_formed(facts) == good


@pytest.mark.parametrize("text", ["/", ".", "..", "./..", "//"])
def test_punctuation_is_no_folder(text: str) -> None:
    """A separator of names is an option as a path is; "/" would be everything on this machine."""
    options = dict(named_paths({"separator": text, "performers": [text]}, PerformerOptions))
    assert options == {}


def test_files_are_known_by_their_content(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "folder"
    (folder / "inner").mkdir(parents=True)
    (folder / "inner/a.txt").write_text("a")
    (folder / ".hidden").write_text("x")
    before = FileDigests().of(str(folder))
    assert before is not None
    (folder / ".hidden").write_text("y")
    assert FileDigests().of(str(folder)) == before
    (folder / "inner/a.txt").write_text("b")
    after = FileDigests().of(str(folder))
    assert after is not None
    assert after["digest"] != before["digest"]
    (folder / "inner/a.txt").write_text("a")
    again = FileDigests().of(str(folder))
    assert again is not None
    assert again["digest"] == before["digest"]
    assert FileDigests().of(str(tmp_path / "missing")) is None
    # another content of the same size and the same time, as tools that keep times leave it
    times = (folder / "inner/a.txt").stat()
    (folder / "inner/a.txt").write_text("b")
    os.utime(folder / "inner/a.txt", ns=(times.st_atime_ns, times.st_mtime_ns))
    known = FileDigests()
    known.learn({str(folder): again})
    assert known.of(str(folder))["digest"] == after["digest"]  # type: ignore[index]
    (folder / "inner/a.txt").write_text("a")
    again = FileDigests().of(str(folder))
    assert again is not None
    # what is as it was is not read again
    known = FileDigests()
    known.learn({str(folder): again})
    monkeypatch.setattr("hashlib.file_digest", None)
    assert known.of(str(folder)) == again
