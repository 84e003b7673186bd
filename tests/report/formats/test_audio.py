"""Sound: rendered with a sampled piano, kept for the next time, and said to be missing where it is."""

from __future__ import annotations

import io
import os
import sys
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from support.outputs_material import Parsed
from support.report_study import STUDY, Builder

from ablate.music.performance import Performance
from ablate.report.formats import audio
from ablate.report.write import write_report

if TYPE_CHECKING:
    from pathlib import Path

needs_audio = pytest.mark.skipif(not audio.available(), reason=f"no renderer; {audio.INSTALL}")


def scale(velocity: int = 80) -> Performance:
    return Performance.from_notes([(60 + step, velocity, 0.5 * step, 0.5 * step + 0.4) for step in range(8)])


def heard(data: bytes) -> tuple[np.ndarray[Any, Any], int]:
    import soundfile

    samples, rate = soundfile.read(io.BytesIO(data))
    return samples, rate


def loudness(samples: np.ndarray[Any, Any]) -> float:
    return float(np.sqrt(np.mean(samples**2)))


@needs_audio
def test_what_is_heard_is_as_long_as_what_is_played(tmp_path: Path) -> None:
    samples, rate = heard(audio.render(scale(), tmp_path))
    assert samples.ndim == 1
    assert 3.9 < len(samples) / rate < 8.0, "the notes end after 3.9 s, and the last one may ring"
    assert 0.01 < loudness(samples[: round(3.9 * rate)]) < 1.0
    assert np.abs(samples[-rate // 50 :]).max() < 0.01, "it has faded out"


@needs_audio
def test_what_is_played_louder_sounds_louder(tmp_path: Path) -> None:
    soft, loud = (heard(audio.render(scale(velocity), tmp_path))[0] for velocity in (30, 110))
    assert loudness(loud) > 2 * loudness(soft)
    assert np.abs(loud).max() <= 1.01


@needs_audio
def test_instruments_have_their_sounds(tmp_path: Path) -> None:
    sounds = {}
    for instrument in (0, 73, 128):
        held = Performance.from_notes(
            [(38, 90, 0.0, 3.0, instrument)] if instrument == 128 else [(74, 90, 0, 3, instrument)]
        )
        samples, rate = heard(audio.render(held, tmp_path, ensemble=True))
        assert rate == 48_000, "cymbals have much above 10 kHz"
        sounds[instrument] = [loudness(samples[round(rate * at) : round(rate * (at + 0.4))]) for at in (0.05, 1.0)]
    kept = {instrument: late / early for instrument, (early, late) in sounds.items()}
    assert kept[128] < 0.01 < kept[0] < 0.2, "a snare is short, and a piano fades"
    assert kept[73] > 0.3, "a flute is held"
    assert min(early for early, _ in sounds.values()) > 0.01


@needs_audio
def test_the_same_notes_are_rendered_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = audio.render(scale(), tmp_path / "cache")
    (kept,) = (tmp_path / "cache").iterdir()
    assert kept.read_bytes() == first
    os.utime(kept, (0, 0))
    monkeypatch.setitem(sys.modules, "midirenderer", None)
    assert audio.render(scale(), tmp_path / "cache") == first
    assert kept.stat().st_mtime == 0
    with pytest.raises(ImportError):
        audio.render(scale(100), tmp_path / "cache")


@pytest.fixture
def small(tmp_path: Path) -> Builder:
    builder = Builder(tmp_path, ("tau=0.6", "tau=0.8"), 2, 1)
    builder.plan()
    builder.finish()
    return builder


@needs_audio
def test_every_clip_of_a_page_has_its_sound(small: Builder) -> None:
    with small.store as store:
        page = write_report(store, small.home, STUDY)
    read = Parsed(page.read_text(encoding="utf-8"))
    sources = [given["src"] for tag, given in read.elements if tag == "audio"]
    assert len(sources) == len(set(sources)) == sum(tag == "canvas" for tag, _ in read.elements) > 2
    for source in sources:
        assert loudness(heard((page.parent / source).read_bytes())[0]) > 0.001
    assert "install the renderer" not in read.text


def test_without_the_extra_the_page_says_how_to_get_it(small: Builder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with small.store as store:
        page = write_report(store, small.home, STUDY)
    read = Parsed(page.read_text(encoding="utf-8"))
    assert "audio" not in read.tags
    assert "canvas" in read.tags, "the piano rolls are there"
    assert f"To hear them, install the renderer ({audio.INSTALL})" in read.text
    assert not (page.parent / "audio").exists()
