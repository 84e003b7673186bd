"""BibTeX of the components that were used, and of the statistical methods."""

from __future__ import annotations

import itertools
import re
from typing import TYPE_CHECKING, Any

from support.outputs_material import component, drawn, put

from ablate.registry import get_registry
from ablate.report.formats.bibliography import METHODS
from ablate.report.write import write_report
from ablate.store.store import Store

if TYPE_CHECKING:
    from pathlib import Path


def entries(text: str) -> dict[str, dict[str, str]]:
    """BibTeX as fields by key; fails where braces do not match, a key comes twice or something else stands between."""
    found: dict[str, dict[str, str]] = {}
    rest = text.strip()
    while rest:
        begun = re.match(r"@[a-z]+{([^\s,{}]+),", rest)
        assert begun, f"no entry: {rest[:60]}"
        assert begun[1] not in found, f"twice: {begun[1]}"
        depths = itertools.accumulate({"{": 1, "}": -1}.get(char, 0) for char in rest)
        closed = [place for place, depth in enumerate(depths) if depth == 0 and place >= begun.end()]
        assert closed, f"never closed: {begun[1]}"
        body, rest = rest[begun.end() : closed[0]], rest[closed[0] + 1 :].strip()
        field = r"\s*([a-z]+) = {((?:[^{}]|{(?:[^{}]|{[^{}]*})*})*)}\s*(?:,|$)"  # braces in braces, as of an accent
        found[begun[1]] = dict(re.findall(field, body))
        assert not re.sub(field, "", body).strip(), f"no fields: {body}"
    return found


def cited(home: Path, configs: dict[str, Any]) -> dict[str, dict[str, str]]:
    with Store(f"sqlite:///{home / 'ablate.db'}") as store:
        put(store, "cited", drawn(3, {"plain": 0.5, "other": 0.4}), configs=configs)
        write_report(store, home, "cited", ["tex"])
    return entries((home / "reports/cited/paper/references.bib").read_text(encoding="utf-8"))


def test_the_bibliography_is_of_what_was_used_and_of_the_methods(tmp_path: Path) -> None:
    other = {"sampler": [component("top_p", p=0.9)], "model": [component("of-nobody")]}
    found = cited(tmp_path, {"other": other})
    methods = set(entries("\n".join(METHODS.values())))
    assert {
        "holm1979",
        "fisher1935",
        "schuirmann1987",
        "kendall1938",
        "johnson1978",
        "yuen1974",
        "clopper1934",
    } <= methods
    ours = {("corpus", "bach-prelude"), ("tokenizer", "midilike-classic"), ("model", "lstm"), ("sampler", "top_p")}
    ours |= {("sampler", "temperature"), ("metric", "distance.pitch")}
    sources = {key for each in ours for text in get_registry().spec(*each).cite for key in entries(text)}
    assert {"holtzman2020", "hochreiter1997"} <= sources
    assert set(found) == methods | sources
    assert all({"author", "title", "year"} <= set(fields) for fields in found.values())


def test_all_sources_there_are_can_stand_in_one_bibliography(tmp_path: Path) -> None:
    registry, kinds = get_registry(), ("corpus", "tokenizer", "model", "sampler", "metric")
    everything = {kind: [component(name) for name in registry.names(kind)] for kind in kinds}
    assert set(entries("\n".join(METHODS.values()))) < set(cited(tmp_path, {"other": everything}))
