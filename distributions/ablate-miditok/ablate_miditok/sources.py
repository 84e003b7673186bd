"""The sources of the tokenizers, as BibTeX."""

from __future__ import annotations

FRADET_2021 = """@inproceedings{fradet2021,
  author = {Nathan Fradet and Jean-Pierre Briot and Fabien Chhel and Amal El Fallah Seghrouchni and Nicolas Gutowski},
  title = {{MidiTok}: a {Python} package for {MIDI} file tokenization},
  booktitle = {Extended Abstracts for the Late-Breaking Demo Session of the 22nd International Society for Music Information Retrieval Conference},
  year = {2021}
}"""  # noqa: E501 - a title
FRADET_2023 = """@inproceedings{fradet2023,
  author = {Nathan Fradet and Nicolas Gutowski and Fabien Chhel and Jean-Pierre Briot},
  title = {Byte pair encoding for symbolic music},
  booktitle = {Proceedings of the 2023 Conference on Empirical Methods in Natural Language Processing},
  pages = {2001--2020}, year = {2023}
}"""
HADJERES_2021 = """@misc{hadjeres2021,
  author = {Ga{\\"e}tan Hadjeres and L{\\'e}opold Crestel},
  title = {The piano inpainting application},
  howpublished = {arXiv:2107.05944}, year = {2021}
}"""
HUANG_2020 = """@inproceedings{huang2020,
  author = {Yu-Siang Huang and Yi-Hsuan Yang},
  title = {Pop music transformer: beat-based modeling and generation of expressive pop piano compositions},
  booktitle = {Proceedings of the 28th ACM International Conference on Multimedia},
  pages = {1180--1188}, year = {2020}
}"""
OORE_2020 = """@article{oore2020,
  author = {Sageev Oore and Ian Simon and Sander Dieleman and Douglas Eck and Karen Simonyan},
  title = {This time with feeling: learning expressive musical performance},
  journal = {Neural Computing and Applications},
  volume = {32}, pages = {955--967}, year = {2020}
}"""

#: The sources of each scheme.
CITE: dict[str, tuple[str, ...]] = {
    "remi": (FRADET_2021, HUANG_2020),
    "tsd": (FRADET_2021, FRADET_2023),
    "midilike": (FRADET_2021, OORE_2020),
    "structured": (FRADET_2021, HADJERES_2021),
}
