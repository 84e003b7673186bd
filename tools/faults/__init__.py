"""The long campaign of faults against a running study; ``python tools/faults`` runs it.

The modules in the order of reading:

- :mod:`faults.home`: a home under attack, its commands, and what is compared;
- :mod:`faults.kills`, :mod:`faults.signals`, :mod:`faults.database`, :mod:`faults.files`, :mod:`faults.disk`,
  :mod:`faults.readers`: the faults;
- :mod:`faults.table`: the counts, for docs/explanation/reliability.md.
"""
