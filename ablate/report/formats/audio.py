"""Piano sound for what the page plays: MIDI rendered with a sampled piano, as MP3.

The renderer and the encoder are the extra ``ablate[audio]``; the sounds are those of the soundfont that pretty_midi
carries. Everything is rendered with the same gain, so that what is played louder sounds louder.
"""

from __future__ import annotations

import hashlib
import importlib.util
import io
import os
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from ablate.arrays import Array
    from ablate.music.performance import Performance

#: What to type where the extra is not installed.
INSTALL = "pip install 'ablate[audio]'"
#: Raised when the same notes would sound differently.
VERSION = 1
#: The renderer plays softly, so that many loud notes at once are not cut off; a piece seldom needs so much room.
GAIN = 8.0
#: The last seconds of a clip fade out.
FADE = 0.8


def available() -> bool:
    """Whether the extra is installed."""
    return all(importlib.util.find_spec(name) for name in ("midirenderer", "soundfile"))


def rendered(performance: Performance, cache: Path) -> bytes:
    """A performance as the bytes of an MP3 file, mono; kept in ``cache`` for the next time.

    Args:
        performance: what to play, at least one note.
        cache: a folder, made if it is not there.
    """
    midi = performance.midi_bytes()
    kept = cache / f"{hashlib.sha256(bytes([VERSION]) + midi).hexdigest()[:24]}.mp3"
    try:
        return kept.read_bytes()
    except OSError:
        pass
    data = _encoded(_faded(_played(midi)))
    cache.mkdir(parents=True, exist_ok=True)
    fresh = kept.with_suffix(f".{os.getpid()}")
    fresh.write_bytes(data)
    fresh.rename(kept)
    return data


def _played(midi: bytes) -> tuple[Array, int]:
    """Samples in -1 to 1, [time], and how many there are in a second."""
    import midirenderer
    import soundfile

    wave = midirenderer.render_wave_from(_soundfont(), midi)
    samples, rate = soundfile.read(io.BytesIO(wave), dtype="float32", always_2d=True)
    # tanh: linear where music is, and never beyond full scale
    return np.tanh(GAIN * samples.mean(axis=1)), rate


def _faded(sound: tuple[Array, int]) -> tuple[Array, int]:
    samples, rate = sound
    length = min(len(samples), round(FADE * rate))
    samples[len(samples) - length :] *= np.linspace(1.0, 0.0, length, dtype=np.float32)
    return samples, rate


def _encoded(sound: tuple[Array, int]) -> bytes:
    import soundfile

    samples, rate = sound
    buffer = io.BytesIO()
    # a piano has little above 10 kHz: half the rate is half the file
    soundfile.write(buffer, samples[::2], rate // 2, format="MP3", compression_level=0.6, bitrate_mode="VARIABLE")
    return buffer.getvalue()


def _soundfont() -> bytes:
    import pretty_midi

    return (Path(pretty_midi.__file__).parent / "TimGM6mb.sf2").read_bytes()
