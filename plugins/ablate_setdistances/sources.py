"""The sources of the distances between sets, as BibTeX; the modules list where the code differs from them."""

from __future__ import annotations

YANG_2020 = """@article{yang2020,
  author = {Li-Chia Yang and Alexander Lerch},
  title = {On the evaluation of generative models in music},
  journal = {Neural Computing and Applications},
  volume = {32}, number = {9}, pages = {4773--4784}, year = {2020}
}"""
DOWSON_1982 = """@article{dowson1982,
  author = {D. C. Dowson and B. V. Landau},
  title = {The {Fr{\\'e}chet} distance between multivariate normal distributions},
  journal = {Journal of Multivariate Analysis},
  volume = {12}, number = {3}, pages = {450--455}, year = {1982}
}"""
HEUSEL_2017 = """@inproceedings{heusel2017,
  author = {Martin Heusel and Hubert Ramsauer and Thomas Unterthiner and Bernhard Nessler and Sepp Hochreiter},
  title = {{GANs} trained by a two time-scale update rule converge to a local {Nash} equilibrium},
  booktitle = {Advances in Neural Information Processing Systems},
  volume = {30}, year = {2017}
}"""
CHONG_2020 = """@inproceedings{chong2020,
  author = {Min Jin Chong and David Forsyth},
  title = {Effectively unbiased {FID} and inception score and where to find them},
  booktitle = {Proceedings of the {IEEE}/{CVF} Conference on Computer Vision and Pattern Recognition (CVPR)},
  pages = {6070--6079}, year = {2020}
}"""
