"""Whatever is fed to the commands: one clear line, a non-zero exit, nothing lost."""

from __future__ import annotations

import os
import shlex
import sqlite3
import stat
from typing import TYPE_CHECKING

import pretty_midi
import pytest

import ablate as library

if TYPE_CHECKING:
    from pathlib import Path

    from support.commands import Command, Outcome

SMALL = [
    *("--set", "training.steps=2", "--set", "model.lstm.hidden=8", "--set", "generation.tokens=60"),
    *("--replicates", "1", "--workers", "1", "--no-report", "--set", "training.window=8"),
    *("--set", "floors.draws=0"),
]
#: Two variants instead of five.
TWO = ("--set", "axes.sampler.temperature.tau=[1.0, 1.2]")


def scale(**changes: object) -> bytes:
    notes = [(60 + i, 64, 0.5 * i, 0.5 * i + 0.4) for i in range(8)]
    return library.Performance.from_notes(notes).replace(**changes).midi_bytes()


def refusal(outcome: Outcome, code: int = 1) -> str:
    """The one line of an error."""
    assert outcome.code == code, outcome
    (line,) = outcome.err.splitlines()
    assert line.startswith("error: ")
    return line.removeprefix("error: ")


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "empty"),
        (b"this is no music", "is no MIDI file"),
        (scale()[:40], "cut short"),
        (library.Performance.from_notes([]).midi_bytes(), "no notes"),
    ],
    ids=["empty", "text", "truncated", "no notes"],
)
def test_a_file_without_music(ablate: Command, tmp_path: Path, data: bytes, reason: str) -> None:
    (tmp_path / "bad.mid").write_bytes(data)
    planned = ablate("study", "plan", "tau_sweep", "--profile", "smoke", "--corpus", "bad.mid")
    assert (planned.code, planned.out) == (1, ""), "no run of this plan could start"
    assert planned.err.startswith("error: bad.mid: ")
    assert reason in planned.err
    outcome = ablate("study", "run", "tau_sweep", "--corpus", "bad.mid", *SMALL)
    assert outcome.code == 1
    assert "Traceback" not in outcome.err
    (failed,) = [line for line in outcome.err.splitlines() if line.startswith("failed: ")]
    assert failed.startswith("failed: tau=0.6, replicate 0; tau=0.8, replicate 0; tau=1.0, replicate 0; and 2 more: ")
    assert "bad.mid" in failed
    assert reason in failed
    last = outcome.err.splitlines()[-1]
    assert last.startswith("error: 5 runs failed before training, so nothing was trained; see: ablate study show ")
    inspected = ablate("corpus", "inspect", "bad.mid")
    assert inspected.code == 1
    assert reason in inspected.out
    tokens = ablate("corpus", "tokens", "bad.mid", "--tokenizer", "midilike")
    assert reason in refusal(tokens)


def test_one_bad_file_among_good_ones(ablate: Command, tmp_path: Path) -> None:
    folder = tmp_path / "music"
    folder.mkdir()
    for name in ("a", "b"):
        (folder / f"{name}.mid").write_bytes(scale())
    (folder / "bad.mid").write_bytes(b"MThd")
    words = ["study", "run", "tau_sweep", "--corpus", "music", *TWO, *SMALL]
    refused = ablate(*words)
    assert refused.code == 1
    assert "1 of 3 files cannot be read: bad.mid" in refused.err
    assert "--skip-bad" in refused.err

    plan = ["plan" if word == "run" else word for word in words if word != "--no-report"]
    planned = [ablate(*plan, *skip) for skip in ((), ("--skip-bad",))]
    assert (planned[0].code, planned[0].out) == (1, ""), "no run of this plan could start"
    assert "error: 1 of 3 files cannot be read: bad.mid" in planned[0].err
    assert "note: 1 of 3 files left out\n" in planned[1].out

    passed = ablate(*words, "--skip-bad")
    assert passed.code == 0, passed.err
    assert "bad.mid: left out" in passed.err

    again = ablate(*words, "--name", "again")
    assert again.code == 1, "what was skipped once must not pass later without being asked"

    inspected = ablate("corpus", "inspect", "music")
    assert inspected.code == 0
    assert "total: 1 of 3 files cannot be read\n" in inspected.out


