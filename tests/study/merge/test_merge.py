"""Homes are merged: equal to a local run, again without a change, with conflicts and damage named."""

from __future__ import annotations

import contextlib
import hashlib
import json
import shutil
import sqlite3
from typing import TYPE_CHECKING, Any

import pytest
from compare_homes import contents

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from support.commands import Command, Outcome

    Copied = Callable[[str], Path]


@pytest.fixture
def merge(ablate: Command, tmp_path: Path) -> Callable[..., Outcome]:
    """Return a function that merges homes into the home ``all`` in the folder of the test."""
    return lambda *homes: ablate("db", "merge", *map(str, homes), "--home", str(tmp_path / "all"))


def change(home: Path, *statements: str) -> None:
    with contextlib.closing(sqlite3.connect(home / "ablate.db")) as opened, opened:
        opened.execute("PRAGMA foreign_keys = ON")
        for statement in statements:
            assert opened.execute(statement).rowcount >= 1


def bytes_of(folder: Path) -> dict[str, str]:
    paths = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}


def of_kind(home: Path, kind: str) -> list[str]:
    with contextlib.closing(sqlite3.connect(home / "ablate.db")) as opened:
        query = "SELECT fingerprint FROM ablate_stages WHERE kind = ? ORDER BY fingerprint"
        return [row[0] for row in opened.execute(query, (kind,))]


def test_shards_merged_are_the_local_run(merge: Callable[..., Outcome], homes: Path, tmp_path: Path) -> None:
    before = bytes_of(homes / "1") | bytes_of(homes / "2")
    done = merge(homes / "1", homes / "2")
    assert (done.code, done.err) == (0, "")
    assert "small: 8 of 8 runs done" in done.out
    assert contents(tmp_path / "all") == contents(homes / "local")
    assert bytes_of(homes / "1") | bytes_of(homes / "2") == before

    again = merge(homes / "2", homes / "1", homes / "local")
    assert (again.code, again.err) == (0, "")
    assert "added" not in again.out
    assert contents(tmp_path / "all") == contents(homes / "local")


def test_nothing_runs_again_and_nothing_says_that_it_is_a_part(
    merge: Callable[..., Outcome], ablate: Command, homes: Path, small: Path, tmp_path: Path
) -> None:
    first = merge(homes / "1")
    assert "small: 4 of 8 runs done" in first.out
    assert "This is a part of the study, shard 1/2" in ablate("study", "show", "small", "--home", "all").out
    merge(homes / "2")
    assert "This is a part" not in ablate("study", "show", "small", "--home", "all").out
    words = ("study", "run", str(small), "--home", "all", "--no-report", "--workers", "1")
    assert "nothing to run: all results exist" in ablate(*words).out
    assert "all is as it was recorded" in ablate("db", "check", "--home", "all").out
    query = "SELECT state, count(*) FROM trials GROUP BY state"
    trials = []
    for home in (tmp_path / "all", homes / "local"):
        with contextlib.closing(sqlite3.connect(home / "ablate.db")) as opened:
            trials.append(opened.execute(query).fetchall())
    assert trials[0] == trials[1]


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("UPDATE ablate_measurements SET value = value + 1e-12 WHERE fingerprint = '{f}' AND id % 2", "measurement"),
        ("UPDATE ablate_histograms SET edges = '[0, 1]', reference = '[1]', generated = '[1]'", "histogram"),
        ("UPDATE ablate_stages SET kind = 'resample' WHERE fingerprint = '{f}'", "its kind"),
        ("UPDATE ablate_stages SET result = '{{\"samples\": 7}}' WHERE fingerprint = '{f}'", "result"),
    ],
)
def test_a_conflict_is_named_and_nothing_is_replaced(
    merge: Callable[..., Outcome], homes: Path, copied: Copied, tmp_path: Path, statement: str, words: str
) -> None:
    other = copied("local")
    change(other, statement.format(f=of_kind(other, "measure")[0]))
    merge(homes / "1", homes / "2")
    before = contents(tmp_path / "all")
    done = merge(other)
    assert done.code == 1
    assert done.err.startswith("not merged: ")
    assert f"of small in {other}: it differs in" in done.err
    assert words in done.err
    assert contents(tmp_path / "all") == before


