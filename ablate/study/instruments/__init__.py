"""Instruments in a study: the refusal of tokenizers that cannot write them, and the one of a corpus that has one."""
