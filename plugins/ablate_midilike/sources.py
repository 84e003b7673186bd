"""The sources of the tokenizers, as BibTeX."""

from __future__ import annotations

OORE_2020 = """@article{oore2020,
  author = {Sageev Oore and Ian Simon and Sander Dieleman and Douglas Eck and Karen Simonyan},
  title = {This time with feeling: learning expressive musical performance},
  journal = {Neural Computing and Applications},
  volume = {32}, pages = {955--967}, year = {2020}
}"""
LEE_2018 = """@misc{lee2018,
  author = {Yuankui Lee},
  title = {{Performance RNN} -- {PyTorch}},
  howpublished = {https://github.com/djosix/Performance-RNN-PyTorch}, year = {2018}
}"""
SENNRICH_2016 = """@inproceedings{sennrich2016,
  author = {Rico Sennrich and Barry Haddow and Alexandra Birch},
  title = {Neural machine translation of rare words with subword units},
  booktitle = {Proceedings of the 54th Annual Meeting of the Association for Computational Linguistics},
  pages = {1715--1725}, year = {2016}
}"""
FRADET_2023 = """@inproceedings{fradet2023,
  author = {Nathan Fradet and Nicolas Gutowski and Fabien Chhel and Jean-Pierre Briot},
  title = {Byte pair encoding for symbolic music},
  booktitle = {Proceedings of the 2023 Conference on Empirical Methods in Natural Language Processing},
  pages = {2001--2020}, year = {2023}
}"""
