"""The sound of a performance, for notebooks and scripts."""

from __future__ import annotations

import base64
import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING

from ablate.errors import UsageError
from ablate.report.formats import audio

if TYPE_CHECKING:
    import os

    from ablate.music.performance import Performance


@dataclasses.dataclass(frozen=True, repr=False)
class Sound:
    """The sound of a performance; in Jupyter it is displayed as a player.

    Attributes:
        mp3: the bytes of an MP3 file, mono.
        title: the name of the performance.
    """

    mp3: bytes
    title: str = ""

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the MP3 file; raises OSError."""
        Path(path).write_bytes(self.mp3)

    def __repr__(self) -> str:
        return f"<Sound {self.title!r}: MP3, {len(self.mp3):,} bytes>"

    def _repr_mimebundle_(self, **_: object) -> dict[str, str]:
        """Return a player for Jupyter."""
        data = base64.b64encode(self.mp3).decode()
        return {"text/html": f'<audio controls src="data:audio/mpeg;base64,{data}"></audio>', "text/plain": repr(self)}


def render_sound(performance: Performance, seconds: float = 30.0) -> Sound:
    """Return the sound of the beginning of a performance, with sampled instruments, as reports have it.

    Args:
        performance: the music, for example a sample of a run. Its primer, if it has one, is played first.
        seconds: the length of the beginning, above 0; notes that end later are shortened.

    Raises:
        UsageError: the extra ``ablate-music[audio]`` is not installed, or no note begins in these seconds.
    """
    if not audio.available():
        raise UsageError(f"there is no renderer for sound; install it: {audio.INSTALL}")
    beginning = performance.beginning(seconds)
    played = beginning.whole().notes
    if not len(played):
        raise UsageError(f"{performance!r} has no note in its first {seconds:g} s, so there is nothing to play")
    return Sound(audio.mp3(beginning.midi_bytes(), ensemble=bool(played["instrument"].any())), performance.name)
