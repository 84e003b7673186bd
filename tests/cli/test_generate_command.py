from __future__ import annotations

import contextlib
import json
import shutil
import sqlite3
from typing import TYPE_CHECKING

import pretty_midi
import pytest
from support.commands import run
from support.midi_bytes import midi, off, on, track

from ablate.files import file_name
from ablate.registry import get_registry
from ablate.store.store import Store

if TYPE_CHECKING:
    from pathlib import Path

    from support.commands import Command

STUDY = """
seed = 5
replicates = 2
[corpus.bach-prelude]
[augmenter.tempo]
[tokenizer.midilike]
[conditioner.tempo]
[model.lstm]
embedding = 8
hidden = 16
[training]
steps = 6
batch = 2
window = 16
precision = "fp32"
[generation]
samples = 2
tokens = 120
[sampler.temperature]
[metric."distance.pitch"]
[axes]
sampler.temperature.tau = [0.8, 1.0]
[baseline]
sampler.temperature.tau = 1.0
"""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home in which a small study has run."""
    folder = tmp_path_factory.mktemp("trained")
    (folder / "control.toml").write_text(STUDY, encoding="utf-8")
    code = run(
        ["study", "run", str(folder / "control.toml"), "--home", str(folder / "home"), "--workers", "1", "--no-report"]
    )
    assert code == 0
    return folder / "home"


def notes(path: Path) -> list[tuple[int, float]]:
    midi = pretty_midi.PrettyMIDI(str(path))
    return [(note.pitch, round(note.start, 3)) for track in midi.instruments for note in track.notes]


def test_unchanged_it_writes_the_studys_own_samples(home: Path, tmp_path: Path, ablate: Command) -> None:
    outcome = ablate(
        "generate", "control", "--variant", "tau=0.8", "--replicate", 1, "--out", tmp_path, "--home", home, "--json"
    )
    assert outcome.code == 0, outcome.err
    facts = json.loads(outcome.out)
    assert [fact["primer_notes"] for fact in facts] == [0, 0]
    with Store(f"sqlite:///{home / 'ablate.db'}") as store:
        (run,) = [run for run in store.runs("control") if (run.variant, run.replicate) == ("tau=0.8", 1)]
        folder = home / store.stages(run.stages.values())[run.stages["generate"]].artifact
    own = [notes(path) for path in sorted(folder.glob("sample-*.mid"))]
    assert [notes(tmp_path / fact["file"]) for fact in facts] == own, "those of this variant and replicate, in order"


def test_files_of_a_study_with_a_long_name_show_their_variant(home: Path, tmp_path: Path, ablate: Command) -> None:
    """The name of a study is in each file as it is in the folder of its report, however long it is."""
    name = f"control@{'Das Wohltemperierte Klavier, ' * 4}"
    copy, out = tmp_path / "home", tmp_path / "out"
    shutil.copytree(home, copy)
    with contextlib.closing(sqlite3.connect(copy / "ablate.db")) as connection, connection:
        connection.execute("UPDATE ablate_studies SET name = ?", (name,))
    for variant in ("tau=0.8", "tau=1.0"):
        done = ablate("generate", name, "--variant", variant, "--count", "1", "--out", out, "--home", copy)
        assert done.code == 0, done.err
        shutil.move(out, tmp_path / variant)
        (file,) = (tmp_path / variant).iterdir()
        assert file.name == f"{file_name(name)}-{variant}-r0-00.mid"


def test_options_change_the_music(home: Path, tmp_path: Path, ablate: Command) -> None:
    options = {
        "plain": [],
        "fast": ["--label", "tempo=1.5"],
        "cold": ["--set", "sampler.temperature.tau=0.1"],
        "more": ["--count", "3", "--first", "7"],
        "chain": ["--set", "sampler={temperature={}, top_k={k=1}}"],
    }
    music = {}
    for name, words in options.items():
        outcome = ablate("generate", "control", "--out", tmp_path / name, "--home", home, "--json", *words)
        assert outcome.code == 0, outcome.err
        music[name] = [tuple(notes(tmp_path / fact["file"])) for fact in json.loads(outcome.out)]
    assert len({tuple(samples) for samples in music.values()}) == len(music)
    assert len(music["more"]) == 3
    assert not set(music["more"]) & set(music["plain"])


def test_a_primer_from_a_file_is_continued(home: Path, tmp_path: Path, ablate: Command) -> None:
    import ablate as public

    piece = public.Performance.from_notes([(60 + i % 12, 64, 0.5 * i, 0.5 * i + 0.4) for i in range(30)])
    (tmp_path / "scale.mid").write_bytes(piece.midi_bytes())
    words = ["--primer", tmp_path / "scale.mid", "--primer-seconds", "3.2", "--count", "1"]
    outcome = ablate("generate", "control", "--out", tmp_path / "out", "--home", home, "--json", *words)
    assert outcome.code == 0, outcome.err
    (fact,) = json.loads(outcome.out)
    assert fact["primer_notes"] == 7
    tracks = pretty_midi.PrettyMIDI(fact["file"]).instruments
    assert [track.name for track in tracks] == ["primer", "sample-00"]
    assert [note.pitch for note in tracks[0].notes] == [60 + i for i in range(7)]
    assert min(note.start for note in tracks[1].notes) >= 3.0
    assert "note: --primer" not in outcome.err


def test_what_is_left_out_of_a_primers_file_is_counted(home: Path, tmp_path: Path, ablate: Command) -> None:
    events = [event for pitch in range(60, 72) for event in ((0, on(pitch)), (240, off(pitch)))]
    (tmp_path / "odd.mid").write_bytes(midi(track([(0, on(50)), *events])))
    words = ["--primer", tmp_path / "odd.mid", "--primer-seconds", "1.2", "--count", "1", "--out", tmp_path / "out"]
    outcome = ablate("generate", "control", "--home", home, *words)
    assert outcome.code == 0, outcome.err
    assert "note: --primer: odd.mid: 1 of 13 notes left out: 1 never ended\n" in outcome.err
    assert "note: --primer: these counts are of the whole file; its first 1.2 s are the primer\n" in outcome.err


def test_notes_for_which_a_file_has_no_channel_are_counted(home: Path, tmp_path: Path, ablate: Command) -> None:
    # one pitch, seventeen times at once, each in a track of its own; and a later note
    tower = [track([(40 * n, on(60)), (960, off(60))]) for n in range(17)]
    (tmp_path / "tower.mid").write_bytes(midi(*tower, track([(1700, on(62)), (480, off(62))])))
    words = ["--primer", tmp_path / "tower.mid", "--primer-seconds", "2", "--count", "1"]
    outcome = ablate("generate", "control", "--out", tmp_path / "out", "--home", home, *words)
    assert outcome.code == 0, outcome.err
    (file,) = (tmp_path / "out").iterdir()
    assert outcome.err.startswith(f"{file.name}: ")
    assert " notes end earlier in the MIDI file: it has too few channels" in outcome.err


@pytest.mark.parametrize(
    ("words", "code", "expected"),
    [
        (["contrl"], 2, "unknown study 'contrl' in this home; did you mean 'control'?"),
        (["control", "--variant", "tau=0.9"], 2, "unknown variant 'tau=0.9'; did you mean"),
        (["control", "--replicate", "2"], 2, "--replicate 2: study 'control' has replicates 0 to 1 of 'tau=1.0'"),
        (
            ["control", "--set", "training.steps=1"],
            2,
            "--set training.steps: only sampler, primer, generation, labels can",
        ),
        (["control", "--set", "sampler.temprature.tau=1"], 2, "this study has no sampler 'temprature'; did you mean"),
        (
            ["control", "--set", "sampler.temperature.tau=-1"],
            2,
            "sampler.temperature.tau: must be a number ≥ 0, not -1",
        ),
        (
            ["control", "--label", "tmpo=1"],
            2,
            "--label tmpo: this variant was not trained with it; did you mean 'tempo'?",
        ),
        (["control", "--label", "tempo=0"], 2, "labels: tempo must be greater than 0, not 0"),
        (["control", "--primer-seconds", "400"], 1, "fewer than primer.seconds = 400"),
        (["control", "--primer-seconds", "60"], 1, "more than generation.tokens = 120"),
    ],
)
def test_a_bad_request_is_one_line(
    home: Path, tmp_path: Path, ablate: Command, words: list[str], code: int, expected: str
) -> None:
    outcome = ablate("generate", *words, "--out", tmp_path / "out", "--home", home)
    assert outcome.code == code
    assert expected in outcome.err
    assert outcome.err.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_nothing_is_overwritten(home: Path, tmp_path: Path, ablate: Command) -> None:
    assert ablate("generate", "control", "--out", tmp_path, "--home", home).code == 0
    again = ablate("generate", "control", "--out", tmp_path, "--home", home)
    assert again.code == 2
    assert "exists already; choose another folder" in again.err


def test_missing_weights_are_reported(home: Path, tmp_path: Path, ablate: Command) -> None:
    import shutil

    copy = tmp_path / "home"
    shutil.copytree(home, copy)
    shutil.rmtree(copy / "artifacts" / "train")
    outcome = ablate("generate", "control", "--out", tmp_path / "out", "--home", copy)
    assert outcome.code == 1
    advice = "; to make it again, run its study after this: ablate db check --repair --home"
    assert f"/weights.safetensors is missing{advice}" in outcome.err


@pytest.mark.parametrize(("kind", "name"), [("tokenizer", "midilike"), ("model", "lstm"), ("sampler", "temperature")])
def test_weights_of_another_version_are_refused(
    home: Path, tmp_path: Path, ablate: Command, kind: str, name: str
) -> None:
    spec = get_registry().spec(kind, name)
    before = spec.version
    object.__setattr__(spec, "version", "next")
    try:
        refused = ablate("generate", "control", "--out", tmp_path / "a", "--home", home)
        kept = ablate("generate", "control", "--out", tmp_path / "b", "--home", home, "--keep-results")
    finally:
        object.__setattr__(spec, "version", before)
    assert refused.code == 2
    assert f"{kind} '{name}': version {before} then, next now" in refused.err
    assert "weights of another version; give --keep-results" in refused.err
    assert kept.code == 0
    assert "these have another version" in kept.err
