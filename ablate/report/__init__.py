"""The report of a study, from the database to files.

The modules in the order of reading:

- :mod:`ablate.report.data`: the records, frames and files of a study;
- :mod:`ablate.report.statistics`: from these numbers to effects and verdicts;
- :mod:`ablate.report.figures`: one module for each figure;
- :mod:`ablate.report.text`: sentences, tables and facts;
- :mod:`ablate.report.formats`: HTML, Markdown, LaTeX, CSV, sound, and the index over all reports;
- :mod:`ablate.report.place`: where the report of a study is in a home;
- :mod:`ablate.report.write`: writes a report in some of these formats;
- :mod:`ablate.report.results`: the same results for Python and notebooks (``ablate.load_results``).

Imports point upward in this list only.
"""
