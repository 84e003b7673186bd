"""A page about a running study, for a browser; it only reads.

The modules in the order of reading:

- :mod:`ablate.watch.server`: the server, its addresses, and who may ask it;
- :mod:`ablate.watch.watched`: the watched studies of a home, each with all that its page needs;
- :mod:`ablate.watch.hub`: one reader for all viewers of a study;
- :mod:`ablate.watch.source`: reads the progress of a study, if something has changed;
- :mod:`ablate.watch.state`: from records to the parts of the page;
- :mod:`ablate.watch.remaining`: the time that is left;
- :mod:`ablate.watch.losses`: the curves of trainings;
- :mod:`ablate.watch.live`: what the command works on now;
- :mod:`ablate.watch.music`: first samples: notes, MIDI files and sound;
- :mod:`ablate.watch.verdicts`: verdicts, for those who ask for them.
"""