def test_a_folder_of_bad_files_does_not_flood_the_terminal(ablate: Command, tmp_path: Path) -> None:
    folder = tmp_path / "music"
    folder.mkdir()
    (folder / "good.mid").write_bytes(scale())
    for index in range(30):
        (folder / f"bad {index:02}.mid").write_bytes(b"MThd")
    words = ("study", "run", "tau_sweep", "--corpus", "music", *TWO, *SMALL)
    early, refused = [line for line in ablate(*words).err.splitlines() if "CorpusError: " in line]
    assert early.startswith("load corpus tau=1.0 and 1 other, replicate 0: failed: CorpusError: 30 of 31 files cannot ")
    assert len(early) < 320
    assert early.endswith(" …")
    assert refused.startswith("failed: ")
    assert "30 of 31 files cannot be read: bad 00.mid: " in refused
    where = shlex.quote(str(folder))
    more = f"; and 20 more; ablate corpus inspect {where} --json lists all. Fix or remove them, or pass --skip-bad"
    assert more in refused
    assert refused.count(" bad ") == 10
    passed = ablate(*words, "--skip-bad")
    assert passed.code == 0
    note, *lines = [line for line in passed.err.splitlines() if line.startswith("load corpus: ")]
    assert "the corpus has only 8 notes" in note
    assert lines[0] == "load corpus: 30 of 31 files left out"
    assert len(lines) == 13
    assert lines[11] == "load corpus: and 20 more; the report lists all"
    shown = ablate("corpus", "inspect", "music").out
    assert shown.count("problem: bad ") == 10
    assert "problem: and 20 more; --json lists all\ntotal: 30 of 31 files cannot be read" in shown


def test_notes_outside_the_keyboard_are_left_out_and_shown(ablate: Command, tmp_path: Path) -> None:
    notes = [(pitch, 64, 0.5 * i, 0.5 * i + 0.4) for i, pitch in enumerate((5, 60, 62, 120))]
    (tmp_path / "wide.mid").write_bytes(library.Performance.from_notes(notes).midi_bytes())
    shown = ablate("corpus", "inspect", "wide.mid", "--tokenizer", "midilike-classic", "--json")
    import json

    report = json.loads(shown.out)
    assert report["total"]["out_of_range_notes"] == 2
    assert report["round_trip"]["lost_notes"] == 2
    words = ablate("corpus", "tokens", "wide.mid", "--tokenizer", "midilike-classic", "--format", "text").out
    assert [line for line in words.splitlines() if line.startswith("note_on")] == ["note_on 60", "note_on 62"]


def test_a_corpus_all_outside_the_keyboard(ablate: Command, tmp_path: Path) -> None:
    notes = [(120, 64, 0.5 * i, 0.5 * i + 0.4) for i in range(8)]
    (tmp_path / "high.mid").write_bytes(library.Performance.from_notes(notes).midi_bytes())
    outcome = ablate("study", "run", "tau_sweep", "--corpus", "high.mid", *SMALL)
    assert outcome.code == 1
    assert "tokenizer 'midilike-classic' finds nothing to learn in 'high'" in outcome.err


def test_zero_length_notes_are_counted(ablate: Command, tmp_path: Path) -> None:
    midi = pretty_midi.PrettyMIDI()
    midi.instruments.append(pretty_midi.Instrument(0))
    midi.instruments[0].notes = [pretty_midi.Note(64, 60, 0.0, 0.5), pretty_midi.Note(64, 62, 1.0, 1.0)]
    midi.write(str(tmp_path / "zero.mid"))
    outcome = ablate("corpus", "inspect", "zero.mid")
    assert outcome.code == 0
    assert "problem: zero.mid: " in outcome.out


@pytest.mark.parametrize("text", ["= broken", "a = [1", '"'])
def test_a_broken_study_file(ablate: Command, tmp_path: Path, text: str) -> None:
    (tmp_path / "broken.toml").write_text(text)
    assert refusal(ablate("study", "run", "broken.toml")).startswith("broken.toml: is not valid TOML: ")


def test_a_folder_is_no_study_file(ablate: Command, tmp_path: Path) -> None:
    (tmp_path / "folder.toml").mkdir()
    assert refusal(ablate("study", "run", "folder.toml")) == "folder.toml: is a folder, not a study file"


