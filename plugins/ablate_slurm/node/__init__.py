"""The programs of a job, on the node where it runs.

- :mod:`ablate_slurm.node.pilot`: the program of a job: starts workers, and passes messages on;
- :mod:`ablate_slurm.node.news`: what it has to tell the driver;
- :mod:`ablate_slurm.node.process`: the pilot's side of one worker;
- :mod:`ablate_slurm.node.worker`: the worker's side;
- :mod:`ablate_slurm.node.signs`: the memory that a worker shares with its pilot.
"""
