"""``ablate clean``, and what ``ablate study delete`` leaves to it."""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
import time
from typing import TYPE_CHECKING

import pytest

from ablate.writing import OLD

if TYPE_CHECKING:
    from pathlib import Path

    from support.commands import Command

NAME = "tau_sweep@smoke"
#: A fingerprint that no stage has.
NOBODY = "ab" + "0" * 62
NOBODY_ANSWERS = "error: nothing was removed, because nobody has answered; --yes does it without asking\n"


def ask(home: Path, query: str) -> list[tuple[object, ...]]:
    with contextlib.closing(sqlite3.connect(home / "ablate.db")) as connection, connection:
        return connection.execute(query).fetchall()


def names(home: Path) -> set[str]:
    """Return the files and folders of a home, down to the folders of stages."""
    found = [*home.glob("*"), *home.glob("[!a]*/*"), *home.glob("audio/*"), *home.glob("artifacts/*/*/*")]
    return {path.relative_to(home).as_posix() for path in found}


def leave_behind(home: Path) -> list[str]:
    """Put into a home one of everything that no study refers to; return their names."""
    shutil.copytree(next(home.glob("artifacts/train/*/*")), home / f"artifacts/train/ab/{NOBODY}")
    report = home / "reports/gone"
    (report / "audio").mkdir(parents=True)
    (report / "index.html").write_text("<p>A report</p>")
    for folder in ("audio", "checkpoints", "logs", "reports/living/audio"):
        (home / folder).mkdir(parents=True, exist_ok=True)
    (report / "audio/sample.mp3").write_bytes(b"only there")
    (home / f"audio/{'1' * 24}.mp3").write_bytes(b"only there")
    (home / f"audio/{'2' * 24}.mp3").write_bytes(b"in another report")
    (home / "reports/living/audio/sample.mp3").write_bytes(b"in another report")
    (home / f"checkpoints/{NOBODY}").mkdir()
    left = [
        f"checkpoints/{NOBODY}.safetensors",
        f"logs/{NOBODY}.txt",
        "logs/report-gone.txt",
        ".writing-01234567-x",
        "reports/.writing-01234567-gone",
        "reports/.gone.lock",
    ]
    for name in left:
        (home / name).touch()
    os.utime(home / "reports/.writing-01234567-gone", (time.time() - OLD - 1,) * 2)
    return [*left, f"artifacts/train/ab/{NOBODY}", f"audio/{'1' * 24}.mp3", f"checkpoints/{NOBODY}", "reports/gone"]


def test_everything_that_no_study_refers_to_goes_and_nothing_else(ran: Command, tmp_path: Path) -> None:
    home = tmp_path / ".ablate"
    assert ran("clean").out == f"nothing to remove: studies refer to everything in {home}\n"
    kept = [  # of studies, of people, and of other programs
        *(f"checkpoints/{fingerprint}.safetensors" for (fingerprint,) in _trainings(home)),
        "checkpoints/mine.safetensors",
        "artifacts/notes.txt",
        "reports/mine",
    ]
    for name in kept:
        (home / name).parent.mkdir(exist_ok=True)
        (home / name).mkdir() if name.startswith("reports") else (home / name).touch()
    left = leave_behind(home)
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "file").touch()
    (home / f"artifacts/train/ab/{NOBODY[:-1]}1").symlink_to(outside)
    before, rows = names(home), ask(home, "SELECT count(*) FROM ablate_stages")

    asked = ran("clean")
    assert (asked.code, asked.err) == (2, NOBODY_ANSWERS)
    assert names(home) == before
    lines = {" ".join(line.split()[:-2]): line.split()[-2:] for line in asked.out.splitlines() if line.startswith(" ")}
    size = sum(path.stat().st_size for path in (home / f"artifacts/train/ab/{NOBODY}").rglob("*")) + 4096
    assert lines["files of results: train"][0] == "2"
    assert float(lines["files of results: train"][1]) == pytest.approx(size / 1e6, abs=0.01)
    numbers = {"checkpoints": "2", "logs": "2", "reports of deleted studies": "1", "sounds": "1"}
    assert {what: lines[what][0] for what in numbers} == numbers
    assert lines["unfinished files"][0] == "2"

    removed = ran("clean", "--yes")
    assert removed.code == 0, removed.err
    assert "removed 0 results from the database and 11 files and folders, " in removed.out
    expected = before - {*left, f"artifacts/train/ab/{NOBODY[:-1]}1"}
    assert names(home) - {"reports/index.html", "reports/.index.html.lock"} == expected
    assert (outside / "file").exists(), "the link is gone, and what it led to is not"
    assert ask(home, "SELECT count(*) FROM ablate_stages") == rows
    assert "gone" not in (home / "reports/index.html").read_text()
    assert "nothing to run" in ran("study", "run", "tau_sweep", "--profile", "smoke", "--no-report").out


