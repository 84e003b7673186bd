"""What ``ablate db check`` finds in a home, and what it and other commands say about it."""

from __future__ import annotations

import dataclasses
import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from support.checked_home import a_file, change, checked, problems
from support.damage import empty, flip

from ablate.digests import MISSING
from ablate.report.data.artifacts import Artifacts
from ablate.study.files.findings import Finding, commands, needs_repair

if TYPE_CHECKING:
    from support.bench import Bench
    from support.commands import Command

    from ablate.study.file.study_file import StudySpec


def test_a_home_as_it_was_left(finished: Bench) -> None:
    found = checked(finished)
    assert found.findings == ()
    files = [path for path in (finished.home / "artifacts").rglob("*") if path.is_file()]
    assert (found.files, found.bytes) == (len(files), sum(path.stat().st_size for path in files))
    assert (found.stages, found.without_digests, found.unfinished) == (19, 0, 0)


def test_every_kind_of_problem_is_explained(home: Bench) -> None:
    losses, weights = a_file(home, "train/*/*/losses.npy"), a_file(home, "train/*/*/weights.safetensors")
    empty(losses, losses)
    (weights.parent / "notes.txt").write_text("mine")
    (weights.parent / "validation.npz").write_bytes(b"5")
    stranger = home.home / "artifacts/train/00" / ("00" * 32)
    stranger.mkdir(parents=True)
    (home.home / "artifacts/todo").write_text("mine")
    (home.home / "checkpoints").mkdir(exist_ok=True)
    (home.home / "checkpoints" / f"{'ab' * 32}.safetensors").write_bytes(b"old")
    measured = home.numbers("tiny")[0].variant
    change(
        home,
        "DELETE FROM ablate_stages WHERE kind = 'prepare'",
        "DELETE FROM ablate_measurements WHERE fingerprint = (SELECT min(fingerprint) FROM ablate_measurements"
        " WHERE floor = '')",
        "UPDATE ablate_stages SET files = NULL WHERE kind = 'prime'",
    )
    text = "\n".join(problems(home))
    name = losses.relative_to(home.home)
    assert f"file {name}: is empty" in text
    folder = weights.parent.relative_to(home.home)
    assert f"extra {folder}/notes.txt: was not written by ablate" in text
    assert f"file {folder}/validation.npz: was not written with the others" in text
    assert f"folder {stranger.relative_to(home.home)}: belongs to no finished result and to no study" in text
    assert "folder artifacts/todo: was not written by ablate" in text
    assert f"checkpoint checkpoints/{'ab' * 32}.safetensors: belongs to no unfinished training" in text
    assert f"run tiny: {measured}, replicate 0: is done, but its result 'prepare' is not in the database" in text
    assert len(problems(home)) == 6 + 4
    assert checked(home).without_digests == 1


def test_what_ablate_clean_is_said_to_remove_is_what_it_removes(home: Bench, ablate: Command) -> None:
    trained = a_file(home, "train/*/*").name
    strangers = [
        "artifacts/todo",
        "artifacts/train/00/notes.txt",
        f"artifacts/train/00/{'00' * 32}",
        f"checkpoints/{'ab' * 32}.safetensors",
        f"checkpoints/{'ab' * 32}.txt",
        f"checkpoints/{trained}.safetensors",
    ]
    for each in strangers:
        path = home.home / each
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("mine") if "." in path.name or path.name == "todo" else path.mkdir()
    found = {each.where: each.advice for each in checked(home).findings}
    assert found.keys() == set(strangers)
    ablate("clean", "--yes", "--home", str(home.home))
    for name, advice in found.items():
        assert (advice == "ablate clean removes it") != (home.home / name).exists(), name


def test_the_command(home: Bench, ablate: Command, spec: StudySpec) -> None:
    fine = ablate("db", "check", "--home", str(home.home))
    assert (fine.code, fine.err) == (0, "")
    assert fine.out.endswith(" of 19 stages: all is as it was recorded\n")
    weights = a_file(home, "train/*/*/weights.safetensors")
    flip(weights, weights)
    bad = ablate("db", "check", "--home", str(home.home))
    assert bad.code == 1
    first, second, third = bad.out.splitlines()
    assert first.endswith(
        "is not what was written: its digest differs (of tiny); it is made again by running the study"
    )
    assert second.endswith(": 1 problem")
    command = f"ablate study run {Path(spec.source).resolve()} --replicates 2 --home {home.home}"
    assert third == f"to make it again, after ablate db check --repair: {command}"
    facts = json.loads(ablate("db", "check", "--json", "--home", str(home.home)).out)
    assert [each["kind"] for each in facts["findings"]] == ["file"]
    assert facts["commands"] == [command]
    repaired = ablate("db", "check", "--repair", "--home", str(home.home))
    assert repaired.code == 0
    assert "1 damaged file put aside, with .damaged behind the name\n" in repaired.out
    assert repaired.out.endswith(f"to make it again: {command}\n")
    again = ablate("db", "check", "--home", str(home.home))
    assert again.code == 1
    assert again.out.endswith(f"\nto make it again: {command}\n")  # there is nothing more to repair
    (home.home / "artifacts/mine").write_text("mine")
    left = ablate("db", "check", "--repair", "--home", str(home.home))
    assert left.code == 1
    assert "1 problem left as it is" in left.out


