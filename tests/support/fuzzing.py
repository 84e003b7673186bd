"""Make valid, nearly valid and damaged MIDI files at random, to attack the reader with.

Every input follows from a seed and a number, so that a failure can be made again: ``make_input(seed, number, files)``.
"""

from __future__ import annotations

import functools
import random
from typing import TYPE_CHECKING

from support.generated_midi import DIVISIONS, generate, make_delta, make_event

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

#: Inputs are cut to this length.
LARGEST = 2**20 - 1
#: Generated files that are mutated, of one seed.
_BASES = 2000
_BYTES = (0x00, 0x01, 0x3C, 0x40, 0x7F, 0x80, 0x90, 0x99, 0xB0, 0xC0, 0xF0, 0xF7, 0xFE, 0xFF)


def make_input(seed: int, number: int, files: Sequence[bytes]) -> bytes:
    """Return an input: a mutation of one of ``files``, a generated file, or a mutation of one."""
    rng = random.Random(f"{seed}/{number}")
    way = rng.random()
    if way < 0.1:
        return generate(rng)[:LARGEST]
    data = rng.choice(files) if way < 0.5 and files else _base(seed, rng.randrange(_BASES))
    other = rng.choice(files) if rng.random() < 0.5 and files else _base(seed, rng.randrange(_BASES))
    return mutate(rng, data, other)[:LARGEST]


@functools.cache
def _base(seed: int, number: int) -> bytes:
    """Return a generated file to mutate: it takes longer to make than a mutation."""
    return generate(random.Random(f"{seed}/base/{number}"))


def mutate(rng: random.Random, data: bytes, other: bytes) -> bytes:
    """Return ``data`` with a few changes, some of them parts of ``other``."""
    changed = bytearray(data)
    for _ in range(rng.choice((1, 1, 1, 2, 3, 8))):
        rng.choice(_MUTATIONS)(rng, changed, other)
    return repaired(bytes(changed)) if rng.random() < 0.8 else bytes(changed)


def repaired(data: bytes) -> bytes:
    """Return a file whose header has the number of its tracks, and whose tracks have their lengths."""
    head, *tracks = data.split(b"MTrk")
    if len(head) >= 14:
        head = head[:10] + len(tracks).to_bytes(2, "big") + head[12:]
    return head + b"".join(b"MTrk" + len(body[4:]).to_bytes(4, "big") + body[4:] for body in tracks)


def _place(rng: random.Random, data: bytes | bytearray) -> int:
    """Return a place in the data, seldom one in the header."""
    return rng.randrange(14 if len(data) > 14 and rng.random() < 0.95 else 0, len(data) + 1)


def _boundary(rng: random.Random, data: bytes | bytearray) -> int:
    """Return a place where an event begins, mostly."""
    for _ in range(30):
        place = _place(rng, data)
        if data[place : place + 1] == b"\0" and data[place + 1 : place + 2] >= b"\x80":
            return place
    return _place(rng, data)


def _range(rng: random.Random, data: bytes | bytearray) -> slice:
    start = _place(rng, data)
    return slice(start, start + rng.choice((1, 2, 3, 4, 16, 100)))


def _flip(rng: random.Random, data: bytearray, _: bytes) -> None:
    place = _place(rng, data)
    if place < len(data):
        data[place] ^= 1 << rng.randrange(8)


def _set(rng: random.Random, data: bytearray, _: bytes) -> None:
    place = _place(rng, data)
    if place < len(data):
        data[place] = rng.choice((*_BYTES, rng.randrange(256)))


def _delete(rng: random.Random, data: bytearray, _: bytes) -> None:
    del data[_range(rng, data)]


def _truncate(rng: random.Random, data: bytearray, _: bytes) -> None:
    del data[_place(rng, data) :]


def _repeat(rng: random.Random, data: bytearray, _: bytes) -> None:
    part = bytes(data[_range(rng, data)])
    place = _place(rng, data)
    data[place:place] = part * rng.choice((1, 1, 1, 2, 5, 1000))


def _splice(rng: random.Random, data: bytearray, other: bytes) -> None:
    place = _place(rng, data)
    data[place : place + rng.choice((0, 0, 4, 50))] = other[_range(rng, other)]


def _insert(rng: random.Random, data: bytearray, _: bytes) -> None:
    place = _boundary(rng, data)
    data[place:place] = make_delta(rng) + make_event(rng, (60, 62), (0, 1, 9))


def _move(rng: random.Random, data: bytearray, _: bytes) -> None:
    """Move or repeat a few events."""
    start, stop = sorted((_boundary(rng, data), _boundary(rng, data)))
    part = data[start : min(stop, start + 500)]
    if rng.random() < 0.5:
        del data[start : start + len(part)]
    place = _boundary(rng, data)
    data[place:place] = part


def _add_chunk(rng: random.Random, data: bytearray, other: bytes) -> None:
    starts = _starts(other)
    if starts:
        data += other[rng.choice(starts) :]


def _change_length(rng: random.Random, data: bytearray, _: bytes) -> None:
    starts = _starts(data)
    if starts and len(data) >= starts[-1] + 8:
        start = rng.choice(starts) + 4
        length = int.from_bytes(data[start : start + 4], "big")
        length = rng.choice((0, 1, length - 1, length + 1, length * 2, 2**31, rng.randrange(2**32)))
        data[start : start + 4] = (length % 2**32).to_bytes(4, "big")


def _change_header(rng: random.Random, data: bytearray, _: bytes) -> None:
    if len(data) >= 14 and rng.random() < 0.2:
        start = rng.choice((8, 10, 12))
        data[start : start + 2] = rng.choice((0, 1, 2, 3, rng.choice(DIVISIONS), rng.randrange(2**16))).to_bytes(
            2, "big"
        )


def _starts(data: bytes | bytearray) -> list[int]:
    """Return where track chunks start."""
    starts, start = [], data.find(b"MTrk")
    while start >= 0 and len(starts) < 50:
        starts.append(start)
        start = data.find(b"MTrk", start + 1)
    return starts


_MUTATIONS: tuple[Callable[[random.Random, bytearray, bytes], None], ...] = (
    *(
        _flip,
        _set,
        _delete,
        _truncate,
        _repeat,
        _splice,
        _insert,
        _insert,
        _insert,
        _move,
        _move,
        _add_chunk,
        _change_length,
        _change_header,
    ),
)
