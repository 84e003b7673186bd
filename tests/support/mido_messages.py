"""Split a MIDI file into tracks and let mido parse their messages, for the independent reader.

mido refuses some valid files, because of a senseless key signature or an escaped message, and parses the events after
the end of a track. So a track is cut at its end here; and a track that mido refuses or misreads is given to it once
more, with its channel messages and tempos alone.
"""

from __future__ import annotations

import io
import struct
from typing import Any, NamedTuple

import mido
from mido.midifiles.meta import encode_variable_int

_END, _TEMPO, _PORT = 0x2F, 0x51, 0x21
_NO_DATA = dict.fromkeys(range(0xF4, 0xFF), 0)
#: The standard cancels the running status there; most players keep it; mido takes the data bytes for something else.
_RUNNING = "running status over a system message"
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


def split(data: bytes) -> tuple[int, int, list[bytes], bool]:
    """Return the format, the division, the bytes of all tracks, and whether the file cuts off the last track."""
    if data[:4] != b"MThd":
        raise RefusalError("no MIDI file")
    if len(data) < 14:
        raise RefusalError("cut short")
    size, kind, count, division = struct.unpack_from(">IHHh", data, 4)
    at, tracks, cut = 8 + size, [], False
    while at < len(data) and not cut:
        name, size = data[at : at + 4], int.from_bytes(data[at + 4 : at + 8], "big")
        cut = len(data) < at + 8 + size
        if name == b"MTrk" and len(data) >= at + 8:
            tracks.append(data[at + 8 : at + 8 + size])
        elif cut or not all(32 <= letter < 127 for letter in name):
            if b"MTrk" in data[at + 1 :]:
                raise RefusalError("no chunk between chunks")
            cut = False
            break
        at += 8 + size
    if len(tracks) < count:
        raise RefusalError("cut short")
    return kind, division, tracks, cut


class Track(NamedTuple):
    """What mido reads of a track.

    Attributes:
        messages: mido's messages.
        help: why mido refuses or misreads the track as it is; "" if it does not.
        ended: whether it has an end-of-track event.
        continued: whether bytes follow that event.
    """

    messages: Any
    help: str
    ended: bool
    continued: bool


def parse(track: bytes) -> Track:
    """Parse a track, up to its end-of-track event."""
    plain = _plain(track)
    about = plain.ended, plain.stop < len(track)
    misread = plain.misread
    if not misread:
        try:
            messages = _parsed(track[: plain.stop])
        except Exception as error:  # noqa: BLE001 - OSError, EOFError, ValueError, IndexError, KeySignatureError, ...
            misread = f"{type(error).__name__}: {error}"
        else:
            if not any(message.type == "unknown_meta" for message in messages):
                return Track(messages, "", *about)
            misread = "mido loses the delta time of an unknown meta event"
    return Track(_parsed(plain.messages), misread, *about)


def _parsed(track: bytes) -> Any:
    header = struct.pack(">4sIHHH4sI", b"MThd", 6, 0, 1, 480, b"MTrk", len(track))
    return mido.MidiFile(file=io.BytesIO(header + track)).tracks[0]


class _Plain(NamedTuple):
    """The channel messages, tempos and ports of a track, each with its status; the place where it stops; and more.

    ``ended``: whether it has an end-of-track event. ``misread``: what mido would misread in it without an error; "" if
    nothing.
    """

    messages: bytes
    stop: int
    ended: bool
    misread: str


def _plain(track: bytes) -> _Plain:
    plain, at, wait, running, cancelled, kind, misread = bytearray(), 0, 0, 0, False, -1, ""
    try:
        while at < len(track) and kind != _END:
            delta, at = _number(track, at)
            wait += delta
            status, kind = track[at], -1
            if status & 0x80:
                at += 1
            else:
                status, misread = running, _RUNNING if cancelled else misread
            if status == 0xFF:
                kind, (size, at) = track[at], _number(track, at + 1)
            elif status in {0xF0, 0xF7}:
                size, at = _number(track, at)
            else:
                size = _DATA_BYTES.get(status, _DATA_BYTES.get(status >> 4, 2))
            body = track[at : at + size]
            at += size
            _check(status, body, size)
            if kind == _PORT:
                misread = misread or ("" if size else "a port without a number")
                body = body[:1]
            elif kind == _TEMPO and size != 3:
                misread = misread or "a tempo of other than 3 bytes"
            if status < 0xF0 or (kind == _TEMPO and size == 3) or (kind == _PORT and body):
                head = [kind, len(body)] if status == 0xFF else []
                plain += bytes([*encode_variable_int(wait), status, *head, *body])
                wait = 0
            running, cancelled = (status, False) if status < 0xF0 else (running, cancelled or status != 0xFF)
    except IndexError:
        raise RefusalError("cut inside an event") from None
    return _Plain(bytes(plain), at, kind == _END, misread)


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
