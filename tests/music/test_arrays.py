from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from ablate.music import arrays
from ablate.music.performance import DRUMS, NOTE_DTYPE, Performance
from ablate.music.storage import read_instrument, read_performances, write_performances

if TYPE_CHECKING:
    from pathlib import Path

ARRAYS: dict[str, Any] = {
    "tokens": np.arange(700, dtype=np.int32),
    "conditions": np.random.default_rng(0).normal(size=(700, 3)).astype(np.float32),
    "notes": np.array([(60, 64, 0.5, 1.0, 0), (61, 65, 0.75, 2.0, 128)], NOTE_DTYPE),
    "none": np.empty((0, 2)),
}


def written(path: Path) -> Path:
    with path.open("wb") as file:
        writer = arrays.Writer(file)
        for name, array in ARRAYS.items():
            writer.parts(name, np.array_split(array, 3), len(array), array.dtype, array.shape[1:])
        writer.close()
    return path


@pytest.fixture(params=["whole", "mapped"])
def how(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    if request.param == "mapped":
        monkeypatch.setattr(arrays, "MAPPED_FROM", 0)
    return str(request.param)


def test_what_is_written_in_parts_is_read_whole_or_mapped(tmp_path: Path, how: str) -> None:
    found = arrays.read(written(tmp_path / "a.npz"))
    assert list(found) == list(ARRAYS)
    for name, array in ARRAYS.items():
        assert found[name].dtype == array.dtype
        assert np.array_equal(found[name], array)
        assert found[name].flags.writeable == (how == "whole" or name == "none")


def test_numpy_reads_it_too(tmp_path: Path) -> None:
    with np.load(written(tmp_path / "a.npz"), allow_pickle=False) as data:
        assert all(np.array_equal(data[name], array) for name, array in ARRAYS.items())


def test_the_same_arrays_give_the_same_bytes(tmp_path: Path) -> None:
    assert written(tmp_path / "a.npz").read_bytes() == written(tmp_path / "b.npz").read_bytes()


def test_performances_come_back(tmp_path: Path, how: str) -> None:
    pieces = [
        Performance.from_notes([(60 + i, 64, 0.0, 1.0 + i)] * i, name=f"piece {i}").labelled(tempo=i) for i in range(4)
    ]
    with (tmp_path / "p.npz").open("wb") as file:
        write_performances(pieces, file)
    for piece, found in zip(pieces, read_performances(tmp_path / "p.npz"), strict=True):
        assert np.array_equal(piece.notes, found.notes)
        assert (piece.name, dict(piece.labels)) == (found.name, dict(found.labels))


@pytest.mark.parametrize("damage", ["cut short", "no archive", "empty", "compressed", "overwritten"])
def test_a_damaged_file_is_a_value_error(tmp_path: Path, how: str, damage: str) -> None:
    path = written(tmp_path / "a.npz")
    data = path.read_bytes()
    if damage == "compressed":
        if how == "whole":
            return  # NumPy reads those
        np.savez_compressed(path, **ARRAYS)
    else:
        broken = {"cut short": data[: len(data) // 2], "no archive": b"music", "empty": b""}
        path.write_bytes(broken.get(damage, b"\0" * 200 + data[200:]))
    with pytest.raises(ValueError, match="is damaged: "):
        arrays.read(path)


def test_a_wrong_length_is_told(tmp_path: Path) -> None:
    writer = arrays.Writer(io.BytesIO())
    with pytest.raises(ValueError, match="has 3 entries, not 4"):
        writer.parts("tokens", [np.arange(3)], 4, np.int64)


def test_instruments_and_track_names_are_kept(tmp_path: Path) -> None:
    piece = Performance.from_notes(
        [(60, 64, 0.0, 1.0), (36, 90, 0.5, 0.75, 128)], track_names={0: "Klavier", 128: "鼓"}
    )
    with (tmp_path / "p.npz").open("wb") as file:
        write_performances([piece], file)
    (found,) = read_performances(tmp_path / "p.npz")
    assert found.notes["instrument"].tolist() == [0, 128]
    assert found.track_names == {0: "Klavier", 128: "鼓"}


def test_files_from_before_instruments_are_read_as_piano(tmp_path: Path) -> None:
    old_note = np.dtype([("pitch", "i2"), ("velocity", "i2"), ("start", "f8"), ("end", "f8")])
    old_pedal = np.dtype([("time", "f8"), ("controller", "i2"), ("value", "i2")])
    with (tmp_path / "p.npz").open("wb") as file:
        writer = arrays.Writer(file)
        for name, records in {
            "notes": np.array([(60, 64, 0.5, 1.0)], old_note),
            "pedals": np.array([(0.25, 64, 127)], old_pedal),
            "primers": np.empty(0, old_note),
        }.items():
            writer.array(name, records)
            writer.array(f"{name}_counts", np.array([len(records)]))
        about = b'[{"name": "a", "labels": {}, "primer_seconds": 0.0}]'
        writer.array("about", np.frombuffer(about, np.uint8))
        writer.close()
    (found,) = read_performances(tmp_path / "p.npz")
    assert found.notes.tolist() == [(60, 64, 0.5, 1.0, 0)]
    assert found.pedals.tolist() == [(0.25, 64, 127, 0)]
    assert found.name == "a"


@pytest.mark.parametrize("number", [1, 40, DRUMS])
def test_the_instrument_of_a_corpus(tmp_path: Path, number: int) -> None:
    path = tmp_path / "instrument.txt"
    assert read_instrument(path) == 0
    path.write_bytes(str(number).encode())
    assert read_instrument(path) == number


@pytest.mark.parametrize("data", [b"", b"piano", b"-1", b"129", b"1_2", b" 4", b"40\n", b"\0\0", b"9" * 5000])
def test_a_damaged_instrument_is_a_value_error(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "instrument.txt"
    path.write_bytes(data)
    with pytest.raises(ValueError, match=r"instrument\.txt is damaged: it has no number of an instrument, 0 to 128"):
        read_instrument(path)
