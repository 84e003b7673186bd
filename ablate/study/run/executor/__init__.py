"""Run jobs: in this process, or in processes of their own that no component can take the driver along with.

The modules in the order of reading:

- :mod:`ablate.study.run.executor.protocol`: the methods and outcomes of executors;
- :mod:`ablate.study.run.executor.choose`: which executor a study gets;
- :mod:`ablate.study.run.executor.inline`: one job at a time, in this process;
- :mod:`ablate.study.run.executor.pool`: hand jobs to worker processes, and try again what one took along;
- :mod:`ablate.study.run.executor.worker`: the driver's side of one worker: its channel, its death, its silence;
- :mod:`ablate.study.run.executor.process`: the worker's side;
- :mod:`ablate.study.run.executor.start`: the start of worker processes, and the signals that they ignore;
- :mod:`ablate.study.run.executor.shared`: the memory that a worker shares with its driver.
"""
