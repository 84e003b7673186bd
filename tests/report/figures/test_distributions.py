"""The histograms of the notes."""

from __future__ import annotations

from typing import TYPE_CHECKING

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
