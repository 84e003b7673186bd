"""The sources of the metrics, as BibTeX; differences are listed in :mod:`ablate_memorization.metrics`."""

from __future__ import annotations

MCCOY_2023 = """@article{mccoy2023,
  author = {R. Thomas McCoy and Paul Smolensky and Tal Linzen and Jianfeng Gao and Asli Celikyilmaz},
  title = {How much do language models copy from their training data? Evaluating linguistic novelty in text generation
           using {RAVEN}},
  journal = {Transactions of the Association for Computational Linguistics},
  volume = {11}, pages = {652--670}, year = {2023}
}"""
YIN_2022 = """@article{yin2022,
  author = {Zongyu Yin and Federico Reuben and Susan Stepney and Tom Collins},
  title = {Measuring when a music generation algorithm copies too much: the originality report, cardinality score, and
           symbolic fingerprinting by geometric hashing},
  journal = {SN Computer Science},
  volume = {3}, number = {5}, pages = {340}, year = {2022}
}"""
