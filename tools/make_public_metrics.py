r"""Runs the public programs that our metrics are compared with, and writes tests/data/public_metrics/*.json.

The files contain numbers only. The programs are MusPy, and three that are no packages and are read from checkouts:
mgeval (GitHub, RichardYang40148/mgeval), MusDr (slSeanWU/MusDr) and pytorch-fid (mseitzer/pytorch-fid). To run it
again:

    python -m venv public && public/bin/pip install muspy scikit-learn pandas pluggy pydantic symusic
    PYTHONPATH=.:plugins:tests public/bin/python tools/make_public_metrics.py \
        --mgeval MGEVAL --musdr MUSDR --fid FID --smd SMD

where the first three are folders of the checkouts, and the last one is the folder with the Saarland Music Data.

mgeval is written for Python 2 and for the package python-midi, which no longer installs. Its code runs unchanged but
for two ``print`` statements and one ``float``; the package is replaced by the few lines of :func:`midi_module`.
"""  # noqa: INP001 - a script

from __future__ import annotations

import argparse
import ast
import copy
import json
import re
import sys
import tempfile
import types
from pathlib import Path
from typing import TYPE_CHECKING, Any

import mido
import muspy
import numpy as np
import scipy  # noqa: TID253 - with MusPy around, speed of loading is not the point
from scipy import integrate, stats  # noqa: TID253
from support.plain_pieces import NAMES, TICKS, one_after_another, prelude_excerpts, quarters, real_pieces

from ablate_setdistances.symbolic import symbolic_features
from ablate_structure.similarity import chroma

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from ablate import Performance

DATA = Path(__file__).parent.with_name("tests") / "data/public_metrics"
#: Of groove, in seconds and positions; and of the self-similarity, in frames of a second.
BAR, POSITIONS, FRAMES, SMOOTHING = 2.0, 16, 60, 8
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


def main() -> None:
    """Write one file for the excerpts of the prelude, and one for the twelve pieces."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("mgeval", "musdr", "fid", "smd"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    folders = parser.parse_args()
    mgeval, musdr = Mgeval(folders.mgeval), Musdr(folders.musdr)
    fid = function(folders.fid / "src/pytorch_fid/fid_score.py", "calculate_frechet_distance", {"linalg": scipy.linalg})
    recordings = [folders.smd / f"{name}.mid" for name in NAMES]
    for name, pieces in (("prelude", prelude_excerpts()), ("smd", real_pieces(folders.smd))):
        long = [one_after_another(pieces)] if name == "prelude" else pieces
        content = {
            "made_with": {"muspy": muspy.__version__, "numpy": np.__version__, "scipy": scipy.__version__},
            "mgeval": mgeval.features(pieces),
            "mgeval_sets": mgeval.sets(pieces),
            "muspy": [of_muspy(music_of(piece)) for piece in pieces],
            "musdr_groove": [musdr.groove(piece) for piece in pieces],
            "musdr_structure": [musdr.structure(piece) for piece in long],
            "fid": frechet(quarters(pieces), fid),
        }
        if name == "smd":
            found = mgeval.of_files(recordings)
            content["mgeval_recordings"] = {key: each for key, each in found.items() if "transitions" not in key}
            content["muspy_recordings"] = [of_muspy(muspy.read_midi(path)) for path in recordings]
        DATA.mkdir(exist_ok=True)
        (DATA / f"{name}.json").write_text(json.dumps(rounded(content), indent=None) + "\n")


def rounded(content: Any) -> Any:
    """Return the numbers with ten digits, arrays as lists."""
    if isinstance(content, dict):
        return {key: rounded(value) for key, value in content.items()}
    if isinstance(content, list | tuple | np.ndarray):
        return [rounded(value) for value in content]
    return content if isinstance(content, str) else float(f"{float(content):.10g}")


def source(path: Path) -> str:
    """Return the code of a module without its import of an audio library, which nothing here calls."""
    return path.read_text(encoding="utf-8").replace("import librosa", "")


def module(name: str, code: str) -> types.ModuleType:
    """Run code as a module."""
    made = types.ModuleType(name)
    exec(compile(code, name, "exec"), made.__dict__)  # noqa: S102 - the programs of the comparison
    return made


def function(path: Path, name: str, names: dict[str, Any]) -> Callable[..., float]:
    """Return one function of a file whose other parts need libraries that are not installed."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    (found,) = (node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == name)
    made: dict[str, Any] = {"np": np, **names}
    exec(compile(ast.Module([found], []), str(path), "exec"), made)  # noqa: S102
    return made[name]


