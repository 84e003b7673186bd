"""Describe what is odd in a file: one line for each kind of oddity."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ablate.music.smf.container import Container
    from ablate.music.smf.walk import Walk

_MOST_TRACKS = 5


def track_problems(container: Container, walks: Sequence[Walk]) -> list[str]:
    """Return the problems of the tracks; ``walks`` has what was found in each of them."""
    lengths = [len(track) for track in container.tracks]
    rest = sum(walk.rest for walk in walks)
    endless = [walk.end < 0 and length > 0 for walk, length in zip(walks, lengths, strict=True)]
    kinds: list[tuple[Sequence[object], str]] = [
        ([not length for length in lengths], "no events"),
        (endless, "no end-of-track event; the file may be cut short"),
        ([walk.rest for walk in walks], f"{rest:,} bytes after the end-of-track event are ignored"),
        ([walk.running for walk in walks], "running status across a meta event or sysex, read as most players do"),
        ([walk.escapes for walk in walks], "channel messages in escapes (F7) are ignored"),
        ([walk.systems for walk in walks], "system messages, which have no place in a file, are ignored"),
    ]
    problems = [f"{_tracks(which)}: {text}" for which, text in kinds if any(which)]
    if container.cut:
        problems.append(
            f"track {len(lengths)}: {lengths[-1]:,} of its {container.cut:,} bytes are there, "
            "the end-of-track event among them"
        )
    return problems


def _tracks(which: Sequence[object]) -> str:
    numbers = [number for number, chosen in enumerate(which, 1) if chosen]
    listed = ", ".join(map(str, numbers[:_MOST_TRACKS]))
    more = f" and {len(numbers) - _MOST_TRACKS} more" if len(numbers) > _MOST_TRACKS else ""
    return f"track{'' if len(numbers) == 1 else 's'} {listed}{more}"


def left_out_problem(total: int, never_ended: int, without_length: int, late: int) -> list[str]:
    """Return the line that counts the notes left out of ``total``; none if there are none."""
    reasons = _reasons(never_ended, without_length, late)
    left_out = never_ended + without_length + late
    return [f"{left_out:,} of {total:,} notes left out: {', '.join(reasons)}"] if reasons else []


def no_notes(never_ended: int, without_length: int, late: int) -> str:
    """Return what to say about a file without notes."""
    reasons = _reasons(never_ended, without_length, late)
    total = never_ended + without_length + late
    if len(reasons) > 1:
        return f"holds no notes: of {total:,}, {', '.join(reasons)}; leave it out"
    return f"holds no notes{': ' + reasons[0] if reasons else ''}; leave it out"


def _reasons(never_ended: int, without_length: int, late: int) -> list[str]:
    counts = [
        (never_ended, "never ended"),
        (without_length, "without length"),
        (late, "after the end of " + ("its track" if late == 1 else "their tracks")),
    ]
    return [f"{count:,} {text}" for count, text in counts if count]


def duration(seconds: float) -> str:
    """Return a length of time for people: seconds below 2 minutes, then minutes, hours, days or years."""
    for unit, length, least in (("year", 31_557_600, 2), ("day", 86_400, 2), ("hour", 3600, 1), ("minute", 60, 2)):
        if seconds >= least * length:
            number = f"{seconds / length:,.1f}".removesuffix(".0")
            return f"{number} {unit}{'' if number == '1' else 's'}"
    return f"{seconds:.1f} s"
