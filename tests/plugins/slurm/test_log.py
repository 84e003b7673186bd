"""Messages in files: in order, each once, whole or not at all, and only those of this user."""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING, Any

import pytest

from ablate_slurm import log
from ablate_slurm.log import Reader, Writer, read_own
from ablate_slurm.node.signs import Signs, new_memory

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture
def sides(tmp_path: Path) -> tuple[Writer, Reader]:
    writer = Writer(tmp_path, "to")
    writer.create()
    return writer, Reader(tmp_path, "to")


def test_messages_come_in_order_and_once(sides: tuple[Writer, Reader]) -> None:
    writer, reader = sides
    assert reader.read() == []
    writer.write([1, 2])
    writer.write(["three"])
    assert reader.read() == [1, 2, "three"]
    assert reader.read() == []


def test_a_long_file_is_followed_by_another_one(
    sides: tuple[Writer, Reader], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log, "_LONG", 1000)
    writer, reader = sides
    messages = [os.urandom(400) for _ in range(20)]
    for count, message in enumerate(messages):
        writer.write([message])
        assert count % 7 or reader.read() == messages[max(0, count - 6) : count + 1]
    assert reader.read() == messages[15:]
    assert len(list(tmp_path.iterdir())) == 1


def test_half_a_message_is_read_when_it_is_whole(sides: tuple[Writer, Reader], tmp_path: Path) -> None:
    writer, reader = sides
    writer.write(["message"])
    path = tmp_path / "to.0"
    data = path.read_bytes()
    for count in range(len(data)):
        path.write_bytes(data[:count])
        assert reader.read() == []
    path.write_bytes(data[:-1] + b"?")  # a file server may show the size before the bytes
    assert reader.read() == []
    path.write_bytes(data)
    assert reader.read() == ["message"]


def test_what_stays_damaged_is_an_error(
    sides: tuple[Writer, Reader], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log, "_PATIENCE", -1)
    writer, reader = sides
    writer.write(["message"])
    path = tmp_path / "to.0"
    path.write_bytes(path.read_bytes()[:-1] + b"?")
    with pytest.raises(OSError, match="is damaged"):
        reader.read()


def test_a_file_server_that_is_away_for_a_moment_loses_nothing(
    sides: tuple[Writer, Reader], monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object) -> bytes:
        raise OSError(errno.ESTALE, "stale")

    writer, reader = sides
    writer.write(["message"])
    with monkeypatch.context() as without:
        without.setattr(log, "_open_own", away)
        assert reader.read() == []
    assert reader.read() == ["message"]


@pytest.mark.parametrize("fails", [1, 2, 3])
def test_a_full_disk_at_the_change_of_files_loses_and_doubles_nothing(
    sides: tuple[Writer, Reader], monkeypatch: pytest.MonkeyPatch, fails: int
) -> None:
    writer, reader = sides
    monkeypatch.setattr(log, "_LONG", 100)
    writer.write([b"x" * 200])
    calls = iter(range(1, 100))

    def full(real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any) -> Any:
            if next(calls) == fails:
                raise OSError(errno.ENOSPC, "No space left on device")
            return real(*arguments)

        return call

    with monkeypatch.context() as without:  # at the new file, at the pointer to it, at the message
        for name in ("_create", "_append"):
            without.setattr(log, name, full(getattr(log, name)))
        with pytest.raises(OSError, match="No space left"):
            writer.write(["message"])
    writer.write(["message"])
    assert reader.read() == [b"x" * 200, "message"]


def test_a_file_server_that_is_full_at_the_end_keeps_no_message(
    sides: tuple[Writer, Reader], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        raise OSError(errno.EDQUOT, "Disk quota exceeded")

    writer, reader = sides
    with monkeypatch.context() as without:
        without.setattr(os, "fsync", full)
        with pytest.raises(OSError, match="quota"):
            writer.write(["message"])
    assert reader.read() == []
    writer.write(["message"])
    assert reader.read() == ["message"]


def test_zeros_that_a_file_server_shows_for_bytes_to_come_are_no_message(
    sides: tuple[Writer, Reader], tmp_path: Path
) -> None:
    writer, reader = sides
    writer.write(["message"])
    data = (tmp_path / "to.0").read_bytes()
    (tmp_path / "to.0").write_bytes(bytes(len(data)))
    assert reader.read() == []
    (tmp_path / "to.0").write_bytes(data)
    assert reader.read() == ["message"]


def test_much_is_read_in_parts(sides: tuple[Writer, Reader], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log, "_LOOK", 1000)
    writer, reader = sides
    for number in range(5):
        writer.write([bytes([number]) * 600])
    assert [(len(reader.read()), reader.has_more) for _ in range(3)] == [(2, True), (2, True), (1, False)]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_files_of_other_users_and_links_are_not_read(sides: tuple[Writer, Reader], tmp_path: Path) -> None:
    writer, reader = sides
    writer.write(["message"])
    (tmp_path / "link").symlink_to(tmp_path / "to.0")
    with pytest.raises(OSError, match="symbolic links"):
        read_own(tmp_path / "link")
    os.chown(tmp_path / "to.0", 12345, 12345)
    with pytest.raises(PermissionError, match="belongs to another user"):
        reader.read()


def test_signs_are_seen_through_the_shared_memory() -> None:
    memory = new_memory()
    worker, pilot = Signs(memory), Signs(memory)
    os.close(memory)
    worker.show("metric 'ä'")
    assert (pilot.changes, pilot.doing, worker.stopping) == (1, "metric 'ä'", False)
    worker.show("x" * 500)
    pilot.stop(True)
    assert (pilot.changes, pilot.doing, worker.stopping) == (2, "x" * 400, True)
