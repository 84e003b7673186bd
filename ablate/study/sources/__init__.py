"""Digests of what results were computed with beside fingerprints: the source of components, and files of options.

A fingerprint has the version of a component, which its author changes when its results change. Digests find what was
edited under an equal version, before results are reused. The modules in the order of reading:

- :mod:`ablate.study.sources.modules`: find and read modules without importing them;
- :mod:`ablate.study.sources.syntax`: the statements of a module, without comments, docstrings and formatting;
- :mod:`ablate.study.sources.reach`: the definitions that a component uses, in its own packages;
- :mod:`ablate.study.sources.files`: the files that options name;
- :mod:`ablate.study.sources.facts`: all of this for a stage, as it is recorded with its result;
- :mod:`ablate.study.sources.started`: the same for a training that is not finished;
- :mod:`ablate.study.sources.changes`: compare what is recorded with the present;
- :mod:`ablate.study.sources.recompute`: the stages that ``--recompute`` names;
- :mod:`ablate.study.sources.weights`: changes since a run was trained.
"""
