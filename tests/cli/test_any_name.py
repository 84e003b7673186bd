"""Names in any script, and names that are no text, in every command from the music to the bundle."""

from __future__ import annotations

import io
import json
import os
import shlex
import unicodedata
from typing import TYPE_CHECKING

import pytest
from support.midi_bytes import scale

from ablate.music.midi import read_midi

if TYPE_CHECKING:
    from pathlib import Path

    from support.commands import Command

#: File names without suffix, and the names of their pieces.
FILES = {
    "月光 第1楽章": "月光 第1楽章",
    "Dvořák — Humoresque": "Dvořák — Humoresque",
    "e\u0301tude": "étude",
    os.fsdecode(b"caf\xe9"): r"caf\xe9",
    "line\nbreak\ttab": r"line\x0abreak\x09tab",
    "\x1b[31mred \u202egnp": r"\x1b[31mred \u202egnp",
    "שלום 🎹 👩\u200d👧": "שלום 🎹 👩\u200d👧",
    "100% #a?b=c&d": "100% #a?b=c&d",
    "100% #b": "100% #b",
    "-rf \"q\" 'r' <b> $HOME `x` \\": "-rf \"q\" 'r' <b> $HOME `x` \\",
    "CON": "CON",
    "x" * 200: "x" * 200,
}
#: What a study and its variants are called.
STUDY, ONE, OTHER = "-月光 'é' 🎹 #1?%", "Dvořák", 'שלום "x" | <b>'
FILE = """
question = "Klingt 月光 wie Dvořák? 🎹"
seed = 1
replicates = 1
[corpus.midi]
path = "음악"
[split]
test = ["100% #b"]
[primer]
piece = "e\u0301tude"
tokens = 4
[tokenizer.midilike]
[model.lstm]
embedding = 8
hidden = 8
[conditioner.performer]
performers = {performers}
field = 0
separator = "#"
[training]
steps = 1
batch = 2
window = 16
[generation]
samples = 1
tokens = 60
[sampler.temperature]
[metric."distance.pitch"]
[floors]
draws = 3
[contrasts]
"{one}" = {{ '{other}' = 1, "{one}" = -1 }}
[variants."{one}"]
"sampler.temperature.tau" = 1.0
[variants.'{other}']
"sampler.temperature.tau" = 0.9
"""


def music(folder: Path) -> None:
    folder.mkdir()
    for number, name in enumerate(FILES):
        with open(os.path.join(os.fsencode(folder), os.fsencode(f"{name}.mid")), "wb") as file:  # noqa: PTH118, PTH123
            file.write(scale(20 + number))


def test_every_name_goes_through_a_whole_study(ablate: Command, tmp_path: Path) -> None:
    music(tmp_path / "음악")
    inspected = ablate("corpus", "inspect", "음악", "--json")
    assert {file["name"] for file in json.loads(inspected.out)["files"]} == {f"{name}.mid" for name in FILES.values()}
    inspected.out.encode()
    table = ablate("corpus", "inspect", "음악").out
    assert "\x1b" not in table
    assert [line for line in table.splitlines() if line.startswith(r" caf\xe9.mid ")]

    performers = list(dict.fromkeys(name.partition("#")[0] for name in FILES.values()))
    performers[1] = unicodedata.normalize("NFD", performers[1])
    listed = json.dumps(performers, ensure_ascii=False)
    text = FILE.format(one=ONE, other=OTHER, performers=listed)
    (tmp_path / "Übung.toml").write_text(text, encoding="utf-8")
    ran = ablate("study", "run", "Übung.toml", "--name", STUDY, "--workers", "1", "--no-report")
    assert ran.code == 0, ran.err
    assert f"Cannot tell {OTHER} from {ONE}" in ran.out

    shown = ablate("study", "show", "--json", "--", STUDY)
    assert [run["variant"] for run in json.loads(shown.out)["runs"]] == [ONE, OTHER]
    for form in ("csv", "json", "parquet"):
        assert ablate("study", "export", "-o", f"numbers.{form}", "--", STUDY).code == 0
        assert "Dvořák".encode() in (tmp_path / f"numbers.{form}").read_bytes()
    splits = ablate("study", "export", "--table", "splits", "--format", "json", "--", STUDY)
    assert {row["piece"] for row in json.loads(splits.out)} == set(FILES.values())

    assert ablate("study", "bundle", "-o", "ein Bündel.zip", "--", STUDY).code == 0
    there = ablate("study", "unbundle", "ein Bündel.zip", "--home", "là-bas")
    assert there.code == 0, there.err
    assert f"next: ablate study report --home 'là-bas' -- {shlex.quote(STUDY)}" in there.out
    assert ablate("study", "compare", "--home", "là-bas", "--", f"{STUDY}:{ONE}", f"{STUDY}:{OTHER}").code == 0
    made = ablate("generate", "--variant", OTHER, "--out", "musique é", "--", STUDY)
    assert made.code == 0, made.err
    (file,) = (tmp_path / "musique é").iterdir()
    assert file.name.isascii()
    assert len(read_midi(file))


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["study", "run", "tau_sweep", "--name", "two\nlines"], r"--name 'two\x0alines' has the character \x0a; leave"),
        (["study", "run", "tau_sweep", "--name", " x"], "--name ' x' has spaces around it; leave them out"),
        (["study", "run", "tau_sweep", "--name", os.fsdecode(b"caf\xe9")], r"'caf\xe9' is not valid UTF-8"),
        (["study", "run", "tau_sweep", "--corpus", os.fsdecode(b"caf\xe9.mid")], r"'caf\xe9.mid' is not valid UTF-8"),
        (["study", "run", "tau_sweep", "--home", os.fsdecode(b"h\xe9")], r"'h\xe9' is not valid UTF-8"),
        (["judge", "x.csv", "--name", "tab\t"], r"--name 'tab\x09' has the character \x09"),
    ],
)
def test_a_name_that_cannot_be_stored_is_refused_before_any_work(
    ablate: Command, tmp_path: Path, words: list[str], message: str
) -> None:
    (tmp_path / os.fsdecode(b"caf\xe9.mid")).write_bytes(scale())
    refused = ablate(*words)
    assert refused.code == 2
    assert len(refused.err.splitlines()) == 1
    assert refused.err.startswith(f"error: {message}")
    assert not (tmp_path / ".ablate").exists()


