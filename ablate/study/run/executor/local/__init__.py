"""The executor ``local``: worker processes of this machine.

The modules in the order of reading:

- :mod:`ablate.study.run.executor.local.executor`: hands tasks to workers, and takes what comes of them;
- :mod:`ablate.study.run.executor.local.worker`: the driver's side of one worker: its channel, and its death;
- :mod:`ablate.study.run.executor.local.process`: the worker's side;
- :mod:`ablate.study.run.executor.local.shared`: the memory that a worker shares with its driver.
"""
