"""How tables are read: separators, encodings, long and wide, guesses, and what is left out."""

from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ablate.errors import AblateError
from ablate.printable import from_inert, printable
from ablate.report.formats.csv import csv_text

if TYPE_CHECKING:
    from support.judging import Judge

WIDE = "method,seed,loss\nours,1,0.5\nours,2,0.6\nlstm,1,0.7\nlstm,2,0.8\n"
LONG = "method,seed,metric,value\nours,1,loss,0.5\nours,2,loss,0.6\nlstm,1,loss,0.7\nlstm,2,loss,0.8\n"
RUNS = {("ours", 0): 0.5, ("ours", 1): 0.6, ("lstm", 0): 0.7, ("lstm", 1): 0.8}


def values(study: object) -> dict[tuple[str, int], float]:
    runs = study.runs.runs  # type: ignore[attr-defined]
    return {(run.variant, run.replicate): run.values["loss"][0] for run in runs}  # noqa: PD011


def parquet(text: str) -> bytes:
    header, *rows = (line.split(",") for line in text.splitlines())
    columns = dict(zip(header, zip(*rows, strict=True), strict=True))
    columns |= {"seed": list(map(int, columns["seed"])), "loss": list(map(float, columns["loss"]))}
    buffer = io.BytesIO()
    pq.write_table(pa.table(columns), buffer)
    return buffer.getvalue()


def json_lines(text: str) -> str:
    header, *rows = (line.split(",") for line in text.splitlines())
    records = [dict(zip(header, row, strict=True)) for row in rows]
    return "\n".join(json.dumps({**r, "seed": int(r["seed"]), "loss": float(r["loss"])}) for r in records)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("wide.csv", WIDE),
        ("long.csv", LONG),
        ("excel.csv", WIDE.replace(",", ";").replace(".", ",").encode("utf-8-sig")),
        ("excel.txt", WIDE.replace(",", "\t").encode("utf-16")),
        ("pandas.csv", "".join(f"{i - 1 if i else ''},{line}\n" for i, line in enumerate(WIDE.splitlines()))),
        ("lines.jsonl", json_lines(WIDE)),
        ("list.json", json.dumps([json.loads(line) for line in json_lines(WIDE).splitlines()])),
        ("table.parquet", parquet(WIDE)),
    ],
)
def test_every_format_has_the_same_results(judged: Judge, name: str, content: str | bytes) -> None:
    study = judged(content, name)
    assert values(study) == RUNS
    assert study.runs.paired
    assert study.runs.baseline.name == "ours"
    assert list(study.plain()["axes"].items()) == [("method", ["ours", "lstm"])]


def test_a_windows_encoding_is_named_and_not_guessed(judged: Judge) -> None:
    text = WIDE.replace("lstm", "größe").encode("cp1252")
    with pytest.raises(AblateError, match=r"results.csv: line 4 is not text in UTF-8; .*--encoding cp1252"):
        judged(text)
    assert [variant.name for variant in judged(text, encoding="cp1252").runs.variants] == ["ours", "größe"]


def test_guesses_are_told(judged: Judge) -> None:
    rows = [f"{m},{lr},{s},{s + i / 9},fine,7\n" for i, (m, lr) in enumerate((("a", 1), ("b", 2))) for s in (3, 4)]
    study = judged("model,lr,run,score,comment,epoch\n" + "".join(rows))
    assert study.notes[:4] == (
        "guessed: variant = model; replicate = run; metrics = score",
        "1 column not used (one value in each variant): lr",
        "1 column not used (text): comment",
        "1 column not used (describes the row): epoch",
    )


def test_means_over_different_pieces_are_told(judged: Judge) -> None:
    """A variant that lacks the hard pieces would be better."""
    rows = "method,seed,piece,loss\nbase,1,easy,1\nbase,1,hard,3\nours,1,easy,1\n"
    assert (
        "warning: 1 of 2 runs (ours) lack values of loss of some piece (hard), so means over different values of piece "
        "are compared: leave these out everywhere"
    ) in judged(rows).notes
    assert not any("warning" in note for note in judged(f"{rows}ours,1,hard,3\n").notes)


def test_names_that_look_like_numbers(judged: Judge) -> None:
    merged = judged("system,seed,loss\n1.1,1,0.5\n1.10,2,0.6\n1.2,1,0.7\n1.2,2,0.8\n")
    assert "one level of system, because they are the same number: 1.1, 1.10" in merged.notes
    apart = judged("system,seed,loss\n1_2,1,0.5\n1_2,2,0.6\n12,1,0.7\n12,2,0.8\n")
    assert {run.variant for run in apart.runs.runs} == {"1_2", "12"}


def test_numbers_of_runs_are_replicates_and_no_result(judged: Judge) -> None:
    rows = [f"{m},{base + n},{n / 9}\n" for m, base in (("a", 100), ("b", 200)) for n in range(3)]
    study = judged("model,run_id,score\n" + "".join(rows))
    assert study.notes[0] == "guessed: variant = model; replicate = run_id; metrics = score"
    assert not study.runs.paired


