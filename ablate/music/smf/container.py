"""Find the header and the track chunks of a Standard MIDI File.

A damaged container is refused where something may be missing. It is read, with a problem, where all tracks are whole:
more or fewer tracks than the header gives, padding between and after them, a RIFF wrapper (RMID) around them.

Source: MIDI Manufacturers Association, "Standard MIDI Files 1.0" (RP-001), 1996, pages 3 to 5; for RMID: "Recommended
Practice RP-029", 2000.
"""

from __future__ import annotations

import dataclasses
import struct

from ablate.errors import CorpusError

#: Frames in a second for each rate of SMPTE time code that a header can give; 29 means 30 drop frame.
_FRAME_RATES = {24: 24.0, 25: 25.0, 29: 30000 / 1001, 30: 30.0}
_WHOLE_COPY = "get a whole copy of it"


@dataclasses.dataclass(frozen=True)
class Division:
    """The length of a tick.

    Attributes:
        per_quarter: ticks in a quarter note, at least 1; 0 if ticks have a fixed length.
        per_second: ticks in a second, whatever the tempo; 0.0 if ticks are parts of a quarter note.
    """

    per_quarter: int
    per_second: float = 0.0


@dataclasses.dataclass(frozen=True)
class Container:
    """The parts of a file.

    Attributes:
        kind: the format of the header: 0, 1 or 2.
        division: the length of a tick.
        tracks: the bytes of each track chunk, without the chunk header.
        problems: the oddities of the container, one line each.
        cut: of a last track that the end of the file cuts off, the number of bytes that it should have; 0 if it is
            whole.
    """

    kind: int
    division: Division
    tracks: tuple[bytes, ...]
    problems: tuple[str, ...] = ()
    cut: int = 0


def read_container(data: bytes, source: str) -> Container:
    """Find the header and the tracks of a MIDI file.

    Args:
        data: the whole file.
        source: its name, for messages.

    Raises:
        CorpusError: the file is empty, no MIDI file, cut short, of an unknown format, or of format 2 with several
            tracks (which have no common time).
    """
    data, wrapped = _unwrap(data, source)
    start, kind, count, division = _header(data, source)
    tracks, problems, cut = _chunks(data, start, count, source)
    if not tracks and not count:
        raise CorpusError(f"{source}: holds no notes: it has no tracks; leave it out")
    if not tracks or (cut and len(tracks) < count):
        raise CorpusError(f"{source}: is cut short: {max(len(tracks) - bool(cut), 0)} of {count} tracks; {_WHOLE_COPY}")
    if kind == 2 and len(tracks) > 1:
        raise CorpusError(
            f"{source}: is a MIDI file of format 2: its {len(tracks)} tracks are pieces of their own; "
            "save each of them as a file of format 0 or 1"
        )
    if len(tracks) != count:
        problems = [_count_problem(len(tracks), count), *problems]
    if kind == 0 and len(tracks) > 1:
        problems.append(f"has {len(tracks)} tracks, but format 0; read as format 1")
    return Container(kind, division, tuple(tracks), (*wrapped, *problems), cut)


def _unwrap(data: bytes, source: str) -> tuple[bytes, list[str]]:
    """Return the MIDI file inside a RIFF wrapper, and its problems; other files as they are."""
    if not data:
        raise CorpusError(f"{source}: is empty; {_WHOLE_COPY}")
    if data[:4] != b"RIFF":
        return data, []
    if data[8:12] != b"RMID":
        raise CorpusError(f"{source}: is no MIDI file, but a RIFF file of another kind; give a Standard MIDI File")
    start = 12
    while start + 8 <= len(data):
        name, length = struct.unpack_from("<4sI", data, start)
        start += 8
        if name == b"data":
            content = data[start : start + length]
            if 0 < length == len(content):
                return content, []
            return data[start:], [f"its RIFF wrapper gives {length} bytes of MIDI; it has {len(data) - start}"]
        start += length + length % 2  # chunks of RIFF begin at even bytes
    raise CorpusError(f"{source}: is a RIFF file without MIDI in it; {_WHOLE_COPY}")


def _header(data: bytes, source: str) -> tuple[int, int, int, Division]:
    """Return the position of the first chunk, the format, the number of tracks, and the length of a tick."""
    if data[:4] != b"MThd":
        raise CorpusError(f"{source}: is no MIDI file (it does not begin with 'MThd'); give a Standard MIDI File")
    if len(data) < 14:
        raise CorpusError(f"{source}: is cut short inside its header; {_WHOLE_COPY}")
    length, kind, count, division = struct.unpack_from(">IHHH", data, 4)
    if length < 6:
        raise CorpusError(f"{source}: is damaged: its header has {length} bytes; a MIDI file has 6; {_WHOLE_COPY}")
    if 8 + length > len(data):
        raise CorpusError(f"{source}: is cut short inside its header of {length} bytes; {_WHOLE_COPY}")
    if kind > 2:
        raise CorpusError(f"{source}: is a MIDI file of format {kind}; save it as format 0 or 1")
    return 8 + length, kind, count, _division(division, source)


def _division(word: int, source: str) -> Division:
    if not word & 0x8000:
        if word == 0:
            raise CorpusError(f"{source}: is damaged: its header gives 0 ticks per quarter note; {_WHOLE_COPY}")
        return Division(word)
    frames, ticks = 256 - (word >> 8), word & 255
    if frames not in _FRAME_RATES or not ticks:
        raise CorpusError(
            f"{source}: is damaged: its header gives {frames} frames a second of {ticks} ticks; "
            "time code (SMPTE) has 24, 25, 29 or 30 frames"
        )
    return Division(0, _FRAME_RATES[frames] * ticks)


def _chunks(data: bytes, start: int, count: int, source: str) -> tuple[list[bytes], list[str], int]:
    """Return the tracks, the problems, and the length that a last track should have if the file cuts it off."""
    tracks: list[bytes] = []
    gaps = 0
    while start < len(data):
        name, length = data[start : start + 4], int.from_bytes(data[start + 4 : start + 8], "big")
        end = start + 8 + length
        whole = start + 8 <= len(data) and end <= len(data)
        if name == b"MTrk" and not whole and start + 8 <= len(data):
            return [*tracks, data[start + 8 :]], _gap_problems(gaps), length
        if whole and name == b"MTrk":
            tracks.append(data[start + 8 : end])
        elif not (whole and _is_name(name)):  # other chunks with a name belong to the program that wrote them
            following = data.find(b"MTrk", start + 1)
            if following < 0:
                return tracks, [*_gap_problems(gaps), *_rest(data[start:], len(tracks), count, source)], 0
            gaps += following - start
            end = following
        start = end
    return tracks, _gap_problems(gaps), 0


def _is_name(name: bytes) -> bool:
    return all(32 <= letter < 127 for letter in name)


def _gap_problems(gaps: int) -> list[str]:
    return [f"{gaps:,} bytes between its parts are ignored"] if gaps else []


def _rest(rest: bytes, found: int, count: int, source: str) -> list[str]:
    """Return the problem of bytes that are no chunk; raise if they are the beginning of a track that is missing."""
    if found < count and b"MTrk".startswith(rest[:4]):
        raise CorpusError(f"{source}: is cut short: {found} of {count} tracks; {_WHOLE_COPY}")
    return [f"{len(rest):,} bytes after its last track are ignored"]


def _count_problem(found: int, count: int) -> str:
    tracks = f"{found} track{'' if found == 1 else 's'}"
    if found < count:
        return f"has {tracks}; its header gives {count}, the file may be cut short"
    return f"has {tracks}; its header gives {count}, all are read"
