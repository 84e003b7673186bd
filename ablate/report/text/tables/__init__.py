"""The tables of a report.

Each table is a grid, which the page, Markdown and LaTeX print. The modules in the order of reading:

- :mod:`ablate.report.text.tables.grid`: what a grid consists of;
- :mod:`ablate.report.text.tables.comparisons`: differences with their intervals and verdicts;
- :mod:`ablate.report.text.tables.path`: the steps of a path, and what they were chosen from;
- :mod:`ablate.report.text.tables.shares`: the shares of parts in the total difference;
- :mod:`ablate.report.text.tables.blocks`: differences in each block, and in how many blocks they hold;
- :mod:`ablate.report.text.tables.estimates`: means with their intervals, and floors;
- :mod:`ablate.report.text.tables.reported`: our values beside values published elsewhere;
- :mod:`ablate.report.text.tables.responses`: whether the music follows a label;
- :mod:`ablate.report.text.tables.confounds`: quantities that change as a side effect of a level;
- :mod:`ablate.report.text.tables.runs`: trainings, the costs of all stages, and the runs without a full result;
- :mod:`ablate.report.text.tables.terminal`: the two tables that ``ablate study run`` prints.
"""
