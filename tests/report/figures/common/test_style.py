"""The style of all figures."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from matplotlib import image

from ablate.report.figures.common import style

if TYPE_CHECKING:
    from pathlib import Path


def test_colours_are_distinct_for_any_number_of_variants() -> None:
    for count in (1, 7, 8, 30):
        found = style.colours([str(number) for number in range(count)])
        assert len(set(found.values())) == count


def test_labels_fit_and_print() -> None:
    assert style.label("a\nb") == "a\N{REPLACEMENT CHARACTER}b"
    assert style.label("x" * 50, 11) == "xxxxx…xxxxx"


def test_a_png_has_150_pixels_an_inch_and_the_shape_of_the_svg(tmp_path: Path) -> None:
    with style.styled():
        figure = style.new_figure(3)
        figure.subplots().set_title("a title")
    style.save(figure, tmp_path, "drawing", png=True)
    pixels = image.imread(tmp_path / "drawing.png")
    assert pixels.shape[:2] == (450, round(150 * style.WIDTH))
    size = re.search(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', (tmp_path / "drawing.svg").read_text(encoding="utf-8"))
    assert size is not None
    assert [float(each) for each in size.groups()] == pytest.approx([72 * style.WIDTH, 72 * 3])
