"""Bundles: out of one home, into another one."""

from __future__ import annotations

import csv
import dataclasses
import io
import json
import re
import shutil
import zipfile
from typing import TYPE_CHECKING

import pytest
from support.damage import flip

from ablate.errors import BundleError, DamagedFile, HomeError
from ablate.kinds import MEASURE, PROGRAM
from ablate.registry import get_registry
from ablate.report.results import load_results
from ablate.store.database.address import home_url
from ablate.store.records import (
    FinishedStage,
    LookRecord,
    MeasurementRecord,
    RunRecord,
    StageRecord,
    StudyRecord,
    VariantRecord,
)
from ablate.store.store import Store
from ablate.study.bundle import archive
from ablate.study.bundle.archive import ArchiveWriter
from ablate.study.bundle.pack import pack
from ablate.study.bundle.unpack import unpack
from ablate.study.plan.stages import Setting
from ablate.study.run.home import open_home
from ablate.study.stage import fingerprint
from ablate.study.trials.transfer import trials_to_plain

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

    from support.bench import Bench
    from support.commands import Command

STUDY = "tau_sweep@smoke"


def repacked(home: Path, name: str, page: Path, without: Collection[str] = ()) -> Path:
    """Return a bundle made from a home."""
    out = home.parent / "again.zip"
    page.mkdir(exist_ok=True)
    (page / "index.html").write_text("<p>A page</p>", encoding="utf-8")
    with Store(home_url(home)) as store:
        pack(store, home, name, out, page=page, without=without, registry=get_registry())
    return out


def test_everything_arrives_and_the_bundle_of_it_is_the_same(packed: Path, home: Path, tmp_path: Path) -> None:
    result = unpack(packed, home, home_url(home))
    assert (result.study.name, result.runs, result.new) == (STUDY, 10, True)
    before = packed.parent / "home"
    files = sorted(path.relative_to(before) for path in (before / "artifacts").rglob("*") if path.is_file())
    assert files == sorted(path.relative_to(home) for path in (home / "artifacts").rglob("*") if path.is_file())
    assert trials_to_plain(home_url(home), STUDY) == trials_to_plain(home_url(before), STUDY)
    # so every record, time and digest is the same
    assert repacked(home, STUDY, tmp_path / "page").read_bytes() == packed.read_bytes()
    again = unpack(packed, home, home_url(home))
    assert (again.new, again.added) == (False, 0)


def test_what_is_in_a_bundle(packed: Path) -> None:
    with zipfile.ZipFile(packed) as zipped:
        manifest = json.loads(zipped.read("manifest.json"))
        assert {info.date_time[0] for info in zipped.infolist()} == {1980}
        weights = [info for info in zipped.infolist() if info.filename.endswith(".safetensors")]
        assert {info.compress_type for info in weights} == {zipfile.ZIP_STORED}
        assert "question = " in zipped.read("tau_sweep.toml").decode()
        samples = list(csv.DictReader(io.StringIO(zipped.read("samples.csv").decode())))
        assert all(zipped.read(row["file"]).startswith(b"MThd") for row in samples)
        lock = zipped.read("requirements.txt").decode()
        assert "ablate study run tau_sweep.toml --profile smoke --replicates 2" in zipped.read("README.txt").decode()
    assert len(samples) == 20
    assert {row["variant"] for row in samples} == {f"tau={tau}" for tau in ("0.6", "0.8", "1.0", "1.2", "1.4")}
    assert {"kind": "model", "name": "lstm"}.items() <= next(
        each for each in manifest["components"] if each["kind"] == "model"
    ).items()
    assert re.search(r"^torch==\d+\.\d+\.\d+$", lock, re.MULTILINE)
    assert re.search(r"^ablate-music==", lock, re.MULTILINE)


def test_another_study_of_the_same_name_stays(packed: Path, home: Path) -> None:
    with Store(home_url(home)) as store:
        store.put_study(StudyRecord(STUDY, {}, "default", "none", 0), [VariantRecord("v", "f", {}, True)], [])
    with pytest.raises(BundleError, match=r"another study 'tau_sweep@smoke'; give the one in .* with --name"):
        unpack(packed, home, home_url(home))
    assert not (home / "artifacts").exists()
    assert unpack(packed, home, home_url(home), "other").study.name == "other"
    with Store(home_url(home)) as store:
        assert store.study(STUDY).spec == {}
        assert {run.state for run in store.runs("other")} == {"done"}
    assert len(load_results("other", home).frame()) > 100


def test_what_a_killed_command_left_is_removed(packed: Path, home: Path) -> None:
    (home / ".writing-bundle-1").mkdir()
    (home / ".writing-bundle-1/half").touch()
    unpack(packed, home, home_url(home))
    assert not list(home.glob(".writing-*"))


