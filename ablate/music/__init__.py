"""Performances, MIDI files and corpora: music as data, with nothing learned."""
