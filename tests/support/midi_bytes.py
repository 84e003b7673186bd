"""Functions that write valid and broken MIDI files byte by byte."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

END = bytes((0, 0xFF, 0x2F, 0))
Event = tuple[int, bytes]  # ticks since the event before it, message


def on(pitch: int, velocity: int = 64, channel: int = 0) -> bytes:
    return bytes((0x90 | channel, pitch, velocity))


def off(pitch: int, channel: int = 0) -> bytes:
    return bytes((0x80 | channel, pitch, 0))


def control(number: int, value: int, channel: int = 0) -> bytes:
    return bytes((0xB0 | channel, number, value))


def program(number: int, channel: int = 0) -> bytes:
    return bytes((0xC0 | channel, number))


def meta(kind: int, content: bytes = b"") -> bytes:
    return bytes((0xFF, kind)) + variable_length(len(content)) + content


def tempo(microseconds: int) -> bytes:
    return meta(0x51, microseconds.to_bytes(3, "big"))


def exclusive(content: bytes, status: int = 0xF0) -> bytes:
    """Return a system exclusive message, or with status F7 a packet that continues one, or an escape."""
    return bytes((status,)) + variable_length(len(content)) + content


def track(events: Iterable[Event], end: bytes = END) -> bytes:
    body = b"".join(variable_length(ticks) + message for ticks, message in events) + end
    return b"MTrk" + struct.pack(">I", len(body)) + body


def midi(*chunks: bytes, tracks: int | None = None, division: int = 480, kind: int = 1) -> bytes:
    count = len(chunks) if tracks is None else tracks
    return b"MThd" + struct.pack(">IHHH", 6, kind, count, division) + b"".join(chunks)


def scale(notes: int = 8) -> bytes:
    """Return a valid file: an ascending C major scale in quarter notes."""
    pitches = [60 + 12 * (i // 7) + (0, 2, 4, 5, 7, 9, 11)[i % 7] for i in range(notes)]
    return midi(track([event for p in pitches for event in ((0, on(p)), (480, off(p)))]))


def variable_length(number: int) -> bytes:
    groups = [number & 127]
    while number := number >> 7:
        groups.append(128 | (number & 127))
    return bytes(reversed(groups))
