"""A study with 100 variants and 1,000 runs stays readable."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from support.outputs_material import PITCH, Parsed, drawn, put

from ablate.report.write import write_report
from ablate.store.store import Store

if TYPE_CHECKING:
    from pathlib import Path

VARIANTS = {f"v{place:03}": 0.5 - place / 500 for place in range(100)}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("large")
    with Store(f"sqlite:///{home / 'ablate.db'}") as store:
        values = drawn(1, VARIANTS, [PITCH, ("distance.duration", "average")], (10, 1))
        put(store, "large", values, floors={PITCH: [0.1, 0.12, 0.14]})
        return write_report(store, home, "large", sound=False).parent


def test_the_top_counts_and_every_variant_is_in_the_tables(folder: Path) -> None:
    html = (folder / "index.html").read_text(encoding="utf-8")
    read = Parsed(html)
    top = read.text.partition("Values and floors")[0]
    assert re.search(r"\d\d of 99: better \(v0\d\d|\d\d of 99: better \(v09\d", top)
    assert top.count("is better than v000") == 0
    assert "1,000 of 1,000 done" in top or "1000 of 1000 done" in top
    for name in VARIANTS:
        assert read.text.count(name) >= 2
    assert len(html) < 5_000_000


def test_figures_show_a_part_and_say_so(folder: Path) -> None:
    sizes = {path.name: path.stat().st_size for path in (folder / "figures").iterdir()}
    assert sizes.keys() >= {"forest.svg", "comparison.svg"}
    assert max(sizes.values()) < 1_500_000
    for name in sizes:
        shown = re.search(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', (folder / "figures" / name).read_text())
        assert shown is not None
        assert float(shown[2]) < 4 * float(shown[1]), "no endless strip"
