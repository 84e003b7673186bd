"""Nats per token of different tokenizers have different units: there is no verdict on them, in no place."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from support.bench import Bench

import ablate
from ablate.registry import get_registry
from ablate.report.data.study import Study
from ablate.report.statistics.analysis.analysis import Analysis
from ablate.report.statistics.described import tokenizers
from ablate.report.statistics.pairs.compare import compare_pair
from ablate.report.text.sentences import answer
from ablate.report.write import write_report
from ablate.study.file.overrides import Overrides
from ablate.study.file.study_file import read_study

STUDY = """
question = "Which tokenizer?"
replicates = 2
[tokenizer.midilike]
[model.gru]
embedding = 8
hidden = 12
[training]
steps = 8
batch = 2
window = 16
precision = "fp32"
[generation]
samples = 1
tokens = 60
[floors]
draws = 0
shuffles = 0
[sampler.temperature]
[metric."distance.pitch"]
[metric."likelihood.nll"]
[objective]
metric = "likelihood.nll"
feature = "test"
[split]
test = ["c"]
[axes]
tokenizer = ["midilike", "midilike-classic"]
training.learning_rate = [1e-3, 1e-2]
[hypothesis]
text = "The classic tokens are better."
predictions = [
  { variant = "tokenizer=midilike-classic, learning_rate=0.001", direction = "better" },
]
"""
BASE, RATE = "tokenizer=midilike, learning_rate=0.001", "tokenizer=midilike, learning_rate=0.01"
CLASSIC = "tokenizer=midilike-classic, learning_rate=0.001"
APART = [CLASSIC, CLASSIC.replace("0.001", "0.01")]
PER_TOKEN, PER_NOTE = ("likelihood.nll", "test"), ("likelihood.nll", "test_per_note")


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    home = tmp_path_factory.mktemp("tokenizers")
    rng = np.random.default_rng(1)
    (home / "music").mkdir()
    for name in "abc":
        notes = [(int(p), 64, 0.5 * i, 0.5 * i + 0.4) for i, p in enumerate(rng.integers(50, 70, 40))]
        (home / "music" / f"{name}.mid").write_bytes(ablate.Performance.from_notes(notes).midi_bytes())
    (home / "which.toml").write_text(f'{STUDY}[corpus.midi]\npath = "{home / "music"}"\n', encoding="utf-8")
    bench = Bench(home / "home")
    assert not bench.run(read_study(str(home / "which.toml"))).failures
    return bench


@pytest.fixture(scope="module")
def analysis(bench: Bench) -> Analysis:
    with bench.store() as store:
        return Analysis(Study.read(store, "which"), get_registry())


def compared(analysis: Analysis, quantity: tuple[str, str], kind: str) -> list[str]:
    rows = analysis.all_effects
    chosen = (rows["metric"] == quantity[0]) & (rows["feature"] == quantity[1]) & (rows["kind"] == kind)
    return list(rows.loc[chosen, "comparison"])


def test_only_variants_with_the_baselines_tokenizer_are_compared(analysis: Analysis) -> None:
    assert compared(analysis, PER_TOKEN, "variant") == [RATE]
    assert compared(analysis, PER_NOTE, "variant") == [RATE, *APART]
    assert analysis.incomparable[PER_TOKEN] == APART
    assert PER_NOTE not in analysis.incomparable


def test_there_are_no_other_verdicts_in_another_way(analysis: Analysis) -> None:
    for kind in ("main effect", "interaction"):
        assert compared(analysis, PER_TOKEN, kind) == [], "each averages over both tokenizers"
    assert compared(analysis, ("distance.pitch", "average"), "main effect")
    assert PER_TOKEN not in analysis.best
    assert PER_TOKEN not in analysis.shares
    assert analysis.shares, "the other quantities have shares"
    assert analysis.advice is None
    assert PER_TOKEN not in set(zip(analysis.variance["metric"], analysis.variance["feature"], strict=True))


def test_the_answer_says_so(analysis: Analysis) -> None:
    told = answer(analysis)
    (block, *_) = told.blocks
    assert block.heading.startswith("likelihood.nll test (lower is better)")
    (line,) = [line for line in block.lines if "cannot be compared" in line.text]
    assert line.text.startswith(f"{APART[0]}; {APART[1]} cannot be compared with {BASE}: other tokenizers.")
    assert not any(CLASSIC in each.text for each in block.lines if each is not line)
    (reason,) = next(each for each in told.blocks if each.heading.startswith("Shares")).lines
    assert reason.text == "likelihood.nll test cannot be compared between tokenizers, so there are no shares."
    assert told.hypothesis is not None
    assert "other tokenizers" in told.hypothesis.lines[0].text


def test_what_tokenizers_keep_is_a_warning(analysis: Analysis) -> None:
    (warning,) = [each for each in analysis.warnings() if each.startswith("The tokenizers differ")]
    assert "likelihood.nll test_per_note, likelihood.nll gap_per_note count only what a tokenizer keeps" in warning
    variants = tuple(each for each in analysis.study.variants if each.name in (BASE, RATE))
    runs = tuple(each for each in analysis.study.runs if each.variant in (BASE, RATE))
    alike = dataclasses.replace(analysis.study, variants=variants, runs=runs)
    assert tokenizers.warnings(alike, analysis.headline) == []


def test_the_page_says_so(bench: Bench) -> None:
    """As the Markdown does, which has every sentence of the page (``tests/report/test_golden.py``)."""
    with bench.store() as store:
        text = write_report(store, bench.home, "which", sound=False).read_text(encoding="utf-8")
    assert "cannot be compared with" in text
    assert "their losses in nats per token cannot be compared" in text


def test_a_pair_is_not_compared_either(bench: Bench) -> None:
    with bench.store() as store:
        pair = compare_pair(store, f"which:{CLASSIC}", f"which:{BASE}", "likelihood.nll")
        assert "test_per_note" in set(pair.frame["feature"])
        assert "test" not in set(pair.frame["feature"])
        assert "likelihood.nll test" in pair.notes[-1]
        assert pair.notes[-1].endswith("cannot be compared: other tokenizers.")
        same = compare_pair(store, f"which:{RATE}", f"which:{BASE}", "likelihood.nll")
        assert "test" in set(same.frame["feature"])


def test_details_stand_in_no_table_of_all_metrics(analysis: Analysis) -> None:
    assert [q for q in analysis.headline if q[0] == "likelihood.nll"] == [PER_NOTE, ("likelihood.nll", "gap_per_note")]
    assert analysis.role_of["likelihood.nll", "train"] == "exploratory"


def test_studies_whose_tokenizers_were_fitted_on_other_pieces_are_not_compared(bench: Bench) -> None:
    text = (bench.home.parent / "which.toml").read_text(encoding="utf-8").partition("[axes]")
    corpus = text[2][text[2].index("[corpus.midi]") :]
    fitted = text[0].replace("[tokenizer.midilike]", "[tokenizer.midilike-bpe]\nvocabulary = 500")
    fitted = fitted.replace('test = ["c"]', "test = 0.3\nper_replicate = true")
    path = bench.home.parent / "fitted.toml"
    path.write_text(fitted + corpus, encoding="utf-8")
    for seed in (1, 2):
        assert not bench.run(read_study(str(path), Overrides(seed=seed, name=f"seed {seed}"))).failures
    with bench.store() as store:
        pair = compare_pair(store, "seed 1:base", "seed 2:base", "likelihood.nll")
    assert "test_per_note" in set(pair.frame["feature"])
    assert "test" not in set(pair.frame["feature"])
