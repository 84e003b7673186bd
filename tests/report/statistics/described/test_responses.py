"""Whether the music follows a label: lines through its levels, replicate by replicate."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

from ablate.report.statistics.described.responses import responses
from ablate.report.statistics.described.summary import NOTHING
from ablate.report.text.tables.terminal import response_table

if TYPE_CHECKING:
    from collections.abc import Callable

LEVELS = (0.8, 0.9, 1.0, 1.1, 1.2)


def frame_of(
    value: Callable[[str, float, int, int], float], levels: tuple[float, ...] = LEVELS, direction: str = "none"
) -> pd.DataFrame:
    """A study of two named variants by one label, three replicates and two samples, measured once."""
    rows = [
        ("study", f"{name}, tempo={level}", name, level, replicate, sample, value(name, level, replicate, sample))
        for name in ("told", "untold")
        for level in levels
        for replicate in range(3)
        for sample in range(2)
    ]
    columns = ["study", "variant", "variants", "labels.tempo", "replicate", "sample", "value"]
    frame = pd.DataFrame(rows, columns=columns)
    variants = list(dict.fromkeys(frame["variant"]))
    frame["variant"] = pd.Categorical(frame["variant"], variants, ordered=True)
    about = {"metric": "control.tempo", "feature": "notes_per_second", "unit": "1", "direction": direction}
    return frame.assign(baseline=frame["variant"] == variants[0], n=10, **about)


def test_slope_and_correlation_are_each_replicates_own() -> None:
    noise = np.random.default_rng(0).normal(0, 0.02, size=(5, 3, 2))

    def value(name: str, level: float, replicate: int, sample: int) -> float:
        slope = (1.0, 0.8, 1.1)[replicate] if name == "told" else 0.0
        return slope * level + replicate + float(noise[LEVELS.index(level), replicate, sample])

    rows = responses(frame_of(value)).set_index("variant")
    assert list(rows.index) == ["told", "untold"]
    for name in rows.index:
        means = np.array(
            [[np.mean([value(name, level, r, s) for s in range(2)]) for level in LEVELS] for r in range(3)]
        )
        x = np.array(LEVELS) - np.mean(LEVELS)
        slopes = means @ x / (x @ x)
        correlations = [np.corrcoef(LEVELS, row)[0, 1] for row in means]
        assert rows.loc[name, "slope"] == pytest.approx(slopes.mean())
        assert rows.loc[name, "slope_sd"] == pytest.approx(slopes.std(ddof=1))
        assert rows.loc[name, "correlation"] == pytest.approx(np.mean(correlations))
        assert rows.loc[name, "n"] == 3


def test_what_does_not_move_does_not_follow() -> None:
    rows = responses(frame_of(lambda name, level, replicate, sample: 2.0))
    assert rows["slope"].abs().max() < 1e-9
    assert set(rows["correlation"]) == {0.0}


def test_nothing_is_said_of_two_levels_or_of_what_should_be_low() -> None:
    def value(name: str, level: float, replicate: int, sample: int) -> float:
        return level

    assert responses(frame_of(value, levels=(0.8, 1.2))).empty
    assert responses(frame_of(value, direction="lower")).empty


def test_a_replicate_without_all_its_levels_is_left_out() -> None:
    frame = frame_of(lambda name, level, replicate, sample: level)
    part = frame[(frame["replicate"] < 2) | (frame["labels.tempo"] < 1.0)]
    rows = responses(part)
    assert set(rows["n"]) == {2}
    assert rows["slope"].tolist() == pytest.approx([1.0, 1.0])


def test_the_table_reads() -> None:
    table = response_table(responses(frame_of(lambda name, level, replicate, sample: level)))
    assert table.rows[0] == ("told", "control.tempo notes_per_second", "tempo", "1.00 ± 0.00", "1.00 ± 0.00", "3")
    single = responses(frame_of(lambda name, level, replicate, sample: level).query("replicate == 0"))
    assert math.isnan(single["slope_sd"][0])
    assert response_table(single).rows[0][3] == f"1.00 ± {NOTHING}"


def test_where_no_replicate_has_a_line_there_is_no_row() -> None:
    frame = frame_of(lambda name, level, replicate, sample: level, levels=(0.8, 1.0, 1.2))
    assert responses(frame[frame["replicate"] != (frame["labels.tempo"] * 5 - 4).round()]).empty


def test_names_of_a_category_have_no_line_through_them() -> None:
    frame = frame_of(lambda name, level, replicate, sample: level)
    names = frame["labels.tempo"].map({level: f"00{place}" for place, level in enumerate(LEVELS)})
    assert responses(frame.assign(**{"labels.tempo": names})).empty