def test_a_home_in_use(packed: Path, home: Path) -> None:
    import filelock

    with filelock.FileLock(home / "run.lock"), pytest.raises(HomeError, match="is in use"):
        unpack(packed, home, home_url(home))


def test_weights_can_follow_later(packed: Path, home: Path, tmp_path: Path) -> None:
    small = repacked(packed.parent / "home", STUDY, tmp_path / "page", ["weights", "corpus"])
    assert unpack(small, home, home_url(home)).manifest.without == ("corpus", "weights")
    assert not list(home.rglob("*.safetensors"))
    assert not (home / "artifacts/load").exists()
    assert list(home.rglob("losses.npy"))
    result = unpack(packed, home, home_url(home))
    assert (result.new, result.added) == (False, 4)  # two trainings, the corpus and its tokens
    weights = list(home.rglob("*.safetensors"))
    assert len(weights) == 2
    with Store(home_url(home)) as store:
        kept = store.stages({fingerprint for run in store.runs(STUDY) for fingerprint in run.stages.values()})
    for stage in kept.values():
        names = {path.name for path in (home / stage.artifact).iterdir()} if stage.artifact else set()
        assert stage.files.keys() == names
    content = weights[0].read_bytes()
    flip(weights[0], weights[0])
    assert unpack(packed, home, home_url(home)).added == 1
    assert weights[0].read_bytes() == content


def test_a_file_that_is_damaged_is_not_packed(packed: Path, tmp_path: Path) -> None:
    home = shutil.copytree(packed.parent / "home", tmp_path / "damaged")
    losses = next(home.rglob("losses.npy"))
    flip(losses, losses)
    with pytest.raises(DamagedFile, match=r"losses.npy is not what was written: .* ablate db check --repair --home"):
        repacked(home, STUDY, tmp_path / "page")
    assert not (tmp_path / "again.zip").exists()


def test_a_study_that_was_judged_from_a_table(tmp_path: Path, home: Path) -> None:
    """It has numbers and no files, no study file and no trials."""
    there = open_home(tmp_path / "there")
    config = {"judged": "results.csv", "row": 1}
    stage = StageRecord(fingerprint(config), MEASURE, config, {"samples": 1}, "", "", 0.0, {"packages": {}})
    look = LookRecord(1, None, {"a": "open"}, {"a": None}, ("f",))
    with Store(home_url(there)) as store:
        store.put_stages([FinishedStage(stage, (MeasurementRecord(0, "loss", "loss", 0.5, "1", "lower", 1),))])
        run = RunRecord("ours", 0, {"measure loss": stage.fingerprint}, {}, "done")
        spec = {"judged": {"source": "results.csv", "kind": "table", "paired": True}}
        store.put_study(StudyRecord("mine", spec, "default", "", 0), [VariantRecord("ours", "f", {}, True)], [run])
        store.put_look("mine", look)
    unpack(repacked(there, "mine", tmp_path / "page"), home, home_url(home))
    with Store(home_url(home)) as store:
        assert store.study("mine").spec == spec
        assert [row.value for row in store.measurement_rows("mine")] == [0.5]
        assert store.looks("mine")[0].states == {"a": "open"}
        assert store.runs("mine") == [run]
    assert not (home / "artifacts").exists()


def test_files_of_a_program_with_odd_names(tmp_path: Path, home: Path) -> None:
    there, key = open_home(tmp_path / "there"), "ab" * 32
    folder = f"artifacts/{PROGRAM}/ab/{key}"
    (there / folder / "out").mkdir(parents=True)
    for name in ("log.txt", "a piece, ü.mid", "a:b", "out/own.pt"):
        (there / folder / name).write_text(name, encoding="utf-8")
    (there / folder / "link").symlink_to("/etc/passwd")
    with Store(home_url(there)) as store:
        store.put_stages([FinishedStage(StageRecord(key, PROGRAM, {}, {}, folder, "cpu", 1.0, {}))])
        run = RunRecord("v", 0, {PROGRAM: key}, {}, "done")
        store.put_study(StudyRecord("mine", {}, "default", "", 0), [VariantRecord("v", "f", {}, True)], [run])
    unpack(repacked(there, "mine", tmp_path / "page"), home, home_url(home))
    assert {path.name for path in (home / folder).rglob("*") if path.is_file()} == {"log.txt", "a piece, ü.mid"}
    (home / folder / "a piece, ü.mid").unlink()
    assert unpack(tmp_path / "again.zip", home, home_url(home)).added == 1


