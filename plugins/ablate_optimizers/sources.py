"""The sources of the optimizers, as BibTeX."""

from __future__ import annotations

KINGMA_2015 = """@inproceedings{kingma2015,
  author = {Diederik P. Kingma and Jimmy Ba},
  title = {Adam: a method for stochastic optimization},
  booktitle = {International Conference on Learning Representations}, year = {2015}
}"""
LOSHCHILOV_2019 = """@inproceedings{loshchilov2019,
  author = {Ilya Loshchilov and Frank Hutter},
  title = {Decoupled weight decay regularization},
  booktitle = {International Conference on Learning Representations}, year = {2019}
}"""
POLYAK_1964 = """@article{polyak1964,
  author = {Boris T. Polyak},
  title = {Some methods of speeding up the convergence of iteration methods},
  journal = {USSR Computational Mathematics and Mathematical Physics},
  volume = {4}, number = {5}, pages = {1--17}, year = {1964}
}"""
SUTSKEVER_2013 = """@inproceedings{sutskever2013,
  author = {Ilya Sutskever and James Martens and George Dahl and Geoffrey Hinton},
  title = {On the importance of initialization and momentum in deep learning},
  booktitle = {Proceedings of the 30th International Conference on Machine Learning},
  pages = {1139--1147}, year = {2013}
}"""
JORDAN_2024 = """@misc{jordan2024,
  author = {Keller Jordan and Yuchen Jin and Vlado Boza and Jiacheng You and Franz Cesista and Laker Newhouse and
            Jeremy Bernstein},
  title = {Muon: an optimizer for hidden layers in neural networks},
  howpublished = {https://kellerjordan.github.io/posts/muon/}, year = {2024}
}"""
LIU_2025 = """@misc{liu2025,
  author = {Jingyuan Liu and Jianlin Su and Xingcheng Yao and others},
  title = {Muon is scalable for {LLM} training},
  howpublished = {arXiv:2502.16982}, year = {2025}
}"""
