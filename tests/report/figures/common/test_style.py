"""The style of all figures."""

from __future__ import annotations

from ablate.report.figures.common import style


def test_colours_are_distinct_for_any_number_of_variants() -> None:
    for count in (1, 7, 8, 30):
        found = style.colours([str(number) for number in range(count)])
        assert len(set(found.values())) == count


def test_labels_fit_and_print() -> None:
    assert style.label("a\nb") == "a\N{REPLACEMENT CHARACTER}b"
    assert style.label("x" * 50, 11) == "xxxxx…xxxxx"
