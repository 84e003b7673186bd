"""Run jobs: in this process, or in processes of their own that no component can take the driver along with.

The modules in the order of reading:

- :mod:`ablate.study.run.executor.protocol`: the methods and outcomes that a runner sees;
- :mod:`ablate.study.run.executor.choose`: which executor a study gets;
- :mod:`ablate.study.run.executor.inline`: one job at a time, in this process;
- :mod:`ablate.study.run.executor.dispatcher`: hand jobs as tasks to any :class:`ablate.interfaces.executor.Executor`;
- :mod:`ablate.study.run.executor.handing`: make tasks of jobs;
- :mod:`ablate.study.run.executor.hearing`: take the messages of workers;
- :mod:`ablate.study.run.executor.waiting`: the order of jobs;
- :mod:`ablate.study.run.executor.places`: which places suit a job;
- :mod:`ablate.study.run.executor.silence`: which components are stuck;
- :mod:`ablate.study.run.executor.deaths`: what happens to a job whose worker has died;
- :mod:`ablate.study.run.executor.tasks`: tasks, their messages, and the work in a worker;
- :mod:`ablate.study.run.executor.transfer`: files that travel, where workers do not see the home;
- :mod:`ablate.study.run.executor.blame`: name the executor whose code has failed;
- :mod:`ablate.study.run.executor.local`: the executor of this machine;
- :mod:`ablate.study.run.executor.start`: the start of worker processes, and the signals that they ignore.
"""
