"""Reading the database: from rows, which anybody can have changed, to records.

The modules in the order of reading:

- :mod:`ablate.store.reading.reader`: the methods of a store that read;
- :mod:`ablate.store.reading.progress`: the progress of a study, which is read often;
- :mod:`ablate.store.reading.records`: from the rows of a query to records;
- :mod:`ablate.store.reading.queries`: the queries, as SQL, with the check of each column;
- :mod:`ablate.store.reading.columns`: the check of each column of each table;
- :mod:`ablate.store.reading.shapes`: the check of the JSON in these columns;
- :mod:`ablate.store.reading.problems`: the search for the row that does not fit.

None of them imports SQLAlchemy, which takes longer to import than most commands to answer.
"""
