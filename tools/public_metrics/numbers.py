"""MusPy's numbers, and pytorch-fid's distance."""

from __future__ import annotations

import ast
import copy
from typing import TYPE_CHECKING, Any

import muspy
import numpy as np
from support.plain_pieces import TICKS

from ablate_setdistances.symbolic import symbolic_features
from public_metrics import BAR, POSITIONS, ticks

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from ablate import Performance


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
