"""The tables of a study file that only its report needs.

- :mod:`ablate.study.file.reading.tables`: contrasts, margins, published values;
- :mod:`ablate.study.file.reading.parts`: the parts of named variants;
- :mod:`ablate.study.file.reading.hypothesis`: the hypothesis and what it predicts.
"""
