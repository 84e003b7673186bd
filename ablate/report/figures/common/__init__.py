"""The style, the files and the selection that all figures share.

- :mod:`ablate.report.figures.common.style`: colours, fonts, and the grid of panels;
- :mod:`ablate.report.figures.common.drawing`: a figure with its caption, and its file;
- :mod:`ablate.report.figures.common.selection`: the variants and quantities that are shown.
"""
