"""``ablate judge --midi``: files are measured as the samples of a study are."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support.midi_bytes import midi, off, on, program, track
from support.pop import pop
from support.set_material import random_pieces

import ablate as package

if TYPE_CHECKING:
    from pathlib import Path

    from support.commands import Command

METRICS = ("--metric", "distance.pitch", "--metric", "setdistance.pitch_count")
WORDS = ("judge", "--midi", "music", "--reference", "pieces", "--baseline", "plain", "--workers", "1", *METRICS)


def write(folder: Path, count: int, seed: int, shift: int = 0) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for number, piece in enumerate(random_pieces(count, seed)):
        notes = piece.notes.copy()
        notes["pitch"] += shift
        (folder / f"{number}.mid").write_bytes(piece.replace(notes=notes).midi_bytes())


@pytest.fixture
def music(tmp_path: Path) -> Path:
    write(tmp_path / "pieces", 4, 0)
    for shift, variant in enumerate(("plain", "shifted")):
        for replicate in (1, 2, 10):
            write(tmp_path / f"music/{variant}/{replicate}", 2, replicate, 7 * shift)
    return tmp_path / "music"


def test_files_are_measured_and_judged(ablate: Command, music: Path, tmp_path: Path) -> None:
    # one channel plays 17 instruments in turn; a written file has a channel for each of 15
    turns = [(ticks, each) for n in range(17) for ticks, each in ((0, program(n)), (0, on(60)), (99, off(60)))]
    (music / "shifted/1/0.mid").write_bytes(midi(track(turns)))
    change = "notes in 1 of 2 samples have another instrument in the MIDI file: it has channels for 15 of 17, and drums"
    outcome = ablate(*WORDS, "--tokenizer", "midilike-classic", "--margin", "distance.pitch=0.5", "--no-report")
    assert outcome.code == 0, outcome.err
    assert "shifted" in outcome.out
    assert outcome.err.splitlines()[0] == (
        "music: paired: equal values of folder are one replicate of all variants (1, 2, 10)"
    )
    assert "collect MIDI files shifted, replicate 1: shifted/1: 2 of " in outcome.err
    assert change in outcome.err
    assert "ran 6 collections, 12 measurements, 2 floors, 12 resampling floors" in outcome.out
    results = package.load_results("music", tmp_path / ".ablate")
    frame = results.frame()
    assert len(frame[(frame["metric"] == "distance.pitch") & (frame["feature"] == "l1")]) == 12
    assert set(frame.loc[frame["metric"] == "setdistance.pitch_count", "sample"]) == {0}
    assert set(results.floors()["floor"]) == {"copy", "round_trip", "shuffled", "resampling"}
    assert ablate("study", "report", "music", "--no-audio").code == 0
    page = (tmp_path / ".ablate/reports/music/index.html").read_text()
    for text in (
        "Results of others, judged: music",
        'data-variant="shifted"',
        "encoded and decoded by midilike-classic",
        change,
    ):
        assert text in page
    assert "--midi music --reference pieces --tokenizer midilike-classic" in page
    assert len(list((tmp_path / ".ablate/reports/music/midi").glob("shifted.sample-*.mid"))) == 2

    again = ablate(*WORDS, "--tokenizer", "midilike-classic", "--margin", "distance.pitch=0.5", "--no-report")
    assert "nothing to run: all results exist; reused 6 collections" in again.out
    write(music / "shifted/10", 1, 77)
    more = ablate(*WORDS, "--no-report")
    assert "ran 1 collection, 2 measurements, 2 floors, 2 resampling floors" in more.out
    recomputed = ablate(*WORDS, "--no-report", "--recompute", "distance.pitch")
    assert "ran 6 measurements, 1 floor, 6 resampling floors" in recomputed.out


def test_files_that_cannot_be_read_cost_their_run_or_are_left_out(ablate: Command, music: Path) -> None:
    (music / "plain/2/bad.mid").write_text("no music")
    (music / "plain/empty").mkdir()
    (music / "readme").mkdir()
    outcome = ablate(*WORDS, "--no-report", "--name", "bad")
    assert outcome.code == 1
    assert "music: left out, folders of replicates without MIDI files: 1 (plain/empty)" in outcome.err
    assert "music: left out, folders of variants without replicates: 1 (readme)" in outcome.err
    failure = "CorpusError: 1 of 3 files cannot be read: bad.mid"
    assert f"failed: plain, replicate 2: {failure}" in outcome.err
    assert outcome.err.count(failure) == 1, "it is said once"
    low = package.Performance.from_notes([(20, 64, 0.0, 1.0), (60, 64, 0.0, 1.0)])
    (music.parent / "pieces/low.mid").write_bytes(low.midi_bytes())
    skipped = ablate(*WORDS, "--no-report", "--name", "bad", "--skip-bad", "--tokenizer", "midilike")
    assert skipped.code == 0
    assert skipped.err.count("measure floors: tokenizer 'midilike' cannot write 1 of ") == 1
    assert "  - Tokenizer 'midilike' cannot write 1 of " in skipped.out
    assert "collect MIDI files plain, replicate 2: plain/2/bad.mid: left out: is no MIDI file" in skipped.err
    assert "  - Samples: 1 of 13 files left out, in 1 of 6 runs.\n" in skipped.out
    other = ablate("judge", "--midi", str(music / "plain"), "--reference", "pieces", "--name", "bad")
    assert (other.code, "has no MIDI files in folders of variants and replicates" in other.err) == (1, True)


def test_options_of_metrics_can_be_set(ablate: Command, music: Path, tmp_path: Path) -> None:
    words = (*WORDS[: -len(METRICS)], "--metric", "setdistance.frechet", "--no-report")
    few = ablate(*words)
    assert few.code == 1
    assert "music: metric.setdistance.frechet: needs 13 pieces or more to compare with, but there are 4\n" in few.err
    write(tmp_path / "pieces", 13, 0)
    small = ablate(*words)
    failed = [line for line in small.err.splitlines() if line.startswith("failed: ")]
    assert len(failed) == 1, "six runs fail for one reason"
    assert "and 3 more: ValueError: a set of 2 with notes is too small" in failed[0]
    assert "replicate 1; " in failed[0]
    diagonal = ablate(*words, "--set", "metric.setdistance.frechet.covariance=diagonal")
    assert diagonal.code == 0, diagonal.err
    assert "setdistance.frechet" in diagonal.out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--midi", "music"), "--midi needs --reference"),
        (("--midi", "no", "--reference", "pieces"), "no: there is no such folder"),
        (("--midi", "music", "--reference", "bach-preude"), "did you mean 'bach-prelude'?"),
        (("--midi", "music", "--reference", "pieces", "--metric", "distance.pich"), "did you mean 'distance.pitch'?"),
        (("--midi", "music", "--reference", "pieces", "--metric", "likelihood.nll"), "measures a trained model"),
        (("--midi", "music", "--reference", "pieces", "--baseline", "plane"), "did you mean 'plain'?"),
        (("--midi", "music", "--reference", "pieces", "--tokenizer", "midilik"), "unknown tokenizer 'midilik'"),
        (("--midi", "music", "--reference", "pieces", "--variant", "x"), "--variant is for tables"),
        (
            ("--midi", "music", "--reference", "pieces", "--direction", "distance.pitch=lower"),
            "directions of their own",
        ),
        (
            (
                "--midi",
                "music",
                "--reference",
                "pieces",
                "--metric",
                "distance.pitch",
                "--set",
                "metric.distance.pitch.bin=3",
            ),
            "metric 'distance.pitch' has no option 'bin'",
        ),
        (
            ("--midi", "music", "--reference", "pieces", "--set", "training.steps=3"),
            "only options of the metrics, the reference and the tokenizer",
        ),
        (("results.csv", "--reference", "pieces"), "--reference needs --midi FOLDER"),
        (("results.csv", "--recompute", "metric"), "--recompute needs --midi FOLDER"),
    ],
)
def test_refusals_of_music_are_one_line(ablate: Command, music: Path, words: tuple[str, ...], message: str) -> None:
    outcome = ablate("judge", *words)
    assert outcome.code != 0
    assert message in outcome.err
    assert len(outcome.err.splitlines()) == 1


def test_a_band_is_measured_by_the_instruments_that_are_chosen(ablate: Command, tmp_path: Path) -> None:
    for variant, bars in (("long", 3), ("short", 2)):
        (tmp_path / f"bands/{variant}/1").mkdir(parents=True)
        (tmp_path / f"bands/{variant}/1/song.mid").write_bytes(pop(bars))
    (tmp_path / "pop.mid").write_bytes(pop(4))
    words = ["judge", "--midi", "bands", "--reference", "pop.mid", "--metric", "distance.pitch", "--workers", "1"]
    words += ["--tokenizer", "midilike", "--no-report"]
    refused = ablate(*words)
    assert refused.code == 1
    assert "5 instruments play its 144 notes" in refused.err
    assert "--set corpus.midi.instruments=piano (32 notes)" in refused.err
    assert "a tokenizer that writes instruments: --set tokenizer.midilike.instruments=all" in refused.err
    assert ablate(*words, "--set", "tokenizer.midilike.instruments=all").code == 0
    words[words.index("--no-report") - 1] = "midilike-classic"
    assert "instruments: --tokenizer midilike --set tokenizer.midilike.instruments=all" in ablate(*words).err
    words[words.index("--no-report") - 1] = "midilike"
    chosen = ablate(*words, "--name", "pianos", "--set", "corpus.midi.instruments=piano")
    assert chosen.code == 0, chosen.err
    assert (
        "  - Samples: 140 of 180 notes not measured, in 2 of 2 runs, because the corpus does not choose their "
        "instruments: Drums 80, Electric Guitar (clean) 30, Electric Bass (finger) 20, String Ensemble 1 10.\n"
    ) in chosen.out
    why = (
        '112 of 144 notes left out (112 notes by corpus.midi.instruments = "piano": Drums 64, Electric Guitar (clean) '
        "24, Electric Bass (finger) 16, String Ensemble 1 8)"
    )
    assert f"load corpus: {why}\n" in chosen.err
    assert chosen.err.count("corpus.midi.instruments") == 1, "it is said once, and is no problem"
    assert f"  - Corpus: {why}.\n" in chosen.out
    assert "with files" not in chosen.out
    measured = {}
    for name in ("bands", "pianos"):
        frame = package.load_results(name, tmp_path / ".ablate").frame()
        measured[name] = dict(frame[frame["feature"] == "l1"].groupby("variant")["n"].first())
    assert measured == {"bands": {"long": 60, "short": 40}, "pianos": {"long": 24, "short": 16}}, "drums have no pitch"
    none = ablate(*words, "--name", "flutes", "--set", "corpus.midi.instruments=flute")
    assert 'pop: no note of corpus.midi.instruments = "flute", but Drums 64, ' in none.err
