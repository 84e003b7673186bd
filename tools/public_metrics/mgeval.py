"""mgeval in Python 3."""

from __future__ import annotations

import re
import sys
import tempfile
import types
from pathlib import Path
from typing import TYPE_CHECKING, Any

import mido
import numpy as np
from scipy import integrate, stats  # noqa: TID253 - with mgeval around, speed of loading is not the point
from support.plain_pieces import TICKS

from public_metrics import module, ticks

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ablate import Performance

#: mgeval's features by ours, with what follows the MIDI file in a call.
FEATURES: dict[str, tuple[str, tuple[int, ...]]] = {
    "pitch_count": ("total_used_pitch", ()),
    "pitch_range": ("pitch_range", ()),
    "pitch_interval": ("avg_pitch_shift", (0,)),
    "pitch_classes": ("total_pitch_class_histogram", ()),
    "pitch_class_transitions": ("pitch_class_transition_matrix", (2,)),
    "note_count": ("total_used_note", (0,)),
    "onset_interval": ("avg_IOI", ()),
    "note_lengths": ("note_length_hist", (0,)),
    "note_length_transitions": ("note_length_transition_matrix", (0, 2)),
}


class Mgeval:
    """mgeval in Python 3.

    Args:
        folder: of its checkout.
    """

    def __init__(self, folder: Path) -> None:
        core = (folder / "mgeval/core.py").read_text(encoding="utf-8")
        sys.modules["midi"] = midi_module()
        core = re.sub(r'print ("[^"]*")', r"print(\1)", core)
        self._metrics = module("core", core)
        utils = (folder / "mgeval/utils.py").read_text(encoding="utf-8")
        # SciPy's densities are arrays of one number, which its quad no longer takes
        self._utils = module("utils", utils.replace("min(pdf_A(x), pdf_B(x))", "float(min(pdf_A(x), pdf_B(x))[0])"))

    def features(self, pieces: Sequence[Performance]) -> dict[str, list[Any]]:
        """Return every feature of every piece."""
        with tempfile.TemporaryDirectory() as folder:
            paths = [Path(folder) / f"{i}.mid" for i in range(len(pieces))]
            for piece, path in zip(pieces, paths, strict=True):
                write(piece, path)
            return self.of_files(paths)

    def of_files(self, paths: Sequence[Path]) -> dict[str, list[Any]]:
        """Return every feature of every MIDI file."""
        read = [self._metrics.extract_feature(str(path)) for path in paths]
        metrics = self._metrics.metrics()
        return {
            ours: [getattr(metrics, name)(each, *arguments) for each in read]
            for ours, (name, arguments) in FEATURES.items()
        }

    def sets(self, pieces: Sequence[Performance]) -> dict[str, dict[str, float]]:
        """Compare the first half of the pieces, as samples, with the second, by each feature."""
        found = {}
        for name, values in self.features(pieces).items():
            ours, theirs = np.array_split(np.array(values, np.float64).reshape(len(pieces), 1, -1), 2)
            between = np.concatenate([self._utils.c_dist(one, theirs) for one in ours])
            found[name] = {}
            for prefix, group in (("", ours), ("reference_", theirs)):
                within = np.concatenate(
                    [self._utils.c_dist(one, np.delete(group, i, axis=0)) for i, one in enumerate(group)]
                )
                found[name] |= {f"{prefix}{key}": value for key, value in self._compared(within, between).items()}
        return found

    def _compared(self, within: np.ndarray, between: np.ndarray) -> dict[str, float]:
        """Return mgeval's comparison, and the definitions computed with SciPy on the whole line."""
        one, other = stats.gaussian_kde(within), stats.gaussian_kde(between)
        both = np.concatenate([within, between])
        room = 10 * max(within.std(), between.std())
        line = np.linspace(both.min() - room, both.max() + room, 200_001)
        p, q = one(line), other(line)
        known = p > 0  # and q is above 0 there in all cases compared
        return {
            "mgeval_overlap": self._utils.overlap_area(within, between),
            "mgeval_divergence": self._utils.kl_dist(within, between),
            "overlap": integrate.trapezoid(np.minimum(p, q), line),
            "divergence": integrate.trapezoid(
                np.where(known, p * (np.log(np.where(known, p, 1)) - other.logpdf(line)), 0), line
            ),
            # within mgeval's limits
            "cut_overlap": integrate.trapezoid(
                np.minimum(one(cut := np.linspace(both.min(), both.max(), 100_001)), other(cut)), cut
            ),
        }


def write(piece: Performance, path: Path) -> None:
    """Write a MIDI file of one track in which notes that start together keep their order."""
    events = [(end, 0, i, "note_off", pitch) for i, (pitch, _, end) in enumerate(ticks(piece))]
    events += [(start, 1, i, "note_on", pitch) for i, (pitch, start, _) in enumerate(ticks(piece))]
    track = mido.MidiTrack([mido.MetaMessage("set_tempo", tempo=500_000), mido.MetaMessage("time_signature")])
    now = 0
    for tick, _, _, kind, pitch in sorted(events):
        track.append(mido.Message(kind, note=pitch, velocity=64, time=tick - now))
        now = tick
    mido.MidiFile(type=0, ticks_per_beat=TICKS // 2, tracks=[track]).save(path)


def midi_module() -> types.ModuleType:
    """Return as much of python-midi as mgeval uses, over mido."""
    events = types.SimpleNamespace(
        NoteOnEvent=type("NoteOnEvent", (types.SimpleNamespace,), {}),
        NoteOffEvent=type("NoteOffEvent", (types.SimpleNamespace,), {}),
        TimeSignatureEvent=type("TimeSignatureEvent", (types.SimpleNamespace,), {}),
        OtherEvent=type("OtherEvent", (types.SimpleNamespace,), {}),
    )

    class Pattern(list):  # type: ignore[type-arg]
        resolution = 0

        def make_ticks_abs(self) -> None:
            """Do nothing: ticks are counted from the beginning already."""

    def event(message: Any, tick: int) -> Any:
        if message.type in ("note_on", "note_off"):
            kind = events.NoteOnEvent if message.type == "note_on" else events.NoteOffEvent
            return kind(tick=tick, data=[message.note, message.velocity])
        if message.type == "time_signature":
            return events.TimeSignatureEvent(tick=tick, data=[message.numerator, message.denominator.bit_length() - 1])
        return events.OtherEvent(tick=tick)

    def read_midifile(path: str) -> Pattern:
        file = mido.MidiFile(path)
        pattern = Pattern()
        pattern.resolution = file.ticks_per_beat
        for track in file.tracks:
            times = np.cumsum([message.time for message in track]).tolist()
            pattern.append([event(message, tick) for message, tick in zip(track, times, strict=True)])
        return pattern

    made = types.ModuleType("midi")
    made.__dict__.update(events=events, read_midifile=read_midifile)
    return made