def _trainings(home: Path) -> list[tuple[object, ...]]:
    return ask(home, "SELECT fingerprint FROM ablate_stages WHERE kind = 'train'")


def test_results_of_earlier_levels_go_with_their_rows(ran: Command, tmp_path: Path) -> None:
    home = tmp_path / ".ablate"
    whole = (home / "ablate.db").stat().st_size
    # a study of fewer variants takes the place of the one before, as after its file was edited
    ask(home, "DELETE FROM ablate_variants WHERE baseline = 0 AND name > 'tau=1.0'")
    ask(home, "DELETE FROM ablate_runs WHERE variant_id NOT IN (SELECT id FROM ablate_variants)")
    ask(home, "DELETE FROM ablate_run_stages WHERE run_id NOT IN (SELECT id FROM ablate_runs)")
    shown = ran("study", "show", NAME).out
    removed = ran("clean", "--yes")
    # 2 variants in 2 replicates: a generation, 6 measurements and 6 floors of each
    assert "results in the database: generate" in removed.out
    assert "removed 52 results from the database and 4 files and folders" in removed.out
    assert len(list(home.glob("artifacts/generate/*/*"))) == 6
    assert ask(
        home,
        "SELECT count(*) FROM ablate_measurements WHERE fingerprint NOT IN (SELECT fingerprint FROM ablate_run_stages)",
    ) == [(0,)]
    assert (home / "ablate.db").stat().st_size < whole
    assert ran("study", "show", NAME).out == shown
    assert ran("clean").out.startswith("nothing to remove")


def test_a_deleted_study_leaves_no_report_sound_checkpoint_or_link(ran: Command, tmp_path: Path) -> None:
    home = tmp_path / ".ablate"
    report, other = home / "reports" / NAME, home / "reports/other"
    for folder in (report, other):
        (folder / "audio").mkdir(parents=True)
        (folder / "index.html").touch()
        (folder / "summary.json").write_text(f'{{"name": "{folder.name}"}}')
    (home / "audio").mkdir()
    for number, users in enumerate([[report], [report, other]]):
        (home / f"audio/{str(number) * 24}.mp3").write_bytes(bytes([number]))
        for user in users:
            (user / f"audio/{number}.mp3").write_bytes(bytes([number]))
    (training,) = _trainings(home)[0]
    for name in (f"checkpoints/{training}.safetensors", f"checkpoints/{training}.json", f"logs/{training}.log"):
        (home / name).parent.mkdir(exist_ok=True)
        (home / name).touch()
    ask(home, "UPDATE ablate_run_stages SET fingerprint = 'changed' WHERE name = 'generate' AND run_id = 1")
    deleted = ran("study", "delete", NAME, "--yes")
    assert deleted.err == "note: no study uses 1 other result; ablate clean removes them\n"
    assert [path.name for path in (home / "audio").iterdir()] == [f"{'1' * 24}.mp3"]
    assert not [*(home / "checkpoints").iterdir(), *(home / "logs").iterdir()]
    index = (home / "reports/index.html").read_text()
    assert "other/index.html" in index
    assert NAME not in index
    assert not report.exists()
    assert len(list(home.glob("artifacts/*/*/*"))) == 1
    assert "removed 1 result from the database and 3 files and folders" in ran("clean", "--yes").out


def test_studies_of_other_databases_keep_their_files(ran: Command, tmp_path: Path) -> None:
    home, other = tmp_path / ".ablate", f"sqlite:///{tmp_path / 'other.db'}"
    (home / "ablate.db").rename(tmp_path / "other.db")
    again = ran("study", "run", "tau_sweep", "--profile", "smoke", "--no-report", "--workers", "1", "--store", other)
    assert "nothing to run" in again.out
    before = names(home)
    with contextlib.closing(sqlite3.connect(tmp_path / "other.db")) as source:
        source.execute("VACUUM INTO ?", (str(home / "ablate.db"),))
    ask(home, "DELETE FROM ablate_studies")
    for table in ("ablate_variants", "ablate_runs", "ablate_run_stages"):
        ask(home, f"DELETE FROM {table}")
    refused = ran("clean", "--yes")
    assert refused.code == 1
    assert refused.err == (
        f"error: {home} also has files of studies in other databases; name all of them: --store {other}\n"
    )
    removed = ran("clean", "--yes", "--store", other)
    assert "from the database and 0 files and folders" in removed.out
    assert names(home) >= before
    assert "done" in ran("study", "show", NAME, "--store", other).out
    deleted = ran("study", "delete", NAME, "--yes", "--store", other)
    assert deleted.out == f"deleted {NAME}, 0 result folders\n"
    assert "note: files of results stay, for studies in other databases; see: ablate clean --store" in deleted.err
    (tmp_path / "other.db").unlink()
    assert "14 files and folders" in ran("clean", "--yes").out, "a database that is gone has no studies"
