"""The corpora of a study."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import pytest
from support.report_study import IDENTITY, Builder

from ablate.report.data.corpora import LoadedCorpus, loaded_corpora
from ablate.report.data.left_out import left_out
from ablate.report.data.study import Study
from ablate.report.text.setup import facts, top_facts

if TYPE_CHECKING:
    from pathlib import Path


def built(home: Path) -> Study:
    builder = Builder(home, ("a", "b"), 1, 1)
    builder.plan()
    builder.load(["x.mid: left out: no notes", "y.mid: two tracks"])
    with builder.store:
        return Study.read(builder.store, "tau_sweep@smoke")


def test_variants_share_a_corpus(tmp_path: Path) -> None:
    study = built(tmp_path)
    assert loaded_corpora(study) == [LoadedCorpus("bach", IDENTITY, {"performances": 1, "notes": 90})]


def test_the_facts_contain_the_identity_and_at_the_top_a_short_digest(tmp_path: Path) -> None:
    study = built(tmp_path)
    assert dict(facts(study))["Corpus identity"] == IDENTITY
    assert dict(top_facts(study))["Corpus identity"] == "0123456789ab… reader=symusic"


@pytest.mark.parametrize(
    ("source", "shown"),
    [
        ("/checkout/of/somebody/studies/tau_sweep.toml", "studies/tau_sweep.toml"),
        ("longer.toml", "longer.toml"),
        ("../mine/longer.toml", "../mine/longer.toml"),
    ],
)
def test_the_study_file_is_shown_without_the_place_of_an_installation(tmp_path: Path, source: str, shown: str) -> None:
    study = built(tmp_path)
    record = dataclasses.replace(study.record, spec={**study.record.spec, "source": source})
    assert dict(facts(dataclasses.replace(study, record=record)))["Study file"] == shown


def test_instruments_are_named_with_their_notes(tmp_path: Path) -> None:
    study = built(tmp_path)
    result = {"notes": 90, "instruments": {"73": 30, "128": 60}}
    band = dataclasses.replace(study, stages={"load": dataclasses.replace(study.stages["load"], result=result)})
    assert dict(facts(band))["Reference"].endswith("notes: 90, instruments: Drums 60, Flute 30")


def test_each_of_several_corpora_has_its_identity(tmp_path: Path) -> None:
    study = built(tmp_path)
    load = study.stages["load"]
    config = {"corpus": {"name": "midi", "version": "1", "identity": "other"}}
    other = dataclasses.replace(load, fingerprint="other", config=config, result={"problems": ["x.mid: no notes"]})
    first, second = study.runs
    runs = (first, dataclasses.replace(second, stages={**second.stages, "load": "other"}))
    both = dataclasses.replace(study, runs=runs, stages={**study.stages, "other": other})
    assert dict(facts(both))["Corpus identity"] == f"bach: {IDENTITY}; midi: other"
    problems = left_out(both.runs, both.stages, both.spec).problems
    assert problems == ("x.mid: left out: no notes", "y.mid: two tracks", "x.mid: no notes")


def test_a_result_of_an_older_version_has_neither_identity_nor_problems(tmp_path: Path) -> None:
    study = built(tmp_path)
    load = dataclasses.replace(study.stages["load"], config={}, result={})
    older = dataclasses.replace(study, stages={**study.stages, "load": load})
    assert loaded_corpora(older) == [LoadedCorpus("", "", {})]
    assert left_out(older.runs, older.stages, older.spec) == ((), ())
    assert "Corpus identity" not in dict(facts(older))


def test_what_is_left_out_of_a_primer_is_said_once(tmp_path: Path) -> None:
    study = built(tmp_path)
    primes = {}
    for name in ("one", "two"):
        result = {"summary": "x.mid: 2 of 3 notes left out", "problems": ["x.mid: odd"]}
        primes[name] = dataclasses.replace(study.stages["load"], fingerprint=name, kind="prime", result=result)
    pairs = zip(study.runs, primes, strict=True)
    runs = tuple(dataclasses.replace(run, stages={**run.stages, "prime": name}) for run, name in pairs)
    found = left_out(runs, {**study.stages, **primes}, study.spec)
    assert found.sentences == ("Primer: x.mid: 2 of 3 notes left out.",)
    assert found.problems[-1] == "primer x.mid: odd"
