"""The records, frames and files of a study.

The modules in the order of reading:

- :mod:`ablate.report.data.study`: the study, read once;
- :mod:`ablate.report.data.frames`: its measurements and runs as tidy pandas frames;
- :mod:`ablate.report.data.floors`: its floors, likewise;
- :mod:`ablate.report.data.variants`: its variants with their levels;
- :mod:`ablate.report.data.blocks`: its blocks, and the place of each variant in them;
- :mod:`ablate.report.data.splits`: the pieces that each run was trained, validated and tested on;
- :mod:`ablate.report.data.corpora`: the corpora that it loaded;
- :mod:`ablate.report.data.left_out`: the music that it left out, and what is odd in its files;
- :mod:`ablate.report.data.artifacts`: its files: losses, performances, MIDI;
- :mod:`ablate.report.data.curves`: its validation losses as a frame.
"""
