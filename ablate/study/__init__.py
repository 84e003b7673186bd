"""Studies, from the file to the results.

The modules in the order of reading:

- :mod:`ablate.study.file`: read and check a study file;
- :mod:`ablate.study.design`: make variants from axes;
- :mod:`ablate.study.plan`: from variants to runs, stages and jobs;
- :mod:`ablate.study.stage`: one step of the work, with its fingerprint (their kinds: :mod:`ablate.kinds`);
- :mod:`ablate.study.work`: do the work of one stage, in a worker;
- :mod:`ablate.study.run`: submit jobs to workers, and record their results;
- :mod:`ablate.study.trials`: the study as Optuna sees it;
- :mod:`ablate.study.search`: studies whose variants Optuna proposes;
- :mod:`ablate.study.path`: studies that change a baseline into a target, one change at a time;
- :mod:`ablate.study.generate`: the command ``ablate generate``.
"""
