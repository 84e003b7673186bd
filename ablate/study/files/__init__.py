"""The files that a home should have: what belongs to its stages, and whether it is there as it was written.

- :mod:`ablate.study.files.lost`: the damaged and missing files of one stage;
- :mod:`ablate.study.files.home`: the folders, checkpoints and logs of a home, and those that nothing refers to;
- :mod:`ablate.study.files.findings`: everything that is wrong with a home, for ``ablate db check``;
- :mod:`ablate.study.files.repair`: have it made again.
"""
