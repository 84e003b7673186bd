"""The histograms of the notes."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import pandas as pd
from support.report_study import STUDY

from ablate.report.data.frames import histogram_frame
from ablate.report.data.histograms import pooled_histograms
from ablate.report.figures.distributions import distribution_figure

if TYPE_CHECKING:
    from support.report_study import Home


def test_distributions_have_the_reference_and_every_variant(finished: Home) -> None:
    pooled = pooled_histograms(histogram_frame(finished.store, STUDY))
    figure = distribution_figure(pooled, ["tau=0.6", "tau=0.8"], pooled.iloc[:0])
    assert [axes.get_ylabel() for axes in figure.axes] == ["reference", "tau=0.6", "tau=0.8"]


def test_differing_references_are_not_shown_as_one(finished: Home) -> None:
    pooled = pooled_histograms(histogram_frame(finished.store, STUDY))
    pooled.loc[pooled["variant"] == "tau=0.8", "reference"] = 0.2
    figure = distribution_figure(pooled, ["tau=0.6", "tau=0.8"], pooled.iloc[:0])
    assert [axes.get_ylabel() for axes in figure.axes] == ["tau=0.6", "tau=0.8"]


def test_titles_and_units_of_many_features_stay_apart(finished: Home) -> None:
    one = pooled_histograms(histogram_frame(finished.store, STUDY))
    names = [
        "pitch",
        "inter-onset interval",
        "pitch class transition",
        "instrument",
        "average step of a melody",
        "a",
        "b",
    ]
    unit = "program (128: drums), or pair of pitch classes"
    many = pd.concat([one.assign(feature=name, unit=unit) for name in names])
    figure = distribution_figure(many, ["tau=0.6", "tau=0.8"], one.iloc[:0])
    figure.draw_without_rendering()
    texts = [text for axes in figure.axes for text in (axes.title, axes._left_title, axes.xaxis.label)]
    boxes = [text.get_window_extent() for text in texts if text.get_text()]
    assert len(boxes) == 2 * len(names)
    assert not any(one.overlaps(other) for one, other in itertools.combinations(boxes, 2))
    assert all(figure.bbox.containsx(edge) for box in boxes for edge in (box.x0, box.x1))
    assert all(figure.bbox.containsy(edge) for box in boxes for edge in (box.y0, box.y1))
