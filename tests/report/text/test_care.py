"""Sentences about the limits of verdicts."""

from __future__ import annotations

import pandas as pd

from ablate.report.statistics.doubts import Doubts
from ablate.report.text import care
from ablate.report.text.names import MOST_NAMES, listing


def test_each_reason_against_an_equivalence_is_given_once() -> None:
    rows = pd.DataFrame(
        {
            "comparison": ["a", "b", "c", "d", "e"],
            "withheld": ["for one reason", "", "for one reason", "for another", "for another"],
            "verdict": ["worse", "equivalent", "inconclusive", "better", "alike"],
        }
    )
    assert [line.text for line in care.withheld(rows)] == [
        "Whether the difference is too small to matter is left open for a, c: for one reason.",
        "Whether the difference is too small to matter is left open for d: for another.",
    ]


def test_every_reason_for_care_has_a_sentence() -> None:
    assert list(care.care(Doubts())) == []
    lines = [line.text for line in care.care(Doubts(True, ("a",), (("b", 2), ("c", 1))))]
    assert len(lines) == 3
    assert all(line.startswith("Read with care: ") for line in lines)
    assert "the values lean to one side" in lines[0]
    assert "a has a replicate far from the others" in lines[1]
    assert "missing replicates of b (2), c (1)." in lines[2]
    (line,) = care.care(Doubts(outlying=("a", "b")))
    assert "a, b have replicates far from the others" in line.text


def test_a_long_list_is_cut_and_counted() -> None:
    names = [f"v{number}" for number in range(MOST_NAMES + 3)]
    assert listing(names).endswith("v5 and 3 more")
    assert listing(["a, b", "c"]) == "a, b; c"
