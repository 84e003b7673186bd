"""Bundles from strangers: nothing is written outside the home, and a broken one changes nothing."""

from __future__ import annotations

import json
import shutil
import stat
import struct
import zipfile
from typing import TYPE_CHECKING, Any

import pytest

from ablate.errors import BundleError, UnsafePath
from ablate.store.database.address import home_url
from ablate.store.store import Store
from ablate.study.bundle import records
from ablate.study.bundle.archive import Archive, within_limit
from ablate.study.bundle.unpack import unpack

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Forge = Callable[..., Path]


def refused(path: Path, home: Path) -> str:
    """Return the message with which a bundle is refused, after a look at what it left in the home and beside it."""
    with pytest.raises(BundleError) as caught:
        unpack(path, home, home_url(home))
    message = str(caught.value)
    assert "\n" not in message
    assert str(path) in message
    left = {each.name for each in home.rglob("*") if each.is_file()}
    assert left <= {"ablate.db", "ablate.db-shm", "ablate.db-wal", "run.lock", "ablate.db.run.lock"}
    assert {each.name for each in home.parent.iterdir()} <= {"home", path.name}
    if (home / "ablate.db").is_file():
        with Store(home_url(home)) as store:
            assert store.studies() == []
    return message


@pytest.mark.parametrize(
    "name",
    [
        "/etc/evil",
        "results/./evil",
        "results//evil",
        "../evil",
        "results/../../evil",
        "C:/evil",
        "C:\\evil",
        "results\\..\\evil",
        "..",
        "a:b",
        "\0",
        "a\0b",
    ],
)
def test_a_path_that_leads_elsewhere(name: str, tmp_path: Path, home: Path) -> None:
    path = tmp_path / "bad.zip"
    with zipfile.ZipFile(path, "w") as archive:
        info = zipfile.ZipInfo("x" * len(name))
        archive.writestr(info, b"evil")
    path.write_bytes(path.read_bytes().replace(b"x" * len(name), name.encode()))
    assert "nothing was unpacked" in refused(path, home)


def test_a_link(tmp_path: Path, home: Path) -> None:
    path = tmp_path / "bad.zip"
    with zipfile.ZipFile(path, "w") as archive:
        info = zipfile.ZipInfo("results/link")
        info.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(info, b"/etc/passwd")
    assert "is a link or a device" in refused(path, home)


def test_two_files_of_one_name(tmp_path: Path, home: Path) -> None:
    path = tmp_path / "bad.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a/1", b"one")
        archive.writestr("a/2", b"two")
    path.write_bytes(path.read_bytes().replace(b"a/2", b"a/1"))
    assert "the same name" in refused(path, home)


def test_a_bomb_by_its_declared_size(tmp_path: Path, home: Path) -> None:
    path = tmp_path / "bad.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("zeros", bytes(2**27))
    assert "would unpack to 134,217,728 bytes" in refused(path, home)
    assert not within_limit(2**27, path.stat().st_size)


def test_a_file_that_is_larger_than_it_declares(tmp_path: Path, home: Path) -> None:
    """The directory of the archive declares ten bytes, and the data go on for a million."""
    path = tmp_path / "bad.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("manifest.json", bytes(10**6))
    data, size = path.read_bytes(), struct.pack("<L", 10**6)
    path.write_bytes(data.replace(size, struct.pack("<L", 10)))
    assert "damaged" in refused(path, home)
    with Archive(path) as opened, pytest.raises(BundleError):
        assert sum(map(len, opened.portions("manifest.json"))) <= 10


