"""Databases, as SQLite files or in a PostgreSQL server: connections, tables, versions, locks, and errors for people.

The modules in the order of reading:

- :mod:`~ablate.store.database.tables`, :mod:`~ablate.store.database.columns`: the tables, and how columns hold values;
- :mod:`~ablate.store.database.schema`: open, create and upgrade a database; the scripts are in ``migrations/``;
- :mod:`~ablate.store.database.versions`: the versions of the schema;
- :mod:`~ablate.store.database.address`: URLs of databases;
- :mod:`~ablate.store.database.engines`: connections; :mod:`~ablate.store.database.sqlite` to files, and
  :mod:`~ablate.store.database.postgres` to servers;
- :mod:`~ablate.store.database.execute`: statements without a connection of SQLAlchemy's own;
- :mod:`~ablate.store.database.locks`: who may run a study;
- :mod:`~ablate.store.database.watch`: a file that is removed or replaced while a command writes;
- :mod:`~ablate.store.database.problems`: errors of a database as one line for people.
"""
