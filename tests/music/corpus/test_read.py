"""Reading folders of MIDI files."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import hypothesis.strategies as st
import pytest
from hypothesis import given
from support.midi_bytes import midi, off, on, scale, track

from ablate.errors import CorpusError
from ablate.music.corpus.find import find_midi, piece_names
from ablate.music.corpus.read import corpus_digest, read_corpus, read_files

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "music"
    (root / "b").mkdir(parents=True)
    (root / ".trash").mkdir()
    for name, notes in (("b/one.mid", 3), ("a.MIDI", 4), ("c.mid", 5)):
        (root / name).write_bytes(scale(notes))
    (root / "notes.txt").write_text("no music")
    (root / "._a.mid").write_bytes(b"what macOS leaves in archives")
    (root / ".trash" / "old.mid").write_bytes(b"")
    return root


@pytest.fixture
def spoilt(folder: Path) -> Path:
    (folder / "b" / "empty.mid").touch()
    (folder / "d.mid").write_bytes(scale()[:30])
    return folder


def test_files_are_found_in_subfolders_and_sorted(folder: Path) -> None:
    assert [name for name, _ in find_midi(folder)] == ["a.MIDI", "b/one.mid", "c.mid"]


def test_performances_come_in_the_order_of_the_files(folder: Path) -> None:
    performances, problems, left_out = read_corpus(folder)
    assert [(p.name, len(p)) for p in performances] == [("a", 4), ("b/one", 3), ("c", 5)]
    assert problems == ()
    assert left_out == {"files": 0, "notes": 0}


def test_one_file_is_a_corpus_whatever_its_suffix(folder: Path) -> None:
    file = (folder / "c.mid").rename(folder / "c.smf")
    assert [p.name for p in read_corpus(file).performances] == ["c"]


def test_files_of_one_name_stay_apart(folder: Path) -> None:
    shutil.copy(folder / "c.mid", folder / "b" / "c.mid")
    shutil.copy(folder / "c.mid", folder / "c.midi")
    assert [p.name for p in read_corpus(folder).performances] == ["a", "b/c", "b/one", "c.mid", "c.midi"]


@given(st.lists(st.from_regex(r"([ab]/)?[ab](\.mid)?\.midi?", fullmatch=True), unique=True))
def test_the_names_of_pieces_are_unique_and_do_not_depend_on_the_order(files: list[str]) -> None:
    names = dict(zip(files, piece_names(files), strict=True))
    assert len(set(names.values())) == len(files)
    assert names == dict(zip(files[::-1], piece_names(files[::-1]), strict=True))
    assert all(file.startswith(name) for file, name in names.items())


def test_all_bad_files_are_named_at_once(spoilt: Path) -> None:
    with pytest.raises(CorpusError) as caught:
        read_corpus(spoilt)
    message = str(caught.value)
    assert message.startswith("2 of 5 files cannot be read: b/empty.mid: is empty")
    assert "; d.mid: is cut short" in message
    assert message.endswith("Fix or remove them, or pass --skip-bad")
    assert "\n" not in message


def test_bad_files_can_be_skipped_and_are_named(spoilt: Path) -> None:
    performances, problems, left_out = read_corpus(spoilt, skip_bad=True)
    assert [p.name for p in performances] == ["a", "b/one", "c"]
    assert [problem.split(":")[:2] for problem in problems] == [
        ["b/empty.mid", " left out"],
        ["d.mid", " left out"],
    ]
    assert left_out == {"files": 2, "notes": 0}


def test_a_folder_of_bad_files_cannot_be_skipped(tmp_path: Path) -> None:
    for name in ("x.mid", "y.mid"):
        (tmp_path / name).touch()
    with pytest.raises(CorpusError, match=r"none of the 2 files can be read: x\.mid: is empty"):
        read_corpus(tmp_path, skip_bad=True)


def test_one_bad_file_says_so_in_its_own_words(tmp_path: Path) -> None:
    (tmp_path / "x.mid").touch()
    with pytest.raises(CorpusError, match=r"^x\.mid: is empty"):
        read_corpus(tmp_path / "x.mid")


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("nothing", "no such file or folder"),
        ("", "holds no MIDI file"),
        ("a\0b", "embedded null|no such file"),
    ],
)
def test_nothing_to_read(path: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match=message):
        read_corpus(f"{tmp_path}/{path}")


def test_odd_files_are_read_and_named(folder: Path) -> None:
    data = midi(track([(0, on(60)), (9, off(60)), (0, on(62))]))
    (folder / "b" / "odd.mid").write_bytes(data)
    performances, problems, left_out = read_corpus(folder)
    assert len(performances) == 4
    assert problems == ("b/odd.mid: 1 of 2 notes left out: 1 never ended",)
    assert left_out == {"files": 0, "notes": 1}


def test_reading_file_by_file_keeps_going(spoilt: Path) -> None:
    readings = {reading.name: reading for reading in read_files(spoilt)}
    assert len(readings) == 5
    assert readings["b/empty.mid"].performance is None
    assert readings["b/empty.mid"].problems == ("is empty; get a whole copy of it",)


def test_a_moved_folder_is_the_same_corpus(folder: Path, tmp_path: Path) -> None:
    before = corpus_digest(folder)
    (folder / "notes.txt").write_text("other words")
    moved = folder.rename(tmp_path / "elsewhere")
    assert corpus_digest(moved) == before
    assert len(before) == 64


@pytest.mark.parametrize("change", ["rename", "rename the folder of", "edit", "add", "remove"])
def test_other_files_are_another_corpus(change: str, folder: Path) -> None:
    before = corpus_digest(folder)
    file = folder / "c.mid"
    if change == "rename":
        file.rename(folder / "d.mid")
    elif change == "rename the folder of":
        (folder / "b").rename(folder / "bb")
    elif change == "edit":
        file.write_bytes(scale(6))
    elif change == "add":
        shutil.copy(file, folder / "d.mid")
    else:
        file.unlink()
    assert corpus_digest(folder) != before
