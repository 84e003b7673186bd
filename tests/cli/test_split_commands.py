"""Commands about a study that holds pieces out: plan, run, export, report."""

from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING

import numpy as np
import pretty_midi
import pytest

from ablate import Performance
from ablate.music.midi import read_midi
from ablate.report.data.floors import floor_frame
from ablate.report.text.population import FOLDS
from ablate.store.store import Store

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from support.commands import Command, Outcome

TEXT = """
question = "Does it run?"
replicates = 2
[corpus.midi]
path = "music"
[tokenizer.midilike]
[model.lstm]
embedding = 8
hidden = 8
[training]
steps = 4
batch = 2
window = 16
[generation]
samples = 1
tokens = 20
[sampler.temperature]
[metric."distance.pitch"]
[axes]
sampler.temperature.tau = [1.0, 0.8]
"""


@pytest.fixture(autouse=True)
def music(tmp_path: Path) -> None:
    """Write six pieces in three folders, and a study of them."""
    rng = np.random.default_rng(0)
    for folder in ("bach", "chopin", "liszt"):
        (tmp_path / "music" / folder).mkdir(parents=True)
        for work in ("a", "b"):
            notes = [(int(rng.integers(40, 90)), 64, 0.5 * i, 0.5 * i + 0.5) for i in range(20)]
            piece = Performance.from_notes(notes).midi_bytes()
            (tmp_path / "music" / folder / f"{work}.mid").write_bytes(piece)
    (tmp_path / "split.toml").write_text(TEXT)


@pytest.fixture
def planned(ablate: Command) -> Callable[..., Outcome]:
    """Return a function that plans the study with settings."""
    return lambda *settings: ablate("study", "plan", "split.toml", *(w for s in settings for w in ("--set", s)))


def test_a_split_that_all_replicates_share_is_listed_once(planned: Callable[..., Outcome]) -> None:
    result = planned("split.test=['bach']", "split.validation=['liszt/a']")
    assert result.code == 0
    lines = [line.split() for line in result.out.splitlines()]
    assert ["all", "replicates", "train", "3", "30.0", "chopin/a,", "chopin/b,", "liszt/b"] in lines
    assert ["validation", "1", "10.0", "liszt/a"] in lines
    assert ["test", "2", "20.0", "bach/a,", "bach/b"] in lines


def test_each_fold_has_its_pieces_and_missing_folds_are_named(planned: Callable[..., Outcome]) -> None:
    result = planned("split.folds=3", "split.by=folder")
    assert result.code == 0
    assert "split.folds = 3, but there are 2 replicates: the pieces of 1 fold are never tested" in result.out
    assert [line.split()[:4] for line in result.out.splitlines() if "replicate " in line] == [
        ["replicate", "0", "train", "4"],
        ["replicate", "1", "train", "4"],
    ]


def test_json_lists_every_piece(planned: Callable[..., Outcome], ablate: Command) -> None:
    words = ("--set", "split.test=0.3", "--set", "split.per_replicate=true", "--json")
    splits = json.loads(ablate("study", "plan", "split.toml", *words).out)["splits"]
    assert [split["replicates"] for split in splits] == [[0], [1]]
    for split in splits:
        assert [len(pieces) for pieces in split["pieces"].values()] == [4, 0, 2]
        assert {piece["notes"] for pieces in split["pieces"].values() for piece in pieces} == {20}


def test_a_split_that_is_impossible_ends_the_plan(planned: Callable[..., Outcome]) -> None:
    result = planned("split.folds=4", "split.by=folder")
    assert result.code == 1
    assert "split: needs 4 folders or more to hold some out; the corpus has 3" in result.err


def test_without_a_split_no_piece_is_listed(planned: Callable[..., Outcome]) -> None:
    assert "all replicates" not in planned().out


def _pitches(file: Path) -> list[int]:
    return read_midi(file).notes["pitch"].tolist()  # type: ignore[no-any-return]


def _primer(ablate: Command, replicate: int) -> list[int]:
    """Return the pitches of the primer that a generated sample continues: 4 notes of its replicate's first piece."""
    words = ["--variant", "tau=0.8", "--replicate", str(replicate), "--set", "primer.notes=4", "--count", "1"]
    outcome = ablate("generate", "folds", *words, "--json", "--out", f"out{replicate}")
    assert outcome.code == 0, outcome.err
    primer, _ = pretty_midi.PrettyMIDI(json.loads(outcome.out)[0]["file"]).instruments
    return [note.pitch for note in primer.notes]


