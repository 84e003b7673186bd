"""The sources of the distances, as BibTeX."""

from __future__ import annotations

KULLBACK_1951 = """@article{kullback1951,
  author = {Solomon Kullback and Richard A. Leibler},
  title = {On information and sufficiency},
  journal = {The Annals of Mathematical Statistics},
  volume = {22}, number = {1}, pages = {79--86}, year = {1951}
}"""
LIN_1991 = """@article{lin1991,
  author = {Jianhua Lin},
  title = {Divergence measures based on the {Shannon} entropy},
  journal = {IEEE Transactions on Information Theory},
  volume = {37}, number = {1}, pages = {145--151}, year = {1991}
}"""
VALLENDER_1974 = """@article{vallender1974,
  author = {S. S. Vallender},
  title = {Calculation of the {Wasserstein} distance between probability distributions on the line},
  journal = {Theory of Probability and Its Applications},
  volume = {18}, number = {4}, pages = {784--786}, year = {1974}
}"""
RABIN_2011 = """@article{rabin2011,
  author = {Julien Rabin and Julie Delon and Yann Gousseau},
  title = {Transportation distances on the circle},
  journal = {Journal of Mathematical Imaging and Vision},
  volume = {41}, pages = {147--167}, year = {2011}
}"""
YANG_2020 = """@article{yang2020,
  author = {Li-Chia Yang and Alexander Lerch},
  title = {On the evaluation of generative models in music},
  journal = {Neural Computing and Applications},
  volume = {32}, number = {9}, pages = {4773--4784}, year = {2020}
}"""
