"""Shards: parts of a study that run apart from each other, each in a home of its own.

- :mod:`ablate.study.shards.shard`: which runs a shard has;
- :mod:`ablate.study.shards.script`: the script that runs all shards on a SLURM cluster.

The shards that a stored study lists: :mod:`ablate.store.parts`.
"""
