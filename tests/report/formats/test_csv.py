"""The CSV files of a report."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import hypothesis.strategies as st
import numpy as np
import pandas as pd
from hypothesis import given
from support.outputs_material import PITCH, RATE, drawn, put

from ablate.printable import from_inert, inert
from ablate.report.results import load_results
from ablate.report.write import write_report
from ablate.store.store import Store

if TYPE_CHECKING:
    from pathlib import Path


def test_the_csv_are_the_frames_of_python(tmp_path: Path) -> None:
    values = drawn(3, {"plain": 0.5, 'a, "b"\n': 0.2, "NA": 0.3, "007": 0.3}, [PITCH, RATE], (3, 2))
    with Store(f"sqlite:///{tmp_path / 'ablate.db'}") as store:
        put(store, "paper", values, floors={PITCH: [0.1, 0.2, 0.3]})
        write_report(store, tmp_path, "paper", ["csv"])
    results = load_results("paper", tmp_path)
    frames = {"measurements": results.frame(), "estimates": results.estimates(), "floors": results.floors()}
    frames |= {"effects": results.effects(), "runs": results.runs()}
    for name, frame in frames.items():
        words = [str(column) for column in frame if not pd.api.types.is_numeric_dtype(frame[column])]
        text = pd.read_csv(tmp_path / f"reports/paper/data/{name}.csv", dtype=str, keep_default_na=False)
        assert list(text.columns) == list(frame.columns)
        for column in words:
            assert text[column].to_list() == frame[column].astype(str).to_list(), (name, column)
        for column in set(frame.columns) - set(words):
            expected = frame[column].to_numpy(dtype=float)
            read = text[column].replace({"": "nan", "True": "1", "False": "0"}).to_numpy(dtype=float)
            np.testing.assert_array_equal(read, expected, f"{name} {column}")


@given(st.text())
def test_every_text_comes_back(text: str) -> None:
    assert from_inert(inert(text)) == text
    assert not re.match(r"[=+\-@\t\r]", inert(text))
