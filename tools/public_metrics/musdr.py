"""MusDr: the program of Wu and Yang."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import numpy as np
from support.plain_pieces import TICKS

from ablate_structure.similarity import chroma
from public_metrics import BAR, POSITIONS, module, source, ticks

if TYPE_CHECKING:
    from pathlib import Path

    from ablate import Performance

#: Of the self-similarity, in frames of a second.
FRAMES, SMOOTHING = 60, 8


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