def test_all_that_is_left_out_is_counted(judged: Judge) -> None:
    study = judged(
        "method,seed,loss,f1\nours,1,0.5,1\nours,2,0.6,1\nours,2,0.6,1\n,,,\nlstm,1,nan,1\nlstm,2,diverged,2\n"
        "lstm,3,0.7,\nours,3,0.5,1\n,4,0.1,1\nlstm,,0.1,1\nlstm,4,inf,1\n"
    )
    left = [note for note in study.notes if "left out" in note]
    assert left == [
        "1 empty row left out",
        "left out, repeated rows with equal values: 1 (line 4)",
        "left out, values of loss that are missing or NaN: 1 (line 6)",
        "left out, values of loss that are text: 1 (line 7)",
        "left out, values of f1 that are missing or NaN: 1 (line 8)",
        "left out, rows without method: 1 (line 10)",
        "left out, rows without seed: 1 (line 11)",
        "left out, infinite values of loss: 1 (line 12)",
    ]
    assert "ours has no seed 4: each comparison uses the replicates that all of its variants have" in study.notes


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "is empty"),
        ("method,seed,loss\n", "has a header and no rows"),
        ("method,seed,loss\nours,1\n", "line 2 has 2 cells, and the header has 3"),
        ("method,loss,loss\nours,1,2\n", "has 2 columns named 'loss'"),
        ('method,loss\n"ours,1\n', "check its quotes"),
        (
            "a,b,c\nx,y,1\n",
            "cannot guess which column has the variants; name it with --variant (columns with text: a, b",
        ),
        ("method,seed\nours,1\n", "has no column of numbers to judge"),
        ("method,seed,loss\nours,1,0.5\nours,1,0.6\n", "ours, seed 1 has two values of loss: 0.5 in line 2 and 0.6"),
        ("method,step,seed,loss\nours,1,1,0.5\nours,2,1,0.6\n", "keep the row of one step"),
        (b"PK\x03\x04", "is an Excel workbook"),
        (b"PAR1 and no more", "is no readable Parquet file"),
        ("a,b\0\n1,2\n", "has bytes that no text has"),
        ('{"loss": 1}\n{"loss": \n', "line 2 is not valid JSON"),
        ('{"loss": 1}\n7\n', "line 2 is no JSON object"),
    ],
)
def test_what_is_no_table_is_refused_in_one_line(judged: Judge, content: str | bytes, message: str) -> None:
    with pytest.raises(AblateError) as caught:
        judged(content)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        ({"wanted": {"variants": ("metod",)}}, "did you mean 'method'?"),
        ({"wanted": {"metrics": ("los",)}}, "did you mean 'loss'?"),
        ({"wanted": {"metrics": ("method",), "variants": ("seed",)}}, "column 'method' has no numbers to judge"),
        ({"wanted": {"variants": ("seed",), "replicate": "seed"}}, "cannot have two roles"),
        ({"wanted": {"metric": "method"}}, "needs both --metric-column and --value-column"),
        ({"baseline": ("our",)}, "unknown baseline 'our' in "),
        ({"baseline": ("our",)}, "did you mean 'ours'?"),
        ({"directions": [("los", "lower")]}, "did you mean 'loss'?"),
        ({"directions": [("loss", "down")]}, "give one of lower, higher, none"),
        ({"margins": [("loss", "much")]}, "give a number above 0, or a share"),
        ({"margins": [("loss", -1)]}, "give a number above 0, or a share"),
    ],
)
def test_options_that_do_not_fit_are_refused(judged: Judge, request_: dict[str, object], message: str) -> None:
    with pytest.raises(AblateError) as caught:
        judged(WIDE, **request_)
    assert message in str(caught.value)


HOSTILE = ["=cmd|' /C calc'!A0", "+1", "-1", "@x", "\ttab", "'=quoted", "''", "\x1b[31mred", 'a|b,c;"d"', "two  spaces"]


def test_texts_are_read_back_to_the_letter_and_numbers_stay(judged: Judge) -> None:
    """``ablate judge`` reads the export of a study."""
    frame = pd.DataFrame({"=name": HOSTILE, "seed": range(len(HOSTILE)), "loss": np.arange(len(HOSTILE)) - 3.5})
    frame["=name"] = pd.Categorical(frame["=name"], HOSTILE)
    text = csv_text(frame)
    assert not [line for line in text.splitlines() if line.startswith(("=", "+", "-", "@", "\t"))]
    rows = list(csv.reader(io.StringIO(text)))
    assert rows[0] == ["'=name", "seed", "loss"]
    assert [from_inert(row[0]) for row in rows[1:]] == HOSTILE
    assert rows[1][2] == "-3.5"
    study = judged(text, wanted={"variants": ("=name",), "metrics": ("loss",)})
    assert {variant.name for variant in study.runs.variants} == {printable(name).strip() for name in HOSTILE}
    signs = judged(csv_text(frame[1:3]), wanted={"variants": ("=name",), "metrics": ("loss",)})
    assert [variant.name for variant in signs.runs.variants] == ["+1", "-1"], "names, although they look like numbers"
