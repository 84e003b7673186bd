"""The sources of the first-party components: well-formed, told alike everywhere, and in a report's bibliography."""

from __future__ import annotations

import itertools
import re
from typing import TYPE_CHECKING, Any

import pytest
from support.checkout import ROOT
from support.shipped import read_shipped

from ablate.registry import get_registry
from ablate.report.data.study import Study
from ablate.report.formats.bibliography import METHODS, bibliography
from ablate.specs import ALL_SPECS
from ablate.store.records import RunRecord, StudyRecord, VariantRecord
from ablate.store.store import Store
from ablate.study.file.locate import shipped_studies
from ablate.testing import bibtex

if TYPE_CHECKING:
    from pathlib import Path

OURS = {
    f"{kind} {component.spec.name}": component.spec
    for kind in ALL_SPECS
    for component in get_registry().offered(kind)
    if component.plugin.distribution == "ablate-music"
}
#: Of every component that has a source; the others are ours, or older than anybody knows.
EXPECTED = {
    "corpus bach-prelude": ["repp1992", "todd1992", "friberg2006"],
    "corpus folk-piano": ["repp1992", "todd1992", "friberg2006"],
    "tokenizer midilike": ["oore2020"],
    "tokenizer midilike-bpe": ["oore2020", "sennrich2016", "fradet2023"],
    "tokenizer midilike-classic": ["lee2018", "oore2020"],
    "conditioner articulation": ["bresin2000"],
    "model lstm": ["simon2017", "hochreiter1997", "gers2000"],
    "model gru": ["cho2014"],
    "model transformer": ["vaswani2017", "radford2019", "su2021"],
    "optimizer adam": ["kingma2015"],
    "optimizer adamw": ["loshchilov2019", "kingma2015"],
    "optimizer sgd": ["polyak1964", "sutskever2013"],
    "optimizer muon": ["jordan2024", "liu2025", "loshchilov2019"],
    "schedule warmup_cosine": ["loshchilov2017", "goyal2017"],
    "schedule warmup_linear": ["goyal2017"],
    "schedule one_cycle": ["smith2019"],
    "schedule inverse_sqrt": ["vaswani2017"],
    "sampler top_k": ["fan2018"],
    "sampler top_p": ["holtzman2020"],
    "sampler min_p": ["nguyen2025"],
    "sampler typical": ["meister2023"],
    "sampler repetition_penalty": ["keskar2019"],
    "metric distance.pitch": ["kullback1951", "lin1991", "vallender1974"],
    "metric distance.pitch_class": ["kullback1951", "lin1991", "rabin2011"],
    "metric distance.duration": ["kullback1951", "lin1991", "vallender1974"],
    "metric distance.velocity": ["kullback1951", "lin1991", "vallender1974"],
    "metric distance.inter_onset_interval": ["kullback1951", "lin1991", "vallender1974"],
    "metric distance.polyphony": ["kullback1951", "lin1991", "vallender1974"],
    "metric distance.instrument": ["kullback1951", "lin1991"],
    "metric distance.drum": ["kullback1951", "lin1991"],
    "metric distance.pitch_class_transition": ["kullback1951", "lin1991", "yang2020"],
    "metric distance.average": ["kullback1951", "lin1991"],
    "metric memorization.ngrams": ["mccoy2023"],
    "metric memorization.longest": ["yin2022"],
    "metric memorization.covered": ["yin2022"],
    "metric musicality.pitch_range": ["dong2020", "yang2020"],
    "metric musicality.pitch_classes": ["dong2020"],
    "metric musicality.pitch_entropy": ["dong2020"],
    "metric musicality.pitch_class_entropy": ["dong2020", "wu2020"],
    "metric musicality.scale_consistency": ["mogren2016", "dong2020"],
    "metric musicality.polyphony": ["dong2020"],
    "metric musicality.notes_per_second": ["yang2020"],
    "metric musicality.empty_time": ["dong2020"],
    "metric setdistance.pitch_count": ["yang2020"],
    "metric setdistance.pitch_range": ["yang2020"],
    "metric setdistance.pitch_interval": ["yang2020"],
    "metric setdistance.pitch_classes": ["yang2020"],
    "metric setdistance.pitch_class_transitions": ["yang2020"],
    "metric setdistance.note_count": ["yang2020"],
    "metric setdistance.onset_interval": ["yang2020"],
    "metric setdistance.note_lengths": ["yang2020"],
    "metric setdistance.note_length_transitions": ["yang2020"],
    "metric setdistance.frechet": ["dowson1982", "heusel2017", "chong2020"],
    "metric structure.groove": ["wu2020", "dong2020"],
    "metric structure.repetition": ["wu2020", "mueller2011"],
}
#: What every shipped study uses, or nearly.
PRELUDE = {"repp1992", "todd1992", "friberg2006"}
CLASSIC = {"lee2018", "oore2020"}
LSTM = {"simon2017", "hochreiter1997", "gers2000"}
HISTOGRAMS = {"kullback1951", "lin1991"}
SAMPLERS = {"fan2018", "holtzman2020", "nguyen2025", "meister2023", "keskar2019"}
ADAM = {"kingma2015"}
ON_PIECES = CLASSIC | LSTM | ADAM | HISTOGRAMS
USUAL = PRELUDE | ON_PIECES
#: AdamW, a warm-up and a cosine, and metrics.
MODERN = {"loshchilov2019", "goyal2017", "loshchilov2017", "vallender1974", "yin2022"}
STUDIES = {
    "backbone": {*USUAL, "vallender1974", "yin2022", "cho2014", "vaswani2017", "radford2019", "su2021"},
    "conditioners": {*USUAL, "vallender1974", "yang2020", "bresin2000"},
    "course_path": {*USUAL, "vallender1974", "yin2022"},
    "generalisation": {*USUAL, *MODERN, "cho2014", "vaswani2017", "radford2019", "su2021"},
    "instruments": {*ON_PIECES - {"lee2018"}, "vallender1974", "yang2020"},
    "primed": {*USUAL, "vallender1974", "yin2022"},
    "recipe": {*USUAL, *MODERN},
    "sampling": {*USUAL, "vallender1974", "yin2022", *SAMPLERS},
    "tau_sweep": {*USUAL, "vallender1974", "yin2022"},
    "tau_top_p": {*USUAL, "yin2022", "holtzman2020"},
    "tempo_ablation": {*USUAL, "vallender1974", "yin2022"},
    "tempo_control": USUAL,
    "tokenizers": {*USUAL, "vallender1974", "yin2022"},
}


