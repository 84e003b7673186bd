"""The files of a report.

The modules in the order of reading:

- :mod:`ablate.report.formats.content`: what the page and Markdown share: answer, facts, tables, figures;
- :mod:`ablate.report.formats.markdown`: ``report.md``;
- :mod:`ablate.report.formats.html`: the page, ``index.html``, with its templates in ``templates/``;
- :mod:`ablate.report.formats.clips`: the music in the page, and the MIDI files;
- :mod:`ablate.report.formats.rolls`: the notes of its piano rolls;
- :mod:`ablate.report.formats.audio`: sound for the music;
- :mod:`ablate.report.formats.latex`: the table of a paper;
- :mod:`ablate.report.formats.bibliography`: its sources;
- :mod:`ablate.report.formats.csv`: the numbers as CSV files, and as JSON in the page;
- :mod:`ablate.report.formats.index`: the page that lists all reports of a home.
"""
