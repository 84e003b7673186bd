"""From the text of a study file, or of a value on the command line, to plain data.

- :mod:`ablate.study.file.text.toml`: read a file and parse TOML in bounded memory and time;
- :mod:`ablate.study.file.text.values`: find values that no key can have, such as dates and infinite numbers.
"""
