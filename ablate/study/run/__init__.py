"""Run studies: submit jobs to workers and record their results.

The modules in the order of reading:

- :mod:`ablate.study.run.adaptive`: studies that decide while they run what to run next;
- :mod:`ablate.study.run.runner`: one command on a study, from the plan to the result;
- :mod:`ablate.study.run.scheduler`: which stages are ready, and their jobs;
- :mod:`ablate.study.run.executor`: run jobs in this process, in worker processes, or on GPUs;
- :mod:`ablate.study.run.status`: what has run, failed or is missing;
- :mod:`ablate.study.run.states`: the states of the runs and trials;
- :mod:`ablate.study.run.replicates`: the replicates that are complete;
- :mod:`ablate.study.run.recorder`: write studies and results to the store;
- :mod:`ablate.study.run.forget`: drop results that are computed again;
- :mod:`ablate.study.run.listener`: events for those who show them;
- :mod:`ablate.study.run.live`: a file with what is worked on now, for ``ablate watch``;
- :mod:`ablate.study.run.result`: what a command returns;
- :mod:`ablate.study.run.provenance`: versions, machine and git state of a result;
- :mod:`ablate.study.run.home`: the folder of a person's studies, and its lock.
"""
