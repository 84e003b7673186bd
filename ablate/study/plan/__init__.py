"""Plan studies: from variants to runs, stages and jobs.

The modules in the order of reading:

- :mod:`ablate.study.plan.layout`: every run of the variants with its stages;
- :mod:`ablate.study.plan.stages`: the stages of a run, and what enters their fingerprints;
- :mod:`ablate.study.plan.plan`: the stages that have to run, and those that are reused;
- :mod:`ablate.study.plan.jobs`: which stages are worked on together;
- :mod:`ablate.study.plan.preflight`: problems that only the built components show;
- :mod:`ablate.study.plan.music`: the corpora of the study, and whether its runs can use them;
- :mod:`ablate.study.plan.estimate`: the expected time and memory.
"""
