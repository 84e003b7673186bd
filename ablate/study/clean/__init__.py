"""Remove what a study leaves in a home, and what no study refers to.

- :mod:`ablate.study.clean.remove`: the files of stages, trainings and reports;
- :mod:`ablate.study.clean.sounds`: the sounds that are kept between reports;
- :mod:`ablate.study.clean.leftovers`: the files that no study refers to;
- :mod:`ablate.study.clean.stores`: other databases whose studies have files in a home.
"""
