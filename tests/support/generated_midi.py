"""Make MIDI files event by event, at random: most are valid, some in one respect not."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from support.midi_bytes import END

if TYPE_CHECKING:
    import random
    from collections.abc import Sequence

_NUMBERS = (0, 1, 2, 9, 63, 64, 120, 121, 123, 126, 127)
#: Values of the header: ticks of a quarter note, or time code.
DIVISIONS = (1, 2, 24, 96, 480, 480, 480, 960, 32767, 0, 0xE728, 0xE250, 0x8001)
_TEMPOS = (0, 1, 250_000, 500_000, 1_000_000, 0xFFFFFF)


def generate(rng: random.Random) -> bytes:
    """Return a file of few tracks with many kinds of events; most are valid, some in one respect not."""
    tracks = [_chunk(rng, _events(rng)) for _ in range(rng.choice((1, 1, 2, 2, 3, rng.randrange(40))))]
    if rng.random() < 0.1:
        tracks.insert(rng.randrange(len(tracks) + 1), b"XFIH" + struct.pack(">I", 5) + rng.randbytes(5))
    count = len(tracks) if rng.random() < 0.95 else rng.randrange(4)
    kind = rng.choice((0, *(1,) * 20, rng.randrange(4)))
    extra = rng.randbytes(rng.choice((0,) * 20 + (2, 7)))
    header = (
        struct.pack(">IHHH", 6 + len(extra), kind, count, rng.choice(DIVISIONS[: rng.choice((9, 9, 9, 9, 13))])) + extra
    )
    data = b"MThd" + header + b"".join(tracks) + rng.randbytes(rng.choice((0,) * 20 + (1, 9, 40)))
    if rng.random() < 0.03:
        body = b"RMID" + b"data" + struct.pack("<I", len(data)) + data + bytes(len(data) % 2)
        data = b"RIFF" + struct.pack("<I", len(body)) + body
    return data


def _chunk(rng: random.Random, body: bytes) -> bytes:
    end = rng.choice((END,) * 12 + (b"", END + b"\0", END + rng.randbytes(4), b"\x85\x01\xff\x2f\0"))
    body += end
    length = len(body) if rng.random() < 0.98 else rng.choice((0, len(body) + 1, max(len(body) - 1, 0), 2**32 - 1))
    return b"MTrk" + struct.pack(">I", length) + body


def _events(rng: random.Random) -> bytes:
    body, last = bytearray(), -1
    pitches = [rng.randrange(128) for _ in range(rng.choice((1, 2, 3, 20)))]
    channels = rng.choice(([0], [0, 1], [0, 9], [0, 1, 2, 9, 15]))
    careless = rng.random() < 0.1  # running status where none may be
    for _ in range(rng.choice((0, 1, 5, 20, 60))):
        body += make_delta(rng)
        event = make_event(rng, pitches, channels)
        if event[0] == last and rng.random() < 0.5:
            event = event[1:]
        elif event[0] < 0xF0:
            last = event[0]
        elif not careless:
            last = -1
        repeats = 1 if rng.random() < 0.998 else rng.randrange(3000)
        body += (event + b"\0") * (repeats - 1) + event if event[0] & 0x80 else event
    return bytes(body)


def make_delta(rng: random.Random) -> bytes:
    """Return a delta time, mostly a short one."""
    way = rng.random()
    if way < 0.45:
        return b"\0"
    if way < 0.97:
        return variable_length(rng.choice((1, 5, 60, 120, 240, 480, 1000)))
    return rng.choice(
        (variable_length(2**28 - 1), variable_length(rng.randrange(2**21)), b"\x80\x00", b"\x80\x80\x80\x01")
    )


def make_event(rng: random.Random, pitches: Sequence[int], channels: Sequence[int]) -> bytes:
    """Return an event with its status."""
    channel, way = rng.choice(channels), rng.random()
    if way < 0.35:
        return bytes((0x90 | channel, rng.choice(pitches), rng.choice((1, 64, 64, 127))))
    if way < 0.7:
        return bytes((rng.choice((0x80, 0x90)) | channel, rng.choice(pitches), 0))
    if way < 0.8:
        return bytes((0xB0 | channel, rng.choice((64, 64, 67, 121, 123, *_NUMBERS)), rng.choice(_NUMBERS)))
    if way < 0.9:
        kind = rng.choice((0xA0, 0xC0, 0xC0, 0xD0, 0xE0))
        return bytes((kind | channel, rng.randrange(128), rng.randrange(128))[: 2 if kind in {0xC0, 0xD0} else 3])
    return _special(rng)


def _special(rng: random.Random) -> bytes:
    way = rng.random()
    if way < 0.25:
        return b"\xff\x51\x03" + rng.choice((*_TEMPOS, rng.randrange(2**24))).to_bytes(3, "big")
    if way < 0.5:
        content = rng.randbytes(rng.choice((0, 1, 2, 3, 5, 200)))
        return bytes((0xFF, rng.choice((1, 3, 6, 0x20, 0x21, 0x54, 0x58, 0x59, 0x7F, rng.randrange(128))))) + _counted(
            content
        )
    if way < 0.7:
        return b"\xf0" + _counted(
            bytes(rng.randrange(128) for _ in range(rng.randrange(9))) + rng.choice((b"\xf7", b""))
        )
    if way < 0.9:
        return b"\xf7" + _counted(rng.choice((b"\x90\x3c\x40", b"\xf3\x01", rng.randbytes(3), b"\x01\xf7")))
    return rng.choice(
        (b"\xff\x2f\x00", b"\xf1\x00", b"\xf2\x00\x00", b"\xf8", b"\xfe", b"\xf4", b"\xff\x51\x02\x07\xa1")
    )


def _counted(content: bytes) -> bytes:
    return variable_length(len(content)) + content


def variable_length(number: int) -> bytes:
    """Return a number as RP-001 stores it: 7 bits a byte."""
    groups = [number & 127]
    while number := number >> 7:
        groups.append(128 | (number & 127))
    return bytes(reversed(groups))
