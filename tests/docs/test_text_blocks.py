"""The blocks of the documentation that are no code: messages, tables, drawings and files of other formats."""

from __future__ import annotations

import csv
import gzip
import hashlib
import html
import io
import re
import sys
import tomllib
from functools import cache
from typing import TYPE_CHECKING

import pytest
import yaml
from support.checkout import ROOT
from support.doc_blocks import Block, blocks

from ablate.kinds import KINDS
from ablate.study.work.program.results import read_metrics
from ablate.testing import bibtex

sys.path.insert(0, str(ROOT / "tools"))

import run_tutorial

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@cache
def source() -> str:
    """All text of the code: parts of one message that stand on two lines are joined."""
    code = "".join(path.read_text(encoding="utf-8") for path in sorted((ROOT / "ablate").rglob("*.py")))
    return " ".join(re.sub(r'"\s*\n\s*f?"', "", code).split())


def drawing(block: Block) -> None:
    """A drawing, a formula or a layout of folders: the files of the code that it names exist."""
    for path in re.findall(r"\b[a-z_]+(?:/[a-z_]+)+\.py\b", block.text):
        assert (ROOT / "ablate" / path).is_file(), f"{block}: ablate/{path} does not exist"


def stages(block: Block) -> None:
    """The chain of stages: every word is a kind, and the longest path is in its order."""
    words = re.findall(r"\w+", block.text)
    assert set(words) <= KINDS.keys(), f"{block}: no kind of stage: {set(words) - KINDS.keys()}"
    assert words[:5] == ["load", "prepare", "train", "generate", "measure"], block


#: Names, numbers, files and options in a message; what stands between them is its own.
VARYING = re.compile(
    r"'.*?'|\(.*?\)|\S*[\d±]\S*|\S+[/.=]\S+|--\S+ [A-Z]+|\b(?:tau|with|primed|primed_twice|unconditional)\b|[;:,%]"
)
LABEL = re.compile(r"^(error|\w+(?=: mean)): |^(contradicted|not decided|supported) +")


def message(block: Block) -> None:
    """A message of a command, or sentences of a report: the words between names and numbers are in the code."""
    compared = 0
    for line in block.text.splitlines():
        for part in VARYING.split(LABEL.sub("", line)):
            words = " ".join(part.split())
            if len(words.split()) >= 4:
                assert words in source(), f"{block}: no message has the words: {words}"
                compared += 1
    assert compared, f"{block}: has no words to compare"


@cache
def reports() -> str:
    """The text of all reports in the gallery, which fingerprints keep up to date."""
    pages = (ROOT / "docs/gallery/reports").glob("*.html.gz")
    text = "".join(gzip.decompress(page.read_bytes()).decode() for page in sorted(pages))
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", text)).split())


def reported(block: Block) -> None:
    """Sentences of a report: they stand in one of the gallery, numbers included."""
    for line in filter(None, block.text.splitlines()):
        sentence = " ".join(LABEL.sub("", line).split()).rstrip(".")
        assert sentence in reports(), f"{block}: no report of the gallery has: {sentence}"