def test_what_comes_from_another_training_is_left_out_and_the_rest_is_merged(
    merge: Callable[..., Outcome], homes: Path, copied: Copied, tmp_path: Path
) -> None:
    other = copied("local")
    trained = next(f for f in of_kind(other, "train") if f in of_kind(homes / "1", "train"))
    change(other, f"UPDATE ablate_stages SET files = json_set(files, '$.\"losses.npy\"', '1:{'0' * 64}') "
                  f"WHERE fingerprint = '{trained}'")  # fmt: skip
    # the first home has this training, and nothing that comes from it
    first = copied("1")
    gone = of_kind(first, "generate") + of_kind(first, "measure") + of_kind(first, "resample")
    change(first, *(f"DELETE FROM ablate_stages WHERE fingerprint = '{f}'" for f in gone))
    change(first, "UPDATE ablate_runs SET state = 'pending'")
    done = merge(first, other)
    assert done.code == 1
    assert f"train {trained} of small in {other}: it differs in file losses.npy" in done.err
    assert done.err.count("not merged: ") == 1
    assert "6 left out that come from a conflict" in done.out  # two variants: generation, measurement, resampling
    assert "small: 6 of 8 runs done" in done.out
    merge(homes / "1")
    assert contents(tmp_path / "all") == contents(homes / "local")


@pytest.mark.parametrize("way", ["flipped", "cut", "removed", "link out", "folder is a link", "pipe"])
def test_a_damaged_file_is_never_merged(
    merge: Callable[..., Outcome], homes: Path, copied: Copied, tmp_path: Path, way: str
) -> None:
    import os

    other = copied("2")
    trained = of_kind(other, "train")[0]
    folder = other / "artifacts/train" / trained[:2] / trained
    file = folder / "weights.safetensors"
    data = file.read_bytes()
    secret = tmp_path / "secret"
    file.unlink()
    if way == "flipped":
        file.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    elif way == "cut":
        file.write_bytes(data[:100])
    elif way == "link out":
        secret.write_bytes(data)  # even with the right content
        file.symlink_to(secret)
    elif way == "pipe":
        os.mkfifo(file)
    elif way == "folder is a link":
        file.write_bytes(data)
        shutil.move(folder, secret)
        folder.symlink_to(secret)
    done = merge(other)
    assert done.code == 1
    assert f"not merged: train {trained} of small in {other}: it is left out: artifacts/train/" in done.err
    assert not (tmp_path / "all/artifacts/train" / trained[:2] / trained).exists()
    assert trained not in of_kind(tmp_path / "all", "train")
    # it is in the other homes, and the rest was merged
    assert merge(homes / "local").code == 0
    assert contents(tmp_path / "all") == contents(homes / "local")


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("artifact", "../../outside"),
        ("artifact", "/etc"),
        ("artifact", "artifacts/load/aa/other"),
        ("files", json.dumps({"../../../../../escape": f"0:{'0' * 64}"})),
        ("files", json.dumps({"/etc/passwd": f"0:{'0' * 64}"})),
        ("files", json.dumps({"weights.safetensors": "no digest"})),
        ("kind", "novelty"),
    ],
)
def test_a_foreign_row_leads_nowhere(
    merge: Callable[..., Outcome], copied: Copied, tmp_path: Path, column: str, value: str
) -> None:
    other = copied("1")
    trained = of_kind(other, "train")[0]
    change(other, f"UPDATE ablate_stages SET {column} = '{value}' WHERE fingerprint = '{trained}'")
    before = {path for path in tmp_path.rglob("*") if "all" not in path.parts}
    done = merge(other)
    assert done.code == 1
    assert "Traceback" not in done.err
    outside = {path for path in tmp_path.rglob("*") if "all" not in path.relative_to(tmp_path).parts}
    assert outside - before <= {tmp_path / "all"}
    if (tmp_path / "all/ablate.db").exists():
        assert trained not in of_kind(tmp_path / "all", "train")


def test_lost_files_of_the_home_come_back(merge: Callable[..., Outcome], homes: Path, tmp_path: Path) -> None:
    merge(homes / "1", homes / "2")
    files = sorted((tmp_path / "all/artifacts/train").rglob("weights.safetensors"))
    files[0].unlink()
    shutil.rmtree(files[1].parent)
    files[2].write_bytes(b"")
    assert merge(homes / "1", homes / "2").code == 0
    assert contents(tmp_path / "all") == contents(homes / "local")


