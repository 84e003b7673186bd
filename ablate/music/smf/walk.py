"""Find where the events of each track begin.

A Standard MIDI File has no index: where an event begins follows from the length of the event before it. The length that
an event of three bytes would have, with its delta time, is therefore computed for every byte of the file at once, and
for four such events in a row; a loop then follows these lengths. All other events (meta events, system exclusive
messages, messages of two bytes) and all faults are read one by one.

Source: RP-001, pages 9 to 12.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from ablate.arrays import Array

#: Bytes between tracks. They are no data bytes, so that no event of three bytes reaches into the next track.
PADDING = b"\xff" * 8
NOTE_OFF, NOTE_ON, CONTROL, PROGRAM = 0x80, 0x90, 0xB0, 0xC0
END_OF_TRACK, TEMPO, NAME, PORT = 0x2F, 0x51, 0x03, 0x21
_META = frozenset((TEMPO, NAME, PORT))
#: Data bytes of the system messages that have no place in a file, but whose length is known.
_SYSTEM = {0xF1: 1, 0xF2: 2, 0xF3: 1, 0xF6: 0, 0xF8: 0, 0xFA: 0, 0xFB: 0, 0xFC: 0, 0xFE: 0}


class Fault(Exception):  # noqa: N818 - it becomes a CorpusError with the file and the track
    """An event that cannot be read.

    Args:
        what: the fault, for people.
        position: the byte of the track, from 0, at which its event begins.
    """

    def __init__(self, what: str, position: int = 0) -> None:
        super().__init__(what)
        self.what = what
        self.position = position


class Meta(NamedTuple):
    """A meta event that matters: its position in the buffer, its type and its content."""

    position: int
    type: int
    content: bytes


@dataclasses.dataclass
class Walk:
    """The events of one track.

    Attributes:
        metas: tempos, names and ports before the end of the track, in order.
        end: the position after the end-of-track event; -1 without one.
        rest: the number of bytes after the end-of-track event.
        running: whether running status crosses a meta event or a system exclusive message.
        escapes: the number of escapes (F7) that transmit channel messages.
        systems: the number of system messages that have no place in a file.
    """

    metas: list[Meta] = dataclasses.field(default_factory=list)
    end: int = -1
    rest: int = 0
    running: bool = False
    escapes: int = 0
    systems: int = 0


class Steps(NamedTuple):
    """For each byte, the bytes of one or of four events of three bytes that begin there; 0 where there is none."""

    one: bytes
    four: bytes


def steps_of(buffer: bytes) -> Steps:
    """Return the steps in a buffer that ends with :data:`PADDING`.

    An event is a delta time of up to three bytes, then a status byte of 80 to BF or E0 to EF or none (running status),
    then two data bytes.
    """
    count = len(buffer) - len(PADDING)
    octets = np.frombuffer(buffer, np.uint8)
    low = (octets < 128).view(np.uint8)
    pairs = low[:-1] & low[1:]
    status = (((octets - np.uint8(0x80)) < 0x40) | ((octets - np.uint8(0xE0)) < 0x10)).view(np.uint8)
    begins = status[: count + 4] & pairs[1 : count + 5]
    valid = begins | pairs[: count + 4]
    length = np.uint8(2) * valid + begins
    one = low[:count] * (length[1 : count + 1] + valid[1 : count + 1])
    high = low[:count] ^ np.uint8(1)
    one += (high & low[1 : count + 1]) * (length[2 : count + 2] + np.uint8(2) * valid[2 : count + 2])
    high &= low[1 : count + 1] ^ np.uint8(1)
    one += (high & low[2 : count + 2]) * (length[3 : count + 3] + np.uint8(3) * valid[3 : count + 3])
    padded = np.zeros(count + 64, np.uint8)
    padded[:count] = one
    four = _twice(_twice(padded, count, 3, 6), count, 6, 12)
    return Steps(padded.tobytes(), four.tobytes())


def _twice(steps: Array, count: int, least: int, most: int) -> Array:
    """Return the steps of twice as many events; 0 where one of them is missing.

    Steps are 0, or between ``least`` and ``most``. One pass for each is faster than one look-up for each byte.
    """
    both = np.zeros_like(steps)
    first = steps[:count]
    for step in range(least, most + 1):
        second = steps[step : step + count]
        both[:count] += (first == step) * (second + np.uint8(step)) * (second > 0)
    return both


def walk(buffer: bytes, steps: Steps, start: int, stop: int, mark: bytearray) -> Walk:
    """Follow the events of the track in ``buffer[start:stop]``, also those after its end-of-track event.

    ``mark`` gets a 1 where an event begins, and a 4 where four events of three bytes begin, one after the other.

    Raises:
        Fault: an event before the end of the track cannot be read.
    """
    walker = _Walker(buffer, stop)
    one, four = steps
    position = start
    try:
        while position < stop:
            if one[position] and walker.running != 1:
                walker.enter(position)
                while step := four[position]:
                    mark[position] = 4
                    position += step
                while step := one[position]:
                    mark[position] = 1
                    position += step
            else:
                mark[position] = 1
                position = walker.event(position)
    except Fault as fault:
        if walker.result.end < 0:
            raise Fault(fault.what, position - start) from None
        # after the end of the track it is padding
        mark[position] = 0
    result = walker.result
    result.rest = stop - result.end if result.end >= 0 else 0
    return result


class _Walker:
    """Reads single events of one track.

    Attributes:
        result: the result so far.
        running: the data bytes that a message without a status byte has; 0 if there can be none.
    """

    def __init__(self, buffer: bytes, stop: int) -> None:
        self.result = Walk()
        self.running = 0
        self._crossed = False
        self._buffer = buffer
        self._stop = stop

    def enter(self, position: int) -> None:
        """Enter a row of messages of three bytes."""
        while self._buffer[position] >= 128:
            position += 1
        if self._buffer[position + 1] < 128:
            self._run()
        self.running, self._crossed = 2, False

    def event(self, position: int) -> int:
        """Read one event; return the position after it."""
        _, after = self._number(position)
        self._need(after + 1)
        status = self._buffer[after]
        if status < 0x80:
            self._run()
            return self._data(after, self.running)
        if status < 0xF0:
            self.running, self._crossed = 1 if 0xC0 <= status < 0xE0 else 2, False
            return self._data(after + 1, self.running)
        self._crossed = True
        if status == 0xFF:
            return self._meta(position, after + 1)
        if status in {0xF0, 0xF7}:
            return self._exclusive(status, after + 1)
        if status not in _SYSTEM:
            raise Fault(f"the byte {status:02X}, which begins no event")
        self.result.systems += self.result.end < 0
        return self._data(after + 1, _SYSTEM[status])

    def _run(self) -> None:
        if not self.running:
            raise Fault("data bytes without a status byte before them")
        if self._crossed and self.result.end < 0:
            self.result.running = True

    def _data(self, position: int, count: int) -> int:
        end = position + count
        self._need(end)
        for byte in self._buffer[position:end]:
            if byte >= 128:
                raise Fault(f"a data byte of {byte}, which may be 127 at most")
        return end

    def _meta(self, position: int, type_at: int) -> int:
        length, content = self._number(type_at + 1)
        end = content + length
        self._need(end)
        kind, result = self._buffer[type_at], self.result
        if result.end < 0:
            if kind == END_OF_TRACK:
                result.end = end
            elif kind in _META:
                result.metas.append(Meta(position, kind, self._buffer[content:end]))
        return end

    def _exclusive(self, status: int, position: int) -> int:
        length, content = self._number(position)
        self._need(content + length)
        if status == 0xF7 and length and 0x80 <= self._buffer[content] < 0xF0 and self.result.end < 0:
            self.result.escapes += 1
        return content + length

    def _number(self, position: int) -> tuple[int, int]:
        """Return a number of variable length, and the position after it."""
        value = 0
        for index in range(position, position + 4):
            self._need(index + 1)
            byte = self._buffer[index]
            value = value << 7 | byte & 127
            if byte < 128:
                return value, index + 1
        raise Fault("a number of more than 4 bytes")

    def _need(self, end: int) -> None:
        if end > self._stop:
            raise Fault("an event that its end cuts off")
