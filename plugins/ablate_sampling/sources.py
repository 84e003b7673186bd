"""The sources of the samplers, as BibTeX."""

from __future__ import annotations

FAN_2018 = """@inproceedings{fan2018,
  author = {Angela Fan and Mike Lewis and Yann Dauphin},
  title = {Hierarchical neural story generation},
  booktitle = {Proceedings of the 56th Annual Meeting of the Association for Computational Linguistics
               (Volume 1: Long Papers)},
  pages = {889--898}, year = {2018}
}"""
HOLTZMAN_2020 = """@inproceedings{holtzman2020,
  author = {Ari Holtzman and Jan Buys and Li Du and Maxwell Forbes and Yejin Choi},
  title = {The curious case of neural text degeneration},
  booktitle = {International Conference on Learning Representations}, year = {2020}
}"""
NGUYEN_2025 = """@inproceedings{nguyen2025,
  author = {Minh Nhat Nguyen and Andrew Baker and Clement Neo and Allen Roush and Andreas Kirsch and
            Ravid Shwartz-Ziv},
  title = {Turning up the heat: min-p sampling for creative and coherent {LLM} outputs},
  booktitle = {International Conference on Learning Representations}, year = {2025}
}"""
MEISTER_2023 = """@article{meister2023,
  author = {Clara Meister and Tiago Pimentel and Gian Wiher and Ryan Cotterell},
  title = {Locally typical sampling},
  journal = {Transactions of the Association for Computational Linguistics},
  volume = {11}, pages = {102--121}, year = {2023}
}"""
KESKAR_2019 = """@misc{keskar2019,
  author = {Nitish Shirish Keskar and Bryan McCann and Lav R. Varshney and Caiming Xiong and Richard Socher},
  title = {{CTRL}: a conditional transformer language model for controllable generation},
  howpublished = {arXiv:1909.05858}, year = {2019}
}"""