def test_nothing_is_written_through_links_of_the_home(
    merge: Callable[..., Outcome], homes: Path, tmp_path: Path
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (tmp_path / "all/artifacts").mkdir(parents=True)
    (tmp_path / "all/artifacts/train").symlink_to(outside)
    assert merge(homes / "1").code == 1
    assert not list(outside.iterdir())


def test_a_study_of_the_same_name_that_is_another_is_named(
    merge: Callable[..., Outcome], ablate: Command, homes: Path, small: Path, tmp_path: Path
) -> None:
    words = ("study", "run", str(small), "--home", "other", "--name", "small", "--workers", "1", "--no-report")
    assert ablate(*words, "--seed", "9", "--shard", "1/4").code == 0
    merge(homes / "1", homes / "2")
    done = merge("other")
    assert done.code == 1
    assert "study of small in other: it differs from the study of this name in the seed and" in done.err
    assert "--name" in done.err
    assert "small: " not in done.out
    assert "8 of 8 runs done" in merge(homes / "1").out


PROGRAM = """
question = "Does it run?"
replicates = 2
[program]
command = ["python3", "program.py", "{out}", "{lr}", "{seed}"]
inputs = ["program.py"]
metrics = "m.json"
directions = {loss = "lower"}
[parameters]
lr = 0.1
[axes]
parameters.lr = [0.1]
[baseline]
parameters.lr = 0.1
"""


def test_what_a_program_prints_and_its_links_are_no_conflict(
    merge: Callable[..., Outcome], ablate: Command, tmp_path: Path
) -> None:
    (tmp_path / "program.toml").write_text(PROGRAM)
    lines = (
        "import os, sys",
        "os.chdir(sys.argv[1])",
        "print(os.getcwd())",
        "open('m.json', 'w').write('{\"loss\": 1}')",
        "os.mkdir('own')",
        "open('own/a', 'w').write('a')",
        "os.symlink('/etc/passwd', 'own/link')",
    )
    (tmp_path / "program.py").write_text("\n".join(lines))
    for name, shard in (("one", "1/2"), ("two", "2/2"), ("again", "1/2")):
        words = ("study", "run", "program.toml", "--workers", "1", "--home", name, "--shard", shard)
        done = ablate(*words)
        assert done.code == 0, done.err
        assert "1 of its 1 run done" in done.out
    done = merge("one", "two", "again")
    assert (done.code, done.err) == (0, "")
    assert "program: 2 of 2 runs done" in done.out
    copied = [path for path in (tmp_path / "all/artifacts").rglob("*") if path.parent.name == "own"]
    assert sorted(path.name for path in copied) == ["a", "a"]
    assert "all is as it was recorded" in ablate("db", "check", "--home", "all").out


def test_homes_that_cannot_be_merged_are_one_line(
    merge: Callable[..., Outcome], homes: Path, copied: Copied, tmp_path: Path
) -> None:
    (tmp_path / "empty").mkdir()
    for home in ("nowhere", "empty"):
        done = merge(homes / "1", home)
        assert done.code == 1
        assert done.err == f"error: {home} is no home with results: it has no ablate.db; nothing was merged\n"
    assert "it has no ablate.db; name the 3 homes in it (" in merge(homes).err
    assert not (tmp_path / "all/ablate.db").exists()
    merge(homes / "1")
    assert merge(tmp_path / "all").code == 2
    other = copied("2")
    change(other, "UPDATE ablate_measurements SET value = 'much' WHERE id = 1")
    done = merge(other)
    assert done.code == 1
    assert done.err.count("\n") == 1
    assert "table ablate_measurements" in done.err


def test_a_home_that_is_only_read_stays_as_it_is(merge: Callable[..., Outcome], copied: Copied, tmp_path: Path) -> None:
    other = copied("1")
    before = bytes_of(other)
    for path in [other, *other.rglob("*")]:
        path.chmod(0o555 if path.is_dir() else 0o444)
    try:
        assert merge(other).code == 0
        assert bytes_of(other) == before
    finally:
        for path in [other, *other.rglob("*")]:
            path.chmod(0o755)


def test_json_has_everything(ablate: Command, homes: Path) -> None:
    words = ("db", "merge", str(homes / "1"), str(homes / "2"), "--home", "all", "--json")
    facts: dict[str, Any] = json.loads(ablate(*words).out)
    assert facts["studies"] == {"small": [8, 8]}
    assert facts["conflicts"] == []
    assert [each["home"] for each in facts["homes"]] == [str(homes / "1"), str(homes / "2")]