def test_an_unwritable_home(ablate: Command, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    line = refusal(ablate("study", "run", "tau_sweep", "--home", str(tmp_path / "file" / "home"), *SMALL))
    assert line.startswith(f"cannot write to {tmp_path}/file/home (Not a directory); choose another folder")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_read_only_home(ablate: Command, tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    home.chmod(stat.S_IRUSR | stat.S_IXUSR)
    assert refusal(ablate("study", "run", "tau_sweep", "--home", str(home), *SMALL)).startswith("cannot write to")


def test_a_database_that_is_not_ours(ablate: Command, tmp_path: Path) -> None:
    home = tmp_path / ".ablate"
    home.mkdir()
    connection = sqlite3.connect(home / "ablate.db")
    connection.execute("CREATE TABLE recipes (name TEXT)")
    connection.execute("INSERT INTO recipes VALUES ('soup')")
    connection.commit()
    connection.close()
    line = refusal(ablate("study", "run", "tau_sweep", *SMALL))
    assert line.endswith("is not a database of ablate (it holds recipes); choose another --home or --store")
    connection = sqlite3.connect(home / "ablate.db")
    assert connection.execute("SELECT * FROM recipes").fetchall() == [("soup",)]
    assert connection.execute("SELECT name FROM sqlite_master").fetchall() == [("recipes",)]
    connection.close()

    (home / "ablate.db").write_bytes(b"no database at all" * 100)
    assert "file is not a database" in refusal(ablate("study", "list"))


@pytest.mark.parametrize(
    ("words", "expected", "code"),
    [
        (["study", "run", "tau_swep"], "unknown study 'tau_swep'; did you mean 'tau_sweep'?", 2),
        (["study", "run", "tau_sweep", "--profile", "smok"], "no profile 'smok'; did you mean 'smoke'?", 2),
        (["study", "run", "tau_sweep", "--device", "cuda:9"], "--device cuda:9: ", 2),
        (["study", "run", "tau_sweep", "--device", "gpu"], "--device gpu: choose auto, cpu, cuda or cuda:N", 2),
        (["study", "run", "tau_sweep", "--set", "training.steps"], "--set training.steps: write it as key.path=", 2),
        (
            ["study", "run", "tau_sweep", "--set", "training.stepz=3"],
            "--set training.stepz: [training] has no setting 'stepz'",
            2,
        ),
        (["study", "run", "tau_sweep", "--corpus", "nowhere.mid"], "--corpus nowhere.mid: no such file or folder", 2),
        (["study", "run", "tau_sweep", "--store", "nonsense"], "--store nonsense: no usable database URL", 2),
        (["study", "show", "tau_sweep"], "no studies have been run in /", 1),
        (["study", "report", "tau_sweep"], "no studies have been run in /", 1),
        (["corpus", "tokens", "x.mid", "--tokenizer", "midilike"], "x.mid: no such file; check the path", 2),
        (["corpus", "inspect", "bach-prelude", "--tokenizer", "midilik"], "tokenizer 'midilik'; did you mean", 2),
        (["corpus", "inspect", "nowhere"], "nowhere: no such file or folder, and no corpus of that name", 2),
        (["corpus", "inspect", "bach-preluda"], "no corpus of that name; did you mean 'bach-prelude'?", 2),
        (["plugin", "show", "lstn"], "unknown component 'lstn'; did you mean 'lstm'?", 2),
        (["db", "upgrade"], "there is no database in .ablate", 1),
    ],
)
def test_words_that_mean_nothing(ablate: Command, words: list[str], expected: str, code: int) -> None:
    assert expected in refusal(ablate(*words), code)


def test_a_setting_out_of_bounds_names_file_and_key(ablate: Command) -> None:
    line = refusal(ablate("study", "run", "tau_sweep", "--set", "training.steps=0"))
    assert "tau_sweep.toml: training.steps: " in line


@pytest.mark.parametrize("words", [["list"], ["show", "tau_sweep"], ["run", "tau_sweep", "--profile", "smoke"]])
@pytest.mark.parametrize(
    ("store", "problem"),
    [
        ("", "--store is empty; leave it out to use the database of the home"),
        ("sqlite:///{folder}", "{folder} is a folder, and no database; choose another --home or --store"),
        ("sqlite:////dev/null", "/dev/null is no ordinary file, and no database; choose another --home or --store"),
    ],
)
def test_a_store_that_is_no_file(ablate: Command, tmp_path: Path, words: list[str], store: str, problem: str) -> None:
    outcome = ablate("study", *words, "--home", str(tmp_path / "home"), "--store", store.format(folder=tmp_path))
    assert (outcome.code, outcome.out) == (1 if store else 2, "")
    assert outcome.err.splitlines()[-1].lower() == f"error: {problem.format(folder=tmp_path)}".lower()
