"""Sound for the page: MIDI rendered with sampled instruments, as MP3.

The renderer and the encoder belong to the extra ``ablate-music[audio]``; the soundfont is part of pretty_midi.
It has the sounds of General MIDI and its drums, so every instrument has its sound; a program that it lacks
sounds as another one. All clips of a page are rendered with the same gain, so music that is played louder sounds
louder.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib.util
import io
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ablate.errors import UnsafePath
from ablate.files import write_whole
from ablate.inside import inside

if TYPE_CHECKING:
    from ablate.arrays import Array
    from ablate.music.performance import Performance

#: The command that installs the extra.
INSTALL = "pip install 'ablate-music[audio]'"
#: Version of the audio cache; increment it when rendering changes.
VERSION = 1
#: The renderer plays softly, so that many loud notes at once are not clipped; pieces seldom need that.
GAIN = 8.0
#: The same for several instruments, of which more notes sound at once.
ENSEMBLE_GAIN = 3.0
#: The length of the fade-out in seconds.
FADE = 0.8


def available() -> bool:
    """Check whether the extra is installed."""
    return all(importlib.util.find_spec(name) for name in ("midirenderer", "soundfile"))


def render(performance: Performance, cache: Path, *, ensemble: bool = False) -> bytes:
    """Return a performance as the bytes of an MP3 file, mono; it is kept in ``cache`` for the next time, if it can be.

    Args:
        performance: the music, at least one note.
        cache: a folder; it is created if necessary.
        ensemble: whether the page has music of other instruments than a piano.
    """
    midi = performance.midi_bytes()
    version = bytes([VERSION, 1] if ensemble else [VERSION])
    file = cache / f"{hashlib.sha256(version + midi).hexdigest()[:24]}.mp3"
    try:
        return inside(cache, file.name).read_bytes()
    except (OSError, UnsafePath):  # not there; a link is replaced
        pass
    data = mp3(midi, ensemble=ensemble)
    with contextlib.suppress(OSError):  # a home that cannot be written, or is full, still has a report elsewhere
        write_whole(file, data)
    return data


def mp3(midi: bytes, *, ensemble: bool = False) -> bytes:
    """Return a MIDI file as the bytes of an MP3 file, mono; see :func:`render`."""
    # a piano has little energy above 10 kHz, and half the rate gives half the size; cymbals have much
    gain, step = (ENSEMBLE_GAIN, 1) if ensemble else (GAIN, 2)
    return _encode(_fade_out(_play(midi, gain)), step)


def _play(midi: bytes, gain: float) -> tuple[Array, int]:
    """Return samples in -1 to 1, [time], and the sample rate."""
    import midirenderer
    import soundfile

    wave = midirenderer.render_wave_from(_soundfont(), midi)
    samples, rate = soundfile.read(io.BytesIO(wave), dtype="float32", always_2d=True)
    # tanh is linear for normal levels, and never beyond full scale
    return np.tanh(gain * samples.mean(axis=1)), rate


def _fade_out(sound: tuple[Array, int]) -> tuple[Array, int]:
    samples, rate = sound
    length = min(len(samples), round(FADE * rate))
    samples[len(samples) - length :] *= np.linspace(1.0, 0.0, length, dtype=np.float32)
    return samples, rate


def _encode(sound: tuple[Array, int], step: int) -> bytes:
    """Return every ``step``-th sample as an MP3 file."""
    import soundfile

    samples, rate = sound
    buffer = io.BytesIO()
    form = {"format": "MP3", "compression_level": 0.6, "bitrate_mode": "VARIABLE"}
    soundfile.write(buffer, samples[::step], rate // step, **form)
    return buffer.getvalue()


def _soundfont() -> bytes:
    import pretty_midi

    return (Path(pretty_midi.__file__).parent / "TimGM6mb.sf2").read_bytes()
