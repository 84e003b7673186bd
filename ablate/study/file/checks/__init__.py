"""Checks of a study file, each of which yields problems as (key, text) and raises nothing.

- :mod:`ablate.study.file.checks.content`: all of them together, and the components and labels that a study needs;
- :mod:`ablate.study.file.checks.levels`: paths and levels of axes, changes of named variants, the baseline;
- :mod:`ablate.study.file.checks.kinds`: options of the file that no variant uses;
- :mod:`ablate.study.file.checks.design`: how axes become variants, and each variant as a whole;
- :mod:`ablate.study.file.checks.reading`: objectives, margins, contrasts, predictions, published values.
"""