def test_a_study_is_tested_on_the_pieces_of_its_replicate(ablate: Command, tmp_path: Path) -> None:
    settings = {
        "split.folds": "3",
        "split.by": "folder",
        "split.validation": "0.17",
        "metric": "['likelihood.nll', 'distance.pitch']",
    }
    words = [word for path, value in settings.items() for word in ("--set", f"{path}={value}")]
    result = ablate("study", "run", "split.toml", *words, "--replicates", "3", "--name", "folds", "--workers", "1")
    assert result.code == 0, result.err
    assert "Verdicts are over training seeds and 3 folds of these 6 pieces." in result.out
    shown = ablate("study", "show", "folds").out
    compared = ablate("study", "compare", "folds:tau=1.0", "folds:tau=0.8").out
    assert shown.rstrip().endswith(
        f"3 folds of these 6 pieces. They are about these pieces, not about other ones. {FOLDS}"
    )
    assert compared.rstrip().endswith(
        f"3 folds of these 6 pieces. They are about these pieces, not about other ones. {FOLDS}"
    )
    exported = ablate("study", "export", "folds", "--table", "splits").out
    rows = list(csv.DictReader(io.StringIO(exported)))
    assert exported == (tmp_path / ".ablate/reports/folds/data/splits.csv").read_text().replace('"', "")
    for variant in ("tau=1.0", "tau=0.8"):
        own = [row for row in rows if row["variant"] == variant]
        uses = {(row["replicate"], row["use"]): set() for row in own}
        for row in own:
            uses[row["replicate"], row["use"]].add(row["piece"])
        tested = [uses[str(replicate), "test"] for replicate in range(3)]
        assert sorted(piece for pieces in tested for piece in pieces) == sorted({row["piece"] for row in own})
        for replicate, pieces in enumerate(tested):
            assert len({piece.partition("/")[0] for piece in pieces}) == 1, "a whole folder"
            assert len(uses[str(replicate), "validation"]) == 2
    for replicate in ("0", "1"):
        first = next(row["piece"] for row in rows if (row["replicate"], row["use"]) == (replicate, "train"))
        assert _primer(ablate, int(replicate)) == _pitches(tmp_path / "music" / f"{first}.mid")[:4]
    with Store(f"sqlite:///{tmp_path / '.ablate' / 'ablate.db'}") as store:
        floors = floor_frame(store, "folds")
    assert floors.groupby("floor")["replicate"].unique().map(sorted)["another_piece"] == [0, 1, 2]
    values = list(csv.DictReader(io.StringIO(ablate("study", "export", "folds").out)))
    assert len(values) >= 6
    runs = csv.DictReader(io.StringIO(ablate("study", "export", "folds", "--table", "runs").out))
    assert {run["state"] for run in runs} == {"done"}
    assert ablate("study", "export", "folds", "--table", "validation").out.startswith("variant,replicate,training,step")
    again = ablate("study", "run", "split.toml", *words, "--replicates", "3", "--name", "folds", "--workers", "1")
    assert "nothing to run" in again.out


def test_validation_losses_and_early_stops_are_reported(ablate: Command, tmp_path: Path) -> None:
    settings = {
        "split.validation": "['bach']",
        "split.test": "['liszt']",
        "metric": "['likelihood.nll']",
        "training.steps": 60,
        "training.validate_every": 2,
        "training.keep": "best",
        "training.patience": 2,
        "training.learning_rate": 0.3,
    }
    words = [word for path, value in settings.items() for word in ("--set", f"{path}={value}")]
    result = ablate("study", "run", "split.toml", *words, "--name", "stopped", "--workers", "1")
    assert result.code == 0, result.err
    assert "Verdicts are over training seeds, for these 2 test pieces: liszt/a, liszt/b." in result.out
    assert "Read with care: this is measured on 2 test pieces only" in result.out
    tables = {}
    for table in ("runs", "validation"):
        exported = ablate("study", "export", "stopped", "--table", table).out
        tables[table] = list(csv.DictReader(io.StringIO(exported)))
    for run in tables["runs"]:
        own = [r for r in tables["validation"] if (r["variant"], r["replicate"]) == (run["variant"], run["replicate"])]
        losses = [float(row["loss"]) for row in own]
        assert (run["stopped_early"], float(run["steps"])) == ("1.0", float(own[-1]["step"])), "the rate is too high"
        best = losses.index(min(losses))
        assert len(losses) - 1 - best == 2, "the training ends after two validations without a smaller loss"
        assert [row["kept"] for row in own] == [str(index == best) for index in range(len(own))]
        assert float(run["kept_step"]) == float(own[best]["step"])
        assert float(run["validation_loss"]) == pytest.approx(losses[best])
    page = (tmp_path / ".ablate/reports/stopped/index.html").read_text()
    for text in ("Loss on the validation pieces", "2 of 2", "validation loss of 2 trainings", "only 2 test pieces"):
        assert text in page
