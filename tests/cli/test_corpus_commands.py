from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import numpy as np
import pytest
from support.midi_bytes import midi, off, on, track

from ablate import Performance

if TYPE_CHECKING:
    from pathlib import Path

    from support.commands import Command


def test_list(ablate: Command) -> None:
    names = {row["name"] for row in json.loads(ablate("corpus", "list", "--json").out)}
    assert {"bach-prelude", "midi"} <= names
    assert "bach-prelude" in ablate("corpus", "list").out


def test_inspect_a_corpus_by_name(ablate: Command) -> None:
    report = json.loads(ablate("corpus", "inspect", "bach-prelude", "--tokenizer", "midilike", "--json").out)
    assert report["total"]["notes"] == 549
    assert report["round_trip"]["clipped"] == 0
    assert report["round_trip"]["onset_error"]["max"] <= 0.005 + 1e-9


def test_onset_errors_of_a_drift_are_explained(ablate: Command) -> None:
    words = ["corpus", "inspect", "bach-prelude", "--tokenizer"]
    classic = " ".join(ablate(*words, "midilike-classic").out.split())
    assert "note: the onset errors are mostly drift: " in classic
    trip = json.loads(ablate(*words, "midilike-classic", "--json").out)["round_trip"]
    beside = trip["onset_error_beside_drift"]["mean"]
    assert beside < 0.1 * trip["onset_error"]["mean"]
    assert f"Beside this drift, the mean onset error is {1000 * beside:.1f} ms." in classic
    assert "drift:" not in ablate(*words, "midilike").out


def test_options_of_the_tokenizer(ablate: Command) -> None:
    words = ["corpus", "inspect", "bach-prelude", "--tokenizer", "midilike", "--json"]
    coarse = json.loads(ablate(*words, "--option", "step=0.05").out)["round_trip"]["onset_error"]["max"]
    assert 0.005 < coarse <= 0.025 + 1e-9
    assert "--option stepp: unknown key; did you mean 'step'?" in ablate(*words, "--option", "stepp=1").err


def test_tokens_in_three_formats(ablate: Command, smd_dir: Path, reference_dir: Path, tmp_path: Path) -> None:
    name = "Bach_BWV888-01_008_20110315-SMD"
    golden = np.load(reference_dir / "eventseq_golden.npz")[f"{name}.tokens"]
    words = ["corpus", "tokens", str(smd_dir / f"{name}.mid"), "--tokenizer", "midilike-classic"]
    words += ["--reader", "pretty_midi"]
    assert json.loads(ablate(*words).out) == golden.tolist()
    text = ablate(*words, "--format", "text").out.splitlines()
    assert len(text) == len(golden)
    assert text[0].startswith("velocity")
    command = [sys.executable, "-m", "ablate", *words, "--format", "npy"]
    (tmp_path / "tokens.npy").write_bytes(subprocess.run(command, capture_output=True, check=True).stdout)
    assert np.load(tmp_path / "tokens.npy").tolist() == golden.tolist()


def test_a_tokenizer_that_learns_does_so_from_what_is_inspected(ablate: Command) -> None:
    words = ["corpus", "inspect", "bach-prelude", "--json", "--tokenizer"]
    plain, merged = (json.loads(ablate(*words, name).out)["round_trip"] for name in ("midilike", "midilike-bpe"))
    assert merged["tokens"] < 0.5 * plain["tokens"]
    assert merged["onset_error"] == plain["onset_error"]


def test_a_tokenizer_learns_from_other_pieces_where_asked(ablate: Command, tmp_path: Path) -> None:
    notes = [(60, 64, 0.5 * i, 0.5 * i + 0.25) for i in range(40)]
    for name, count in (("long", 40), ("short", 2)):
        (tmp_path / f"{name}.mid").write_bytes(Performance.from_notes(notes[:count]).midi_bytes())
    words = ["corpus", "tokens", str(tmp_path / "short.mid"), "--tokenizer", "midilike-bpe", "--format", "text"]
    alone = ablate(*words).out.splitlines()
    taught = ablate(*words, "--fit", str(tmp_path / "long.mid")).out.splitlines()
    assert len(taught) < len(alone)
    assert " + ".join(taught) == " + ".join(alone)


def test_fit_needs_a_tokenizer_that_learns(ablate: Command) -> None:
    words = ["corpus", "inspect", "bach-prelude", "--fit", "bach-prelude"]
    assert "--fit bach-prelude: name the tokenizer to fit with --tokenizer" in ablate(*words).err
    done = ablate(*words, "--tokenizer", "midilike")
    assert "--fit bach-prelude: tokenizer 'midilike' is not fitted; leave the option out" in done.err


@pytest.mark.parametrize("reader", ["ablate", "pretty_midi"])
def test_notes_left_out_are_counted_on_stderr(ablate: Command, tmp_path: Path, reader: str) -> None:
    path = tmp_path / "odd.mid"
    path.write_bytes(midi(track([(0, on(5)), (0, on(60)), (480, off(5))])))
    words = [path, "--tokenizer", "midilike", "--reader", reader]
    outcome = ablate("corpus", "tokens", *words)
    assert (outcome.code, outcome.out) == (0, "[]\n")
    lost = "tokenizer 'midilike' cannot write 1 of 1 notes (100 %): pitch 5 is below its range of 21 to 108"
    assert outcome.err.splitlines() == [
        "note: odd.mid: 1 of 2 notes left out: 1 never ended",
        f"note: odd.mid: {lost}; set --option low=5",
    ]
    told = ablate("corpus", "tokens", *words, "--option", "low=5")
    assert told.err.splitlines() == ["note: odd.mid: 1 of 2 notes left out: 1 never ended"]
    inspected = ablate("corpus", "inspect", *words).out
    assert "problem: odd.mid: 1 of 2 notes left out: 1 never ended\n" in inspected
    assert f"note: {lost}; set --option low=5\n" in inspected
    (tmp_path / "bad.mid").write_bytes(b"MThd")
    both = ablate("corpus", "inspect", tmp_path, *words[1:]).out
    assert "total: 1 of 2 files cannot be read\ntotal: 1 of 2 notes left out: 1 never ended\n" in both


@pytest.mark.parametrize("reader", ["ablate", "pretty_midi"])
@pytest.mark.parametrize("file", ["never_ended_1of3", "zero_length_then_later_note", "pitch_0_and_127_only"])
def test_known_files(ablate: Command, cases_dir: Path, file: str, reader: str) -> None:
    words = ["corpus", "tokens", cases_dir / f"midi/{file}.mid", "--tokenizer", "midilike", "--reader", reader]
    (line,) = ablate(*words).err.splitlines()
    count = "cannot write 2 of 2 notes" if file == "pitch_0_and_127_only" else "1 of 3 notes left out"
    assert line.startswith(f"note: {file}.mid: ")
    assert count in line


def test_a_long_pause_is_refused_with_the_option_that_allows_it(ablate: Command, tmp_path: Path) -> None:
    path = tmp_path / "hours.mid"
    path.write_bytes(midi(track([(0, on(60)), (480, off(60)), (2**23, on(62)), (480, off(62))])))
    for words in (["inspect", path], ["tokens", path, "--tokenizer", "midilike"]):
        refused = ablate("corpus", *map(str, words))
        assert refused.code == 1
        assert "if it is not, raise --longest-pause" in " ".join((refused.out + refused.err).split())
        assert ablate("corpus", *map(str, words), "--longest-pause", "9000").code == 0
    wrong = ablate("corpus", "inspect", str(path), "--longest-pause", "0")
    assert (wrong.code, "--longest-pause" in wrong.err) == (2, True)
