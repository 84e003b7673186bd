"""The words of a report.

The modules in the order of reading:

- :mod:`ablate.report.text.lines`: sentences with their verdicts, in blocks;
- :mod:`ablate.report.text.sentences`: the answer at the top of a report: verdicts and warnings;
- :mod:`ablate.report.text.hypothesis`: the answer to the hypothesis;
- :mod:`ablate.report.text.rules`: the rules behind the verdicts: families, error rates, marks and intervals;
- :mod:`ablate.report.text.trends`: the sentence about a trend along an axis;
- :mod:`ablate.report.text.path`: the part of the answer about the steps of a path;
- :mod:`ablate.report.text.shares`: the part of the answer about shares of the total difference;
- :mod:`ablate.report.text.looks`: the looks at the study, and why it stopped;
- :mod:`ablate.report.text.care`: why some verdicts cannot be given, and why others need care;
- :mod:`ablate.report.text.names`: lists of names in sentences;
- :mod:`ablate.report.text.setup`: facts about the study: corpus, versions, configurations, the command;
- :mod:`ablate.report.text.tables`: one module for each kind of table.
"""