def test_an_archive_that_compresses_too_well_is_stored(
    tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A bundle that its reader would take for a bomb is never written."""
    monkeypatch.setattr(archive, "ALWAYS", 1000)
    there = open_home(tmp_path / "there")
    with Store(home_url(there)) as store:
        store.put_study(StudyRecord("mine", {}, "default", "", 0), [VariantRecord("v", "f", {}, True)], [])
    (tmp_path / "page").mkdir()
    (tmp_path / "page/zeros").write_bytes(bytes(2**20))
    out = repacked(there, "mine", tmp_path / "page")
    assert out.stat().st_size > 2**20
    assert unpack(out, home, home_url(home)).new


def test_portions_are_written_one_by_one() -> None:
    file = io.BytesIO()
    with ArchiveWriter(file) as writer:
        writer.add("a", (b"x" for _ in range(3)))
    assert writer.digests["a"]["bytes"] == 3
    with zipfile.ZipFile(file) as written:
        assert written.read("a") == b"xxx"


def test_the_commands(ran: Command, tmp_path: Path) -> None:
    """The way of a user: bundle, open, bring it into a new home, and run it there."""
    made = ran("study", "bundle", "tau_sweep", "--profile", "smoke", "-o", "study.zip", "--without", "audio")
    assert made.code == 0, made.err
    assert re.match(r"bundle: study\.zip, [\d.]+ MB \(corpus \d+ kB, page .* MB, results .*, weights ", made.out)
    assert "it contains the notes of the corpus; --without corpus leaves them out" in made.err
    with zipfile.ZipFile(tmp_path / "study.zip") as zipped:
        page, names = zipped.read("index.html").decode(), set(zipped.namelist())
    links = set(re.findall(r'(?:href|src)="([^"#][^"]*)"', page))
    outside = {link for link in links if link.startswith(("http:", "https:"))}
    assert {link.replace("%3D", "=") for link in links - outside} <= names
    assert any(link.endswith(".mid") for link in links)
    elsewhere = ["--home", "elsewhere"]
    there = ran("study", "unbundle", "study.zip", *elsewhere)
    assert there.out.startswith("tau_sweep@smoke: 10 runs with 140 results in elsewhere\n")
    assert "the bundle was made without audio" in there.err
    run = ran("study", "run", "tau_sweep", "--profile", "smoke", "--workers", "1", "--no-report", *elsewhere)
    assert "nothing to run: all results exist; reused 2 trainings, 10 generations" in run.out, run.err
    other = ran("study", "run", "tau_sweep@smoke", "--seed", "3", *elsewhere)
    assert "came from a bundle and runs as it was run there" in other.err
    both = ran("study", "compare", "tau_sweep@smoke:tau=1.0", "tau_sweep@smoke:tau=0.6", *elsewhere)
    assert both.code == 0, both.err
    assert ran("generate", "tau_sweep@smoke", "--count", "1", "--tokens", "20", "--out", "music", *elsewhere).code == 0
    assert ran("study", "unbundle", "study.zip", *elsewhere).out.endswith("with the same results; nothing to do\n")
    assert ran("study", "delete", "tau_sweep@smoke", "--yes", *elsewhere).code == 0


def test_a_machine_without_the_corpus_and_with_another_torch(
    tiny: Path, folder: Path, bench: Bench, tmp_path: Path, ablate: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = tiny.read_text(encoding="utf-8").replace("[corpus.bach-prelude]", '[corpus.midi]\npath = "music"')
    tiny.write_text(text.replace('precision = "fp32"\n', ""), encoding="utf-8")
    options = ["--profile", "smaller", "--replicates", "1", "--no-report", "--workers", "1"]
    assert ablate("study", "run", "tiny.toml", *options, "--home", str(bench.home)).code == 0
    bundle = repacked(bench.home, "tiny@smaller", tmp_path / "page")
    shutil.rmtree(folder)
    tiny.unlink()
    there = ["tiny@smaller", "--workers", "1", "--no-report", "--home", "there"]
    assert ablate("study", "unbundle", str(bundle), "--home", "there").code == 0
    assert "nothing to run" in ablate("study", "run", *there).out
    more = ablate("study", "run", *there, "--replicates", "2")
    assert "ran 1 training, 2 generations" in more.out, more.err
    shutil.rmtree(tmp_path / "there/artifacts/load")
    gone = ablate("study", "run", *there, "--replicates", "3")
    assert f"CorpusError: {folder}: no such file or folder" in gone.err
    here = Setting.here
    monkeypatch.setattr(Setting, "here", lambda *facts: dataclasses.replace(here(*facts), torch="9.9"))
    lost = ablate("study", "run", *there, "--replicates", "2")
    assert lost.code == 2
    assert "load/" in lost.err
    assert lost.err.endswith("cannot be made again here; bring it from the bundle: ablate study unbundle BUNDLE.zip\n")
    shutil.copytree(bench.home / "artifacts/load", tmp_path / "there/artifacts/load")
    assert "nothing to run" in ablate("study", "run", *there, "--replicates", "2").out
    refused = ablate("study", "run", *there, "--replicates", "3")
    assert re.search(r"came from a bundle and was run with torch 2\.\d+ \(here 9\.9\): its results can be", refused.err)
