"""Files that travel between the driver's home and workers that cannot see it.

- :mod:`ablate.study.run.executor.transfer.incoming`: the driver's side;
- :mod:`ablate.study.run.executor.transfer.away`: the worker's side;
- :mod:`ablate.study.run.executor.transfer.versions`: the versions and plugins that both must have;
- :mod:`ablate.study.run.executor.transfer.seen`: whether a worker sees the home, where an executor states it.
"""
