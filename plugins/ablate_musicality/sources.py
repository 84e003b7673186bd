"""The sources of the numbers, as BibTeX; :mod:`ablate_musicality.pieces` lists where the code differs from them."""

from __future__ import annotations

DONG_2020 = """@inproceedings{dong2020,
  author = {Hao-Wen Dong and Ke Chen and Julian McAuley and Taylor Berg-Kirkpatrick},
  title = {{MusPy}: a toolkit for symbolic music generation},
  booktitle = {Proceedings of the 21st International Society for Music Information Retrieval Conference (ISMIR)},
  year = {2020}
}"""
YANG_2020 = """@article{yang2020,
  author = {Li-Chia Yang and Alexander Lerch},
  title = {On the evaluation of generative models in music},
  journal = {Neural Computing and Applications},
  volume = {32}, number = {9}, pages = {4773--4784}, year = {2020}
}"""
WU_2020 = """@inproceedings{wu2020,
  author = {Shih-Lun Wu and Yi-Hsuan Yang},
  title = {The {Jazz Transformer} on the front line: exploring the shortcomings of {AI}-composed music through
           quantitative measures},
  booktitle = {Proceedings of the 21st International Society for Music Information Retrieval Conference (ISMIR)},
  year = {2020}
}"""
MOGREN_2016 = """@misc{mogren2016,
  author = {Olof Mogren},
  title = {{C-RNN-GAN}: continuous recurrent neural networks with adversarial training},
  howpublished = {Constructive Machine Learning Workshop at NIPS 2016, arXiv:1611.09904}, year = {2016}
}"""
