"""The sound of a performance in a notebook."""

from __future__ import annotations

import base64
import io
from typing import TYPE_CHECKING

import pytest

import ablate
from ablate.errors import UsageError
from ablate.music.performance import DRUMS, Performance, make_pedals
from ablate.report.formats import audio

if TYPE_CHECKING:
    from pathlib import Path

needs_audio = pytest.mark.skipif(not audio.available(), reason=f"no renderer; {audio.INSTALL}")
HELD = Performance.from_notes([(60, 80, 0.0, 9.0), (64, 80, 8.0, 9.0)], name="held")


@needs_audio
def test_a_sound_lasts_as_long_as_was_asked(tmp_path: Path) -> None:
    import soundfile

    sound = ablate.render_sound(HELD, seconds=2)
    samples, rate = soundfile.read(io.BytesIO(sound.mp3))
    assert 1.9 < len(samples) / rate < 6.0, "the note that is held is shortened, and may ring"
    sound.save(tmp_path / "held.mp3")
    assert (tmp_path / "held.mp3").read_bytes() == sound.mp3
    assert "held" in repr(sound)


@needs_audio
def test_jupyter_shows_a_player_with_the_sound_in_it() -> None:
    sound = ablate.render_sound(HELD, seconds=1)
    player = sound._repr_mimebundle_()["text/html"]
    assert player.startswith("<audio controls ")
    data = player.partition("data:audio/mpeg;base64,")[2].partition('"')[0]
    assert base64.b64decode(data) == sound.mp3


@needs_audio
def test_a_primer_is_played_first() -> None:
    primed = HELD.replace(primer=HELD.notes[:1], notes=HELD.notes[1:], primer_seconds=8.0)
    assert len(ablate.render_sound(primed, seconds=1).mp3) > 1000, "in the first second there is only the primer"


@needs_audio
def test_a_performance_without_a_note_there_is_refused() -> None:
    late = Performance.from_notes([(60, 80, 5.0, 6.0, DRUMS)], name="late")
    with pytest.raises(UsageError, match=r"late.* has no note in its first 5 s"):
        ablate.render_sound(late, seconds=5)


def test_without_the_extra_the_error_names_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(UsageError, match=r"pip install 'ablate-music\[audio\]'"):
        ablate.render_sound(HELD)


def test_the_beginning_of_a_performance() -> None:
    pedals = make_pedals(time=[1.0, 5.0], controller=64, value=127)
    start = HELD.replace(pedals=pedals).beginning(4.0)
    assert start.pedals["time"].tolist() == [1.0]
    assert start.notes["end"].tolist() == [4.0]
    assert HELD.notes["end"].tolist() == [9.0, 9.0], "the original is not changed"