def frechet(pieces: Sequence[Performance], fid: Callable[..., float]) -> float:
    """Return the distance of the first half of the pieces from the second."""
    vectors = np.array([symbolic_features(piece.notes) for piece in pieces])
    one, other = np.array_split(vectors, 2)
    return fid(one.mean(axis=0), np.cov(one.T), other.mean(axis=0), np.cov(other.T))


def ticks(piece: Performance) -> Iterator[tuple[int, int, int]]:
    """Yield pitch, start and end of each note, in ticks."""
    for note in piece.notes:
        yield int(note["pitch"]), round(note["start"] * TICKS), round(note["end"] * TICKS)


def music_of(piece: Performance) -> muspy.Music:
    """Return a piece for MusPy, without a MIDI file in between."""
    notes = [muspy.Note(start, pitch, end - start, 64) for pitch, start, end in ticks(piece)]
    return muspy.Music(resolution=TICKS // 2, tracks=[muspy.Track(notes=notes)])


def of_muspy(music: muspy.Music) -> dict[str, float]:
    """Return MusPy's numbers; those of beats also with a beat of one tick."""
    names = ("n_pitches_used", "n_pitch_classes_used", "pitch_range", "pitch_entropy", "pitch_class_entropy")
    names += ("scale_consistency", "polyphony", "empty_beat_rate")
    found = {name: getattr(muspy, name)(music) for name in names}
    for grid in (POSITIONS, round(BAR * TICKS)):
        other = copy.deepcopy(music).adjust_resolution(grid // 4)
        found[f"groove_consistency_{grid}"] = muspy.groove_consistency(other, grid)
    music.resolution = 1
    return {**found, "empty_tick_rate": muspy.empty_beat_rate(music)}


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


class Musdr:
    """MusDr.

    Args:
        folder: of its checkout.
    """

    def __init__(self, folder: Path) -> None:
        sys.path.insert(0, str(folder / "musdr"))
        self._metrics = module("eval_metrics", source(folder / "musdr/eval_metrics.py"))
        self._similarity = module("ssm_features", source(folder / "mueller_audio_tools/ssm_features.py"))
        scape = source(folder / "mueller_audio_tools/scapeplot.py")
        self._scape = module("scapeplot", scape)
        # the two slips that ablate_structure.scape describes
        for slip, repair in (
            ("D[n-1, m-1], D[n-1, m-2], D", "D[n-1, m-1], D[n-1, m-2] if m > 2 else -inf, D"),
            ("n<=2", "n<=1"),
            ("n>2", "n>1"),
        ):
            if slip not in scape:
                raise SystemExit(f"scapeplot.py has no {slip!r}: another version of MusDr")
            scape = scape.replace(slip, repair)
        self._repaired = module("repaired", scape)

    def groove(self, piece: Performance) -> float:
        """Return the similarity of all pairs of bars, from the events that MusDr reads."""
        step = BAR / POSITIONS
        places = [round(start / TICKS / step) for _, start, _ in ticks(piece)]
        last = max(round(end / TICKS / step) for _, _, end in ticks(piece))
        bar, position = 1000, range(2000, 2000 + POSITIONS)
        events: list[int] = []
        for number in range(last // POSITIONS + 1):
            events.append(bar)
            for place in sorted({p % POSITIONS for p in places if p // POSITIONS == number}):
                events += [position[place], 60]
        # a bar at the very end is taken for a mark of the end, so one more is put there
        return self._metrics.compute_piece_groove_similarity(
            [*events, bar] if events[-1] == bar else events, bar, position, max_pairs=10**9
        )

    def structure(self, piece: Performance) -> dict[str, Any]:
        """Return the indicators of the first minute: of MusDr as it is, and with its slips repaired."""
        frames = min(FRAMES, int(piece.seconds))
        columns = chroma(piece.notes, 1.0, 2.0, frames).T
        cells, _ = self._similarity.compute_SM_TI(columns, columns, L=SMOOTHING, shift_set=np.arange(12), direction=2)
        cells = self._similarity.threshold_matrix(cells, thresh=0.25, strategy="relative", scale=True, penalty=-2)
        cells = self._scape.normalization_properties_SSM(cells)
        found: dict[str, Any] = {"cells": float(cells.sum())}
        for name, program in (("musdr", self._scape), ("repaired", self._repaired)):
            plot = program.compute_fitness_scape_plot(cells)[0]
            found[name] = [plot[low - 1 : high].max() for low, high in ((3, 8), (8, 15), (15, 128))]
        return found


if __name__ == "__main__":
    main()
