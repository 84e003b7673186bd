"""The sources of the schedules, as BibTeX."""

from __future__ import annotations

GOYAL_2017 = r"""@misc{goyal2017,
  author = {Priya Goyal and Piotr Doll{\'a}r and Ross Girshick and Pieter Noordhuis and Lukasz Wesolowski and
            Aapo Kyrola and Andrew Tulloch and Yangqing Jia and Kaiming He},
  title = {Accurate, large minibatch {SGD}: training {ImageNet} in 1 hour},
  howpublished = {arXiv:1706.02677}, year = {2017}
}"""
LOSHCHILOV_2017 = """@inproceedings{loshchilov2017,
  author = {Ilya Loshchilov and Frank Hutter},
  title = {{SGDR}: stochastic gradient descent with warm restarts},
  booktitle = {International Conference on Learning Representations}, year = {2017}
}"""
SMITH_2019 = """@inproceedings{smith2019,
  author = {Leslie N. Smith and Nicholay Topin},
  title = {Super-convergence: very fast training of neural networks using large learning rates},
  booktitle = {Artificial Intelligence and Machine Learning for Multi-Domain Operations Applications},
  year = {2019}
}"""
VASWANI_2017 = r"""@inproceedings{vaswani2017,
  author = {Ashish Vaswani and Noam Shazeer and Niki Parmar and Jakob Uszkoreit and Llion Jones and Aidan N. Gomez and
            {\L}ukasz Kaiser and Illia Polosukhin},
  title = {Attention is all you need},
  booktitle = {Advances in Neural Information Processing Systems},
  volume = {30}, year = {2017}
}"""
