"""The figures of a report, one module for each.

Every module draws its figure, and decides what a study shows in it:

=============================================  =================================================================
figure                                         module
=============================================  =================================================================
forest plot: differences, with the margin      :mod:`ablate.report.figures.forest`
forest plot of blocks: one row for each block   :mod:`ablate.report.figures.blocks`
line chart along a numeric axis (its curve is  :mod:`ablate.report.figures.along_axis`
fitted in ``comparisons/trends.py``)
interaction plot of two axes                   :mod:`ablate.report.figures.interactions`
waterfall chart: shares of the parts           :mod:`ablate.report.figures.shares`
path chart: from baseline to target            :mod:`ablate.report.figures.path`
dot plot: every replicate, means and floors    :mod:`ablate.report.figures.values`
histograms of the notes                        :mod:`ablate.report.figures.distributions`
scatter plot of two quantities, Pareto front   :mod:`ablate.report.figures.tradeoff`
piano rolls (in Markdown; the page has         :mod:`ablate.report.figures.piano_roll`
its own, in ``formats/templates/page.js``)
training losses                                :mod:`ablate.report.figures.losses`
=============================================  =================================================================

The other modules: :mod:`ablate.report.figures.common` (style, files, and the quantities and variants to show), and
:mod:`ablate.report.figures.gallery` (collects the figures of a study).
"""