def keys(spec: Any) -> list[str]:
    return [bibtex.key(entry) for entry in spec.cite]


def test_each_component_names_its_sources() -> None:
    assert {name: keys(spec) for name, spec in OURS.items() if spec.cite} == EXPECTED


@pytest.mark.parametrize("name", EXPECTED)
def test_sources_are_well_formed_and_named_by_author_and_year(name: str) -> None:
    for entry in OURS[name].cite:
        assert bibtex.flaw(entry) == ""
        fields = bibtex.fields(entry)
        first = re.split(r"\s+and\s+", fields["author"])[0].split()[-1]
        assert bibtex.key(entry) == f"{first.lower()}{fields['year']}"
        assert not re.search(r"[^\x00-\x7f]", entry), "letters beyond ASCII do not survive every BibTeX"


def test_a_source_is_the_same_text_wherever_it_is_named() -> None:
    entries = [*METHODS.values(), *itertools.chain(*(spec.cite for spec in OURS.values()))]
    texts: dict[str, set[str]] = {}
    for entry in entries:
        texts.setdefault(bibtex.key(entry), set()).add(entry.strip())
    assert {key: sorted(told) for key, told in texts.items() if len(told) > 1} == {}
    titles = [bibtex.fields(told)["title"].lower() for (told,) in texts.values()]
    assert len(set(titles)) == len(titles), "a work has two keys"


@pytest.mark.parametrize("name", METHODS)
def test_the_sources_of_the_methods_are_well_formed_too(name: str) -> None:
    assert bibtex.flaw(METHODS[name]) == ""


def test_the_guide_shows_a_source_as_it_is() -> None:
    guide = (ROOT / "docs/guides/writing-a-plugin.md").read_text(encoding="utf-8")
    (shown,) = re.findall(r"^```bibtex\n(.*?)^```$", guide, re.DOTALL | re.MULTILINE)
    assert shown.strip() in OURS["sampler min_p"].cite


def planned(name: str, folder: Path) -> Study:
    """A shipped study as its report reads it, before anything has run."""
    spec = read_shipped(name)
    variants = spec.variants()
    runs = [RunRecord(v.name, 0, {}, spec.configuration(v, get_registry()).plain()) for v in variants]
    store = Store(f"sqlite:///{folder / 'ablate.db'}")
    store.put_study(
        StudyRecord(name, spec.plain(), "default", "a corpus", spec.seed),
        [VariantRecord(v.name, v.name, v.levels, v.baseline) for v in variants],
        runs,
    )
    return Study.read(store, name)


def test_every_shipped_study_is_looked_at() -> None:
    assert STUDIES.keys() == shipped_studies().keys()


@pytest.mark.parametrize("name", STUDIES)
def test_a_report_names_the_sources_of_what_a_study_uses(name: str, tmp_path: Path) -> None:
    found = re.findall(r"^@\w+\{(\w+),", bibliography(planned(name, tmp_path), get_registry()), re.MULTILINE)
    methods = {bibtex.key(entry) for entry in METHODS.values()}
    assert len(set(found)) == len(found), "a source is listed twice"
    assert set(found) - methods == STUDIES[name]
    assert methods <= set(found)