def layers(block: Block) -> None:
    """The order of the layers, as import-linter checks it."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    contracts = project["tool"]["importlinter"]["contracts"]
    (checked,) = (each["layers"] for each in contracts if each["name"] == "Imports point downward")
    assert [set(layer.split(" | ")) for layer in block.text.strip().splitlines()] == [
        set(layer.replace("ablate.", "").split(" | ")) for layer in checked
    ]


def home(block: Block) -> None:
    """The layout of the home folder: every name is a name in the code."""
    for name in re.findall(r"^  ([\w.]+)/?", block.text, re.MULTILINE):
        assert f'"{name}"' in source() or f'"{name}/' in source(), f"{block}: no part of the code names {name}"


def seeds(block: Block) -> None:
    """Seeds: the first eight bytes of a digest, without the sign bit."""
    for text, value in re.findall(r'SHA-256\("(.*?)"\)\s+->\s+(\d+)', block.text):
        assert int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1 == int(value), text


def compared_elsewhere(block: Block) -> None:
    """The output of a command that tests/cli/test_judge.py gives: it compares all parts between the dots."""
    assert len(block.text.split("...")) > 1, block


def step(block: Block) -> None:
    """A step of the tutorial: a message, or the output of commands, which tools/run_tutorial.py does and compares."""
    if block.first.startswith("error: "):
        message(block)
    else:
        language, before = "", ""
        for language, text, _ in run_tutorial.blocks((ROOT / block.page).read_text(encoding="utf-8")):
            if text == block.text:
                break
            before = language
        assert (language, before) == ("text", "console"), f"{block}: no command stands before this output"


def table(block: Block) -> None:
    """A table of results; tests/cli/test_judge.py judges it."""
    rows = list(csv.DictReader(io.StringIO(block.text)))
    assert len(rows) >= 6
    assert all(None not in row and None not in row.values() for row in rows)


#: How each block of text without a prompt is checked, by its page and first words.
TEXTS: dict[tuple[str, str], Callable[[Block], None]] = {
    ("docs/explanation/architecture.md", "study file ─►"): drawing,
    ("docs/explanation/architecture.md", "MIDI files"): drawing,
    ("docs/explanation/architecture.md", "cli"): layers,
    ("docs/explanation/original-report.md", "contradicted"): reported,
    ("docs/explanation/original-report.md", "Cannot tell conditioning"): reported,
    ("docs/explanation/original-report.md", "not decided    both"): reported,
    ("docs/explanation/original-report.md", "not decided    distance"): reported,
    ("docs/explanation/original-report.md", "not decided    primed"): reported,
    ("docs/explanation/seeds-and-replicates.md", "SHA-256"): seeds,
    ("docs/explanation/stages-and-reuse.md", "load ->"): stages,
    ("docs/explanation/stages-and-reuse.md", "these have changed"): message,
    ("docs/explanation/statistics/equivalence.md", "9 (0.8 + g)"): drawing,
    ("docs/explanation/statistics/replicates.md", "(variance of"): drawing,
    ("docs/guides/judge.md", "method,seed"): table,
    ("docs/guides/judge.md", "results.csv: guessed"): compared_elsewhere,
    ("docs/guides/judge-midi.md", "samples/"): drawing,
    ("docs/guides/own-corpus.md", "unseen: mean"): message,
    ("docs/guides/writing-a-plugin.md", "loudness: mean"): message,
    **{(f"docs/tutorial/{page.name}", ""): step for page in run_tutorial.PAGES},
    ("docs/reference/study-file.md", "load ->"): stages,
    ("docs/reference/study-file.md", "these have changed"): message,
    ("docs/reference/study-file.md", ".ablate/"): home,
}
TEXT = [block for block in blocks() if block.language == "text" and "$ " not in block.text]


@pytest.mark.parametrize("block", TEXT, ids=map(str, TEXT))
def test_text_is_compared(block: Block) -> None:
    checks = [check for (page, first), check in TEXTS.items() if page == block.page and block.first.startswith(first)]
    assert len(checks) == 1, f"{block}: add a check of this block to TEXTS; it begins with: {block.first}"
    checks[0](block)


def test_no_check_is_left_over() -> None:
    used = {key for key in TEXTS for b in TEXT if b.page == key[0] and b.first.startswith(key[1])}
    assert TEXTS.keys() == used


def test_the_first_verdicts_of_the_tutorial_are_those_of_the_report() -> None:
    """Without minutes of training, unlike ``make tutorial``: paragraphs and sentences, but no table."""
    (block,) = (block for block in TEXT if block.page == "docs/tutorial/1-first-verdict.md" and "Each p " in block.text)
    parts = [" ".join(part.split()) for part in re.split(r"\n\n|\n  - |\n?\.\.\.\n", block.text)]
    sentences = [part.rstrip(".") for part in parts if len(part.split()) > 10 and "±" not in part]
    assert len(sentences) >= 6
    assert [sentence for sentence in sentences if sentence not in reports()] == []


def test_metrics_of_a_program_are_read(tmp_path: Path) -> None:
    found = [block for block in blocks() if block.language == "json"]
    assert found
    for block in found:
        (tmp_path / "metrics.json").write_text(block.text, encoding="utf-8")
        assert read_metrics(tmp_path / "metrics.json", "metrics.json"), block


def test_the_manifest_for_kubernetes_names_a_command() -> None:
    (block,) = (block for block in blocks() if block.language == "yaml")
    manifest = yaml.safe_load(block.text)
    assert (manifest["kind"], manifest["spec"]["entrypoint"].split()[:3]) == ("RayJob", ["ablate", "study", "run"])


def test_bibtex_has_no_flaw() -> None:
    found = [block for block in blocks() if block.language == "bibtex"]
    assert found
    assert [bibtex.flaw(block.text) for block in found] == [""] * len(found)


def test_changes_apply_to_what_the_page_shows() -> None:
    """The lines that a diff takes away are in a block before it on its page, or in what ``plugin new`` writes."""
    written = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "ablate/cli/templates").rglob("*.j2"))
    found = [block for block in blocks() if block.language == "diff"]
    assert found
    for block in found:
        old = [line[1:] for line in block.text.splitlines() if line.startswith("-") and not line.startswith("---")]
        before = written + "".join(b.text for b in blocks() if b.page == block.page and b.line < block.line)
        assert [line for line in old if line not in before] == [], block
