"""Judge results that ablate did not compute: they become an ordinary study of the home.

- :mod:`ablate.study.judge.reading`: a table from a CSV, JSON Lines or Parquet file; :mod:`~ablate.study.judge.text`
  decodes and divides the text of the first two;
- :mod:`ablate.study.judge.columns`: which column has the variants, the replicates and the metrics;
- :mod:`ablate.study.judge.observations`: the numbers of the table, and what is left out of them;
- :mod:`ablate.study.judge.runs`: the variants and runs, with paired or independent replicates;
- :mod:`ablate.study.judge.record`: the study in the store.
"""
