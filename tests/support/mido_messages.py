"""Split a MIDI file into tracks and let mido parse their messages, for the independent reader.

mido refuses some valid files, because of a senseless key signature or an escaped message, and parses the events after
the end of a track. So a track is cut at its end here; and a track that mido refuses is given to it once more, with
its channel messages and tempos alone.
"""

from __future__ import annotations

import io
import struct
from typing import Any

import mido
from mido.midifiles.meta import encode_variable_int

_END, _TEMPO = 0x2F, 0x51
_NO_DATA = dict.fromkeys(range(0xF4, 0xFF), 0)
_DATA_BYTES = {0xC: 1, 0xD: 1, 0xF1: 1, 0xF2: 2, 0xF3: 1, **_NO_DATA}


class RefusalError(Exception):
    """The file cannot be read; the message is a short reason."""


def unwrap(data: bytes) -> bytes:
    """Return the MIDI file inside a RIFF wrapper; other data as it is."""
    if data[:4] != b"RIFF" or data[8:12] != b"RMID":
        return data
    at = 12
    while at + 8 <= len(data):
        kind, size = struct.unpack_from("<4sI", data, at)
        if kind == b"data":
            return data[at + 8 : at + 8 + size]
        at += 8 + size + size % 2
    raise RefusalError("RIFF without music")


def split(data: bytes) -> tuple[int, int, list[bytes]]:
    """Return the format, the division and the bytes of the tracks; also those beyond the number in the header."""
    if data[:4] != b"MThd":
        raise RefusalError("no MIDI file")
    if len(data) < 14:
        raise RefusalError("cut short")
    size, kind, count, division = struct.unpack_from(">IHHh", data, 4)
    at, tracks = 8 + size, []
    while at + 8 <= len(data):
        name, size = struct.unpack_from(">4sI", data, at)
        if len(data) < at + 8 + size and len(tracks) >= count:
            break  # what follows the last track is no chunk
        if len(data) < at + 8 + size:
            raise RefusalError("cut short")
        if name == b"MTrk":
            tracks.append(data[at + 8 : at + 8 + size])
        at += 8 + size
    if len(tracks) < count:
        raise RefusalError("cut short")
    return kind, division, tracks


def parse(track: bytes) -> tuple[Any, str]:
    """Return mido's messages of a track, and what helped mido: nothing, if it reads the track as it is."""
    plain, end, lenient = _plain(track)
    if lenient:  # mido takes the data bytes for something else, without an error
        return _parsed(plain), "running status over a system message"
    try:
        return _parsed(track[:end]), ""
    except Exception as error:  # noqa: BLE001 - OSError, EOFError, ValueError, IndexError, KeySignatureError and others
        return _parsed(plain), f"{type(error).__name__}: {error}"


def _parsed(track: bytes) -> Any:
    header = struct.pack(">4sIHHH4sI", b"MThd", 6, 0, 1, 480, b"MTrk", len(track))
    return mido.MidiFile(file=io.BytesIO(header + track)).tracks[0]


def _plain(track: bytes) -> tuple[bytes, int, bool]:
    """Return a track's channel messages and tempos, each with its status; where it ends; and whether it is lenient.

    Lenient is a running status over a system message: the standard cancels it there, most players keep it.
    """
    plain, at, wait, running, cancelled, lenient = bytearray(), 0, 0, 0, False, False
    try:
        while at < len(track):
            delta, at = _number(track, at)
            wait += delta
            status = track[at]
            if status & 0x80:
                at += 1
            else:
                status, lenient = running, lenient or cancelled
            if status == 0xFF:
                kind, (size, at) = track[at], _number(track, at + 1)
            elif status in {0xF0, 0xF7}:
                kind, (size, at) = -1, _number(track, at)
            else:
                kind, size = -1, _DATA_BYTES.get(status, _DATA_BYTES.get(status >> 4, 2))
            body = track[at : at + size]
            at += size
            _check(status, body, size)
            if kind == _END:
                break
            if status < 0xF0 or (kind == _TEMPO and size == 3):
                plain += bytes([*encode_variable_int(wait), status, *([kind, size] if status == 0xFF else []), *body])
                wait = 0
            running, cancelled = (status, False) if status < 0xF0 else (running, cancelled or status != 0xFF)
    except IndexError:
        raise RefusalError("cut inside an event") from None
    return bytes(plain), at, lenient


def _check(status: int, body: bytes, size: int) -> None:
    if not status:
        raise RefusalError("data without status")
    if len(body) < size:
        raise RefusalError("cut inside an event")
    if status < 0xF0 and max(body) > 127:
        raise RefusalError("data byte over 127")


def _number(track: bytes, at: int) -> tuple[int, int]:
    number = 0
    for _ in range(4):
        number = number << 7 | track[at] & 127
        at += 1
        if track[at - 1] < 128:
            return number, at
    raise RefusalError("number of more than 4 bytes")
