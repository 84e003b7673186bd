from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import numpy as np

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
