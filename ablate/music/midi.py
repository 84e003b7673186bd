"""Read MIDI files into performances.

The reader is ablate's own: ``ablate.music.smf`` finds the events in the bytes, as RP-001 defines them, and pairs them
to notes; ``ablate.music.smf.notes`` states what a note is. Times are computed from ticks in double precision, with the
arithmetic of pretty_midi. docs/reference/midi.md lists what is read with a problem, and what is refused.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple

from ablate.errors import CorpusError
from ablate.files import read_file
from ablate.music.smf import report
from ablate.music.smf.build import check_times, clock_of, performance_of, track_names
from ablate.music.smf.container import read_container
from ablate.music.smf.decode import decode
from ablate.music.smf.notes import find_notes
from ablate.music.smf.order import order_of_pretty_midi
from ablate.music.smf.pedals import find_pedals
from ablate.music.smf.song import song_of

if TYPE_CHECKING:
    from ablate.music.performance import Performance

#: The order of the notes.
Reader = Literal["ablate", "pretty_midi"]
Sustain = Literal["ignore", "extend"]
#: Increased when the same bytes give other notes. It is the version of the corpus ``midi``, and a part of every other
#: stage that reads MIDI files.
READER_VERSION = 2
#: Seconds; see :func:`parse_midi`.
LONGEST_PAUSE = 3600.0
#: Seconds of a piece. Pauses just below the limit would otherwise add up to years, and each of their seconds to tokens.
LONGEST_PIECE = 7 * 86_400.0


class LeftOut(NamedTuple):
    """The notes of a file that are left out, counted by their kind.

    Attributes:
        never_ended: notes without an end.
        without_length: notes that end when they begin.
        late: notes after the end of their track.
    """

    never_ended: int = 0
    without_length: int = 0
    late: int = 0


class Reading(NamedTuple):
    """A performance and the oddities of its file.

    Attributes:
        performance: the notes and pedal events.
        problems: the oddities; one line each, for people.
        left_out: the number of notes that are left out.
        kinds: the same by kind.
    """

    performance: Performance
    problems: tuple[str, ...]
    left_out: int = 0
    kinds: LeftOut = LeftOut()


def read_midi(
    path: str | Path,
    reader: Reader = "ablate",
    *,
    sustain: Sustain = "ignore",
    longest_pause: float = LONGEST_PAUSE,
) -> Performance:
    """Read the notes and pedal events of a MIDI file; see :func:`parse_midi`.

    Raises:
        CorpusError: the file is missing or cannot be opened, or its bytes cannot be read.
    """
    data = read_bytes(Path(path))
    return parse_midi(data, str(path), reader, sustain=sustain, longest_pause=longest_pause).performance


def read_bytes(path: Path, source: str = "") -> bytes:
    """Return the contents of a file; raises :class:`CorpusError` with the name ``source`` (by default the path)."""
    source = source or str(path)
    try:
        return read_file(path)
    except FileNotFoundError:
        raise CorpusError(f"{source}: no such file; check the path") from None
    except IsADirectoryError:
        raise CorpusError(f"{source}: is a folder; give one MIDI file") from None
    except (OSError, ValueError) as error:  # ValueError: a path that no file can have
        raise CorpusError(f"{source}: cannot be opened: {getattr(error, 'strerror', None) or error}") from None


def parse_midi(
    data: bytes,
    source: str,
    reader: Reader = "ablate",
    *,
    sustain: Sustain = "ignore",
    longest_pause: float = LONGEST_PAUSE,
    pause_option: str = "",
) -> Reading:
    """Read the bytes of a MIDI file.

    Args:
        data: the whole file: a Standard MIDI File of format 0 or 1, or of format 2 with one track; also in a RIFF
            wrapper (RMID).
        source: its name or path, for messages and for the performance's name.
        reader: the order of the notes: ``"ablate"``, canonical; ``"pretty_midi"``, that of pretty_midi (by their
            note-offs, instrument by instrument). The notes are the same.
        sustain: ``"extend"`` holds the notes of each channel by its sustain pedal
            (:func:`ablate.music.smf.sustain.held_ends`); drums are not held.
        longest_pause: the most seconds between two moments at which a note begins or ends, or before the first or from
            the last one to the last pedal event; a longer pause is taken for a damaged file, and so is a
            piece that lasts longer than both this and :data:`LONGEST_PIECE`.
        pause_option: the option with which a person raises it, for the message; empty where there is none.

    Returns:
        All notes with a length, with the instrument of their channel at their beginning, channel 10 being drums; the
        events of controllers 64 (sustain) and 67 (soft pedal) of channels with notes; the file's stem as name.

    Raises:
        CorpusError: no MIDI file, damaged, without notes, with too long a pause, or longer than :data:`LONGEST_PIECE`.
    """
    container = read_container(data, source)
    decoded = decode(container, source)
    song = song_of(decoded, source)
    notes = find_notes(song)
    counts = LeftOut(notes.never_ended, notes.without_length, decoded.late_notes)
    if not len(notes.begin):
        raise CorpusError(f"{source}: {report.no_notes(*counts)}")
    pedals = find_pedals(song, notes.begin)
    clock, tempo_problems = clock_of(container, decoded, song, notes, pedals, source)
    performance = performance_of(song, notes, pedals, clock, extend=sustain == "extend")
    check_times(performance, longest_pause, max(LONGEST_PIECE, longest_pause), pause_option, source)
    problems = (
        *report.left_out_problem(len(notes.begin) + sum(counts), *counts),
        *container.problems,
        *report.track_problems(container, decoded.walks),
        *tempo_problems,
    )
    names = track_names(decoded, song, notes.begin, performance) if container.kind else {}
    performance = performance.replace(track_names=names, name=Path(source).stem)
    if reader == "pretty_midi":
        ordered = performance.replace(notes=performance.notes[order_of_pretty_midi(song, notes)])
    else:
        ordered = performance.canonical()
    return Reading(ordered, problems, sum(counts), counts)
