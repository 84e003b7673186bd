"""The table of a paper, in LaTeX with booktabs.

- :mod:`ablate.report.formats.latex.options`: the content of the table, and its greatest width;
- :mod:`ablate.report.formats.latex.names`: the quantities and variants that are chosen, and what they are called;
- :mod:`ablate.report.formats.latex.escape`: text as LaTeX prints it;
- :mod:`ablate.report.formats.latex.widths`: the width of text, and lines of at most a width;
- :mod:`ablate.report.formats.latex.cells`: values with their marks and intervals;
- :mod:`ablate.report.formats.latex.layout`: columns and rows as parts that fit the width, and floats that fit the page;
- :mod:`ablate.report.formats.latex.captions`: the caption;
- :mod:`ablate.report.formats.latex.table`: all of it together.
"""
