"""The database. Only this package imports SQLAlchemy; while a study runs, the driver is the only writer.

The modules in the order of reading:

- :mod:`ablate.store.store`: all reading and writing, as plain methods on records;
- :mod:`ablate.store.records`: the records that the store takes and returns;
- :mod:`ablate.store.reading`: from rows to records, without SQLAlchemy; every row is checked;
- :mod:`ablate.store.connected`: transactions, and errors in them;
- :mod:`ablate.store.writing`, :mod:`ablate.store.rows`: from records to rows;
- :mod:`ablate.store.database`: connections, tables and their versions, locks, and errors for people;
- :mod:`ablate.store.unused`: stages that no study uses;
- :mod:`ablate.store.orphans`: rows that belong to nothing;
- :mod:`ablate.store.folders`: the folders of stages in a home;
- :mod:`ablate.store.transfer`: records as JSON, for bundles;
- :mod:`ablate.store.differences`: differences between two stored configurations.
"""
