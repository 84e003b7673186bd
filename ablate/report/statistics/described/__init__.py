"""Descriptions without a test.

- :mod:`ablate.report.statistics.described.summary`: mean and spread of each variant over replicates;
- :mod:`ablate.report.statistics.described.floors`: reference scores without a model;
- :mod:`ablate.report.statistics.described.responses`: whether the music follows a label;
- :mod:`ablate.report.statistics.described.confounds`: quantities that change as a side effect of a level;
- :mod:`ablate.report.statistics.described.order`: metrics that hardly react to the order of notes;
- :mod:`ablate.report.statistics.described.refused`: samples that metrics could not measure;
- :mod:`ablate.report.statistics.described.sources`: results from several versions of a component's source;
- :mod:`ablate.report.statistics.described.copying`: the variants that copy from the training pieces.
"""
