"""``study run --shard``: what is refused, and what is said about a part of a study."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from support.commands import Command

SMALL = """
question = "Does it run?"
replicates = {replicates}
{more}
[corpus.bach-prelude]
[tokenizer.midilike-classic]
[model.lstm]
embedding = 8
hidden = 8
[training]
steps = 2
batch = 1
window = 8
[generation]
samples = 1
tokens = 40
[floors]
draws = 0
shuffles = 1
[sampler.temperature]
[metric."distance.pitch"]
[axes]
sampler.temperature.tau = [0.8, 1.0]
[baseline]
sampler.temperature.tau = 1.0
"""


def study(tmp_path: Path, replicates: str = "2", more: str = "") -> str:
    (tmp_path / "small.toml").write_text(SMALL.format(replicates=replicates, more=more))
    return "small.toml"


@pytest.mark.parametrize("text", ["3", "0/3", "4/3", "x/3"])
def test_a_wrong_shard_is_one_line(ablate: Command, tmp_path: Path, text: str) -> None:
    done = ablate("study", "run", study(tmp_path), "--shard", text)
    assert done.code == 2
    assert done.err.count("\n") == 1
    assert f"--shard {text}" in done.err
    assert not (tmp_path / ".ablate").exists()


def test_a_search_and_looks_are_refused_with_the_reason(ablate: Command, tmp_path: Path) -> None:
    searched = ablate("study", "run", "course_path", "--shard", "1/2")
    assert searched.code == 2
    assert 'design = "path", which chooses each variant by the results of those before it' in searched.err
    planned = ablate("study", "plan", "course_path", "--shards", "2")
    assert planned.code == 2
    assert "--shards: " in planned.err
    looking = ablate("study", "run", study(tmp_path, "{ first = 2, most = 4 }"), "--until-decided", "--shard", "1/2")
    assert looking.code == 2
    assert "a look needs the results of all shards" in looking.err
    assert max(done.err.count("\n") for done in (searched, planned, looking)) == 1


def test_a_part_is_never_shown_as_the_study(ablate: Command, tmp_path: Path) -> None:
    file = study(tmp_path)
    ran = ablate("study", "run", file, "--shard", "2/2", "--workers", "1")
    assert ran.code == 0
    assert "shard 2/2 of small: 2 of its 2 runs done; the study has 4" in ran.out
    assert "note: no report of a part" in ran.err
    assert not (tmp_path / ".ablate/reports").exists()
    sentence = "This is a part of the study, shard 2/2: 2 of its 4 runs are not finished here"
    shown = ablate("study", "show", "small").out
    assert sentence in shown
    assert re.search(r"^ small +2 of 4 \(shard 2/2\) ", ablate("study", "list").out, re.MULTILINE)
    assert "to continue" not in shown  # here, that would run what other machines do
    for command in ("table", "export"):
        done = ablate("study", command, "small")
        assert done.code == 0, done.err
        assert sentence in done.err
        assert sentence not in done.out
    assert ablate("study", "report", "small").code == 0
    assert sentence in (tmp_path / ".ablate/reports/small/index.html").read_text()

    again = ablate("study", "run", file, "--shard", "2/2", "--workers", "1", "--json")
    facts = json.loads(again.out)
    assert (facts["shard"], facts["shard_runs"], facts["shard_runs_done"], facts["ran"]) == ("2/2", 2, 2, {})

    empty = ablate("study", "run", file, "--shard", "3/3", "--workers", "1", "--home", "empty")
    assert empty.code == 0
    assert "nothing to do, because the study has only 2 trainings to divide" in empty.out

    # the rest of the study makes it whole, in the same home
    whole = ablate("study", "run", file, "--workers", "1", "--no-report")
    assert whole.code == 0
    assert "ran 1 training" in whole.out
    assert "This is a part" not in ablate("study", "show", "small").out
