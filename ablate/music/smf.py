"""Check the frame of a Standard MIDI File, its header and track chunks, before a reader parses the events.

Readers react differently to a damaged file: one reads half of it without an error, another fails with a bare
``EOFError``. The frame is therefore checked here. Both readers then get the same plain form: a six-byte header and the
track chunks, nothing before, between or after them.

Source: MIDI Manufacturers Association, "Standard MIDI Files 1.0" (RP-001), 1996.
"""

from __future__ import annotations

import dataclasses
import struct

from ablate.errors import CorpusError

_END_OF_TRACK = b"\xff\x2f\x00"
# a note-off for every pitch of every channel, all at one time
_CLOSE_ALL = b"\x00".join(bytes((0x80 | channel, pitch, 0)) for channel in range(16) for pitch in range(128))


@dataclasses.dataclass(frozen=True)
class Frame:
    """The checked frame of a file.

    Attributes:
        division: ticks per quarter note, at least 1.
        tracks: the bytes of each track chunk, without the chunk header.
    """

    division: int
    tracks: tuple[bytes, ...]

    def plain(self) -> bytes:
        """Return the file with its header and tracks only."""
        return self._file(self.tracks)

    def closed(self, times: int = 1) -> bytes:
        """Return the plain file with note-offs for every channel and pitch at the end of each track.

        A note that is left open in the file gets an end, if at most ``times`` notes of its key are open. In this way
        open notes can be counted.
        """
        return self._file(tuple(_close(track, times) for track in self.tracks))

    def without_end(self) -> list[int]:
        """Return the tracks, counted from 1, without an end-of-track event: they may be cut short."""
        return [i for i, track in enumerate(self.tracks, 1) if not track.endswith(_END_OF_TRACK)]

    def _file(self, tracks: tuple[bytes, ...]) -> bytes:
        header = struct.pack(">4sIHHH", b"MThd", 6, 1, len(tracks), self.division)
        return header + b"".join(struct.pack(">4sI", b"MTrk", len(track)) + track for track in tracks)


def _close(track: bytes, times: int) -> bytes:
    offs = b"\x00".join([_CLOSE_ALL] * times)
    if track.endswith(_END_OF_TRACK):
        # the end-of-track event is removed; its delta time becomes that of the first note-off
        return track[: -len(_END_OF_TRACK)] + offs + b"\x00" + _END_OF_TRACK
    return track + b"\x00" + offs + b"\x00" + _END_OF_TRACK


def read_frame(data: bytes, source: str) -> Frame:
    """Check header and chunks of a MIDI file.

    Args:
        data: the whole file.
        source: its name, for messages.

    Raises:
        CorpusError: the file is empty, no MIDI file, cut short, in time code (without beats), or of format 2 (its
            tracks have no common time).
    """
    start, tracks, division = _read_header(data, source)
    chunks: list[bytes] = []
    while len(chunks) < tracks:
        if start + 8 > len(data):
            raise CorpusError(f"{source}: is cut short: {len(chunks)} of {tracks} tracks; get a whole copy of it")
        kind, length = struct.unpack_from(">4sI", data, start)
        chunk = data[start + 8 : start + 8 + length]
        if len(chunk) < length:
            raise CorpusError(
                f"{source}: is cut short or damaged: {len(chunk)} of the {length} bytes "
                f"that its part {len(chunks) + 1} should have; get a whole copy of it"
            )
        if kind == b"MTrk":  # other kinds belong to the program that wrote them
            chunks.append(chunk)
        start += 8 + length
    return Frame(division, tuple(chunks))


def _read_header(data: bytes, source: str) -> tuple[int, int, int]:
    """Return the position of the first chunk, the number of tracks, and the ticks per quarter note."""
    if not data:
        raise CorpusError(f"{source}: is empty; get a whole copy of it")
    if data[:4] != b"MThd":
        raise CorpusError(f"{source}: is no MIDI file (it does not begin with 'MThd'); give a Standard MIDI File")
    if len(data) < 14:
        raise CorpusError(f"{source}: is cut short inside its header; get a whole copy of it")
    length, kind, tracks, division = struct.unpack_from(">IHHH", data, 4)
    if kind > 1:
        raise CorpusError(f"{source}: is a MIDI file of format {kind}; save it as format 0 or 1")
    if tracks == 0:
        raise CorpusError(f"{source}: holds no notes: it has no tracks; leave it out")
    if division & 0x8000:
        raise CorpusError(f"{source}: counts in time code (SMPTE); save it with ticks per quarter note")
    if division == 0:
        raise CorpusError(f"{source}: is damaged: its header gives 0 ticks per quarter note")
    return 8 + length, tracks, division