def test_what_is_no_archive(packed: Path, tmp_path: Path, home: Path) -> None:
    path, data = tmp_path / "bad.zip", packed.read_bytes()
    for content in (b"", b"PK\x03\x04", b"MThd" * 100, data[: len(data) // 2], data[:-30]):
        path.write_bytes(content)
        assert "not a zip file, or damaged" in refused(path, home)
    path.unlink()
    assert "no such file" in refused(path, home)


def test_a_flipped_bit(packed: Path, tmp_path: Path, home: Path) -> None:
    data = bytearray(packed.read_bytes())
    place = data.index(b"weights.safetensors") + 2000  # weights are stored as they are
    data[place] ^= 1
    path = tmp_path / "bad.zip"
    path.write_bytes(data)
    assert "damaged" in refused(path, home)


def test_a_file_that_was_exchanged(forge: Forge, home: Path) -> None:
    path = forge({"index.html": b"<p>B page</p>"}, digests=False)
    assert "index.html is not the file that was bundled (its digest differs)" in refused(path, home)
    path = forge({"index.html": b"longer than it was"}, digests=False)
    assert "index.html is not as its manifest.json lists it" in refused(path, home)
    path = forge({"extra.txt": b"more"}, digests=False)
    assert "extra.txt is not as its manifest.json lists it" in refused(path, home)


def test_a_file_of_a_stage_that_was_exchanged_with_its_entry(packed: Path, forge: Forge, home: Path) -> None:
    with zipfile.ZipFile(packed) as archive:
        name = next(name for name in archive.namelist() if name.endswith("losses.npy"))
    assert "losses.npy is not the file that was recorded with its stage" in refused(forge({name: b"other"}), home)


@pytest.mark.parametrize("manifest", [{"format": 2}, {"schema": "9999"}, {"version": "99.1.0"}], ids=str)
def test_a_bundle_of_a_newer_ablate(manifest: dict[str, Any], forge: Forge, home: Path) -> None:
    assert "which is newer than this one" in refused(forge({}, **manifest), home)


@pytest.mark.parametrize(
    "manifest", [{"format": "x"}, {"files": []}, {"files": {"a": 1}}, {"components": [1]}], ids=str
)
def test_a_damaged_manifest(manifest: dict[str, Any], forge: Forge, home: Path) -> None:
    assert "manifest.json is damaged" in refused(forge({}, **manifest), home)


@pytest.mark.parametrize(
    "name",
    ["results/artifacts/train/../../x", "results/ablate.db", "results/artifacts/train/ab/cd/x", "results/run.lock"],
)
def test_a_result_in_no_folder_of_a_stage(name: str, forge: Forge, home: Path) -> None:
    refused(forge({name: b"evil"}), home)


def stage_lines(packed: Path) -> list[dict[str, Any]]:
    with zipfile.ZipFile(packed) as archive:
        return [json.loads(line) for line in archive.read(records.STAGES).splitlines()]


def as_lines(data: list[Any]) -> bytes:
    return b"".join(json.dumps(each).encode() + b"\n" for each in data)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"artifact": "../../somewhere"}, "is not its own"),
        ({"artifact": "."}, "is not its own"),
        ({"kind": "teleport"}, "kind 'teleport' that this version of ablate does not have"),
        ({"fingerprint": "0" * 64}, "belongs to no run"),
        ({"config": [1]}, "StageRecord.config: [1] is not valid"),
        ({"seconds": "fast"}, "StageRecord.seconds: 'fast' is not valid"),
        ({"seconds": True}, "StageRecord.seconds: True is not valid"),
        ({"device": "\ud800"}, "StageRecord.device"),
        ({"finished": "yesterday"}, "StageRecord.finished: 'yesterday' is no time"),
        ({"more": 1}, "unknown field 'more'"),
        ({"files": {"../up": f"1:{'0' * 64}"}}, "has files with names or digests that are not valid"),
        ({"files": {"losses.npy": "md5"}}, "has files with names or digests that are not valid"),
    ],
    ids=str,
)
def test_a_record_of_a_stage_that_is_not_valid(
    changes: dict[str, Any], message: str, packed: Path, forge: Forge, home: Path
) -> None:
    lines = stage_lines(packed)
    lines[2]["stage"] |= changes
    text = refused(forge({records.STAGES: as_lines(lines)}), home)
    assert f"{records.STAGES}, line 3: " in text
    assert message in text


@pytest.mark.parametrize("line", [b"{", b"[" * 100_000, b"\xff", b"1", b'{"stage": 1}', b"null"], ids=repr)
def test_a_line_that_is_no_record(line: bytes, forge: Forge, home: Path) -> None:
    for name in (records.STAGES, records.RUNS, records.STUDY):
        assert f"{name}, line 1: " in refused(forge({name: line + b"\n"}), home)


def test_measurements_are_checked_too(packed: Path, forge: Forge, home: Path) -> None:
    for row in ([], [0, "m", "f", "high", "1", "lower", 1, ""], [2**70, "m", "f", 1.0, "1", "lower", 1, ""]):
        lines = stage_lines(packed)
        lines[0]["measurements"] = [row]
        assert "line 1: " in refused(forge({records.STAGES: as_lines(lines)}), home)


def test_a_bundle_without_its_records(forge: Forge, home: Path) -> None:
    assert "it is not a bundle of ablate" in refused(forge({records.RUNS: None}), home)


def test_what_fails_at_the_last_step_is_taken_back(forge: Forge, home: Path) -> None:
    """The files are in their places already when the trials turn out to be damaged."""
    assert f"{records.TRIALS}: the trials are damaged" in refused(forge({records.TRIALS: b'{"trials": [1]}'}), home)


def test_a_training_without_its_settings(packed: Path, forge: Forge, home: Path) -> None:
    lines = stage_lines(packed)
    for line in lines:
        line["stage"]["config"] = {}
    assert "a stage has a configuration that is not valid (KeyError" in refused(
        forge({records.STAGES: as_lines(lines)}), home
    )


def test_links_in_the_home_are_replaced_or_refused_and_never_written_through(
    packed: Path, tmp_path: Path, home: Path
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    with zipfile.ZipFile(packed) as archive:
        folder = next(name for name in archive.namelist() if "/artifacts/train/" in name).split("/")[1:5]
    link = home.joinpath(*folder)
    link.parent.mkdir(parents=True)
    link.symlink_to(outside)
    unpack(packed, home, home_url(home))
    assert not link.is_symlink()
    assert (link / "weights.safetensors").is_file()
    assert list(outside.iterdir()) == []

    shutil.rmtree(home)
    (home / "artifacts").mkdir(parents=True)
    (home / "artifacts/train").symlink_to(outside)
    with pytest.raises(UnsafePath, match=r"is behind the link .*/artifacts/train, which is not followed"):
        unpack(packed, home, home_url(home))
    assert list(outside.iterdir()) == []
    with Store(home_url(home)) as store:
        assert store.studies() == []
