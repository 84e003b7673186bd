"""Merging: bring the results of several homes together in one, without losing or replacing any.

- :mod:`ablate.study.merge.merge`: all of it, home by home;
- :mod:`ablate.study.merge.outcome`: what it returns;
- :mod:`ablate.study.merge.stages`: the results of one home;
- :mod:`ablate.study.merge.compare`: whether two results of one fingerprint are equal;
- :mod:`ablate.study.merge.copying`: copy the files of a result, with every digest checked;
- :mod:`ablate.study.merge.studies`: join the records of a study.
"""
