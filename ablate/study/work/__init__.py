"""Do the work of one stage in a worker; nothing here depends on a study.

The modules in the order of reading:

- :mod:`ablate.study.work.messages`: jobs, their progress, and the results of their stages;
- :mod:`ablate.study.work.dispatch`: the table of functions, one for each kind of stage;
- :mod:`ablate.study.work.load`: read a corpus, and split it;
- :mod:`ablate.study.work.fit`: fit a tokenizer on the training pieces;
- :mod:`ablate.study.work.prepare`: augment, observe and encode the training pieces;
- :mod:`ablate.study.work.prime`: cut primers;
- :mod:`ablate.study.work.train`: train models;
- :mod:`ablate.study.work.generate`: generate samples, and decide which of them fail;
- :mod:`ablate.study.work.measure`: measure samples and models;
- :mod:`ablate.study.work.floors`: measure floors, the reference scores;
- :mod:`ablate.study.work.components`: build components and networks from plain data;
- :mod:`ablate.study.work.artifacts`: the files of a stage.
"""