def test_only_what_is_lost_is_made_again() -> None:
    missing = Finding("file", "a/b", MISSING, "", "", ("mine",))
    damaged = Finding("file", "a/c", "is empty", "", "", ("mine", "yours"))
    strange = Finding("extra", "a/notes.txt", "was not written by ablate", "", "", ("ours",))
    assert commands([missing, damaged, strange]) == ["mine", "yours"]
    assert needs_repair([missing, damaged])
    assert not needs_repair([missing, strange])


def test_unfinished_trainings_are_counted_with_their_studies(home: Bench, ablate: Command) -> None:
    trained = a_file(home, "train/*/*").name
    (home.home / "checkpoints").mkdir(exist_ok=True)
    (home.home / "checkpoints" / trained).mkdir()
    change(home, f"DELETE FROM ablate_stages WHERE fingerprint = '{trained}'")
    assert (checked(home).unfinished, checked(home).unfinished_of) == (1, ("tiny",))
    told = ablate("db", "check", "--home", str(home.home)).err
    assert told == "note: 1 unfinished training of tiny will be continued by the next study run\n"


def test_a_damaged_page_of_the_database(home: Bench, ablate: Command) -> None:
    change(home, "CREATE INDEX hand ON ablate_measurements (value)", "PRAGMA writable_schema = 1", "ANALYZE")
    shutil.copy(home.home / "ablate.db", home.home / "whole.db")
    data = bytearray((home.home / "ablate.db").read_bytes())
    size = int.from_bytes(data[16:18], "big")
    for page in range(len(data) // size - 6, len(data) // size):
        data[page * size + size // 2 : page * size + size // 2 + 40] = b"\xff" * 40
    (home.home / "ablate.db").write_bytes(data)
    bad = ablate("db", "check", "--home", str(home.home))
    assert bad.code == 1
    assert "Traceback" not in bad.err
    assert "database: is damaged: " in bad.out or bad.err.startswith("error: ")


def test_commands_that_read_name_the_file_and_the_command(home: Bench, ablate: Command, tmp_path: Path) -> None:
    for pattern in ("train/*/*/losses.npy", "train/*/*/weights.safetensors", "train/*/*/validation.npy"):
        path = a_file(home, pattern)
        (empty if path.name == "losses.npy" else flip)(path, path)
    repair_with = f"this: ablate db check --repair --home {home.home}\n"
    where = ("--home", str(home.home))
    report = ablate("study", "report", "tiny", "--format", "csv", *where)
    assert report.code == 0
    assert report.err.startswith("note: the report lacks what is in damaged files: artifacts/train/")
    assert report.err.endswith(repair_with)
    assert report.err.count("\n") == 1
    out = tmp_path / "music"
    for command in (
        ("generate", "tiny", "--out", str(out), "--keep-results"),
        ("study", "export", "tiny", "--table", "validation"),
        ("study", "bundle", "tiny", "-o", str(out)),
    ):
        outcome = ablate(*command, *where)
        assert (outcome.code, outcome.out) == (1, "")
        assert outcome.err.startswith("error: ")
        assert outcome.err.endswith(repair_with)
        assert outcome.err.count("\n") == 1
        assert not out.exists()
    assert ablate("study", "export", "tiny", *where).code == 0


def test_losses_without_a_byte_are_listed_as_damaged(home: Bench) -> None:
    path = a_file(home, "train/*/*/losses.npy")
    empty(path, path)
    with home.store() as store:
        stage = store.stages([path.parent.name])[path.parent.name]
    artifacts = Artifacts(home.home)
    assert artifacts.losses(stage) is None
    assert artifacts.damaged == [f"{path.relative_to(home.home)} is empty"]
    older = Artifacts(home.home)
    assert older.losses(dataclasses.replace(stage, files={})) is None
    assert older.missing == [f"{path.relative_to(home.home)}: damaged, or not readable"]
