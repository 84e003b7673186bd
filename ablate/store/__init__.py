"""The database. Only this package imports SQLAlchemy; while a study runs, the driver is the only writer.

The modules in the order of reading:

- :mod:`ablate.store.store`: all reading and writing, as plain methods on records;
- :mod:`ablate.store.records`: the records that the store takes and returns;
- :mod:`ablate.store.tables`: the tables;
- :mod:`ablate.store.rows`: between rows and records;
- :mod:`ablate.store.queries`: queries that several methods share;
- :mod:`ablate.store.facts`: stages with the facts that many of them have in common;
- :mod:`ablate.store.unused`: stages that no study uses;
- :mod:`ablate.store.folders`: the folders of stages in a home;
- :mod:`ablate.store.schema`: open, create and upgrade a database; the scripts are in ``migrations/``;
- :mod:`ablate.store.differences`: differences between two stored configurations.
"""