def test_a_folder_whose_path_is_no_text_is_refused(
    ablate: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / os.fsdecode(b"caf\xe9")
    folder.mkdir()
    (folder / "x.mid").write_bytes(scale())
    monkeypatch.chdir(folder)
    corpus = ablate("study", "run", "tau_sweep", "--corpus", "x.mid", "--home", str(tmp_path / "home"))
    assert r"corpus.midi.path: '" in corpus.err
    assert r"/caf\xe9/x.mid' is not valid UTF-8; rename the file or folder" in corpus.err
    home = ablate("study", "run", "tau_sweep")
    assert r"/caf\xe9/.ablate is not valid UTF-8; choose another folder with --home" in home.err
    assert ablate("corpus", "inspect", "x.mid", "--json").code == 0


def test_names_in_a_study_file_are_printable(ablate: Command, tmp_path: Path) -> None:
    (tmp_path / "s.toml").write_text('[variants."a\\nb"]\n"sampler.temperature.tau" = 1.0\n', encoding="utf-8")
    refused = ablate("study", "plan", "s.toml")
    assert refused.code == 1
    assert r"error: s.toml: variants.a\x0ab: the name 'a\x0ab' has the character \x0a; leave it out" in refused.err


def test_folders_and_tables_of_any_name_are_judged(ablate: Command, tmp_path: Path) -> None:
    for variant in (os.fsdecode(b"caf\xe9"), "月光\n"):
        for replicate in ("é 1", "é 2"):
            folder = tmp_path / "Hörproben" / variant / replicate
            folder.mkdir(parents=True)
            (folder / os.fsdecode(b"\xe9.mid")).write_bytes(scale())
    words = ["--metric", "distance.pitch", "--no-report", "--workers", "1"]
    judged = ablate("judge", "--midi", "Hörproben", "--reference", "Hörproben", *words)
    assert judged.code == 0, judged.err
    rows = [
        {"system": system, "seed": seed, "lo\nss": 0.1 * seed} for system in ("\ud83d", "שלום") for seed in range(3)
    ]
    (tmp_path / "t.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    table = ablate("judge", "t.jsonl", "--variant", "system", "--replicate", "seed", "--no-report")
    assert table.code == 0, table.err
    assert {r" caf\xe9 (baseline)", r" 月光\x0a"} <= {line[:20].rstrip() for line in judged.out.splitlines()}
    assert {r" \ud83d (baseline)", " שלום"} <= {line[:20].rstrip() for line in table.out.splitlines()}
    assert "lo ss" in table.out


def test_json_is_whole_on_a_terminal_without_the_letters(monkeypatch: pytest.MonkeyPatch) -> None:
    from ablate.cli.output import print_json

    buffer = io.BytesIO()
    monkeypatch.setattr("sys.stdout", io.TextIOWrapper(buffer, "latin-1", errors="replace"))
    print_json({"name": "月光"})
    assert json.loads(buffer.getvalue()) == {"name": "月光"}
