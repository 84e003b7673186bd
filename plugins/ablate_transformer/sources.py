"""The sources of the network, as BibTeX."""

from __future__ import annotations

VASWANI_2017 = r"""@inproceedings{vaswani2017,
  author = {Ashish Vaswani and Noam Shazeer and Niki Parmar and Jakob Uszkoreit and Llion Jones and Aidan N. Gomez and
            {\L}ukasz Kaiser and Illia Polosukhin},
  title = {Attention is all you need},
  booktitle = {Advances in Neural Information Processing Systems},
  volume = {30}, year = {2017}
}"""
RADFORD_2019 = """@techreport{radford2019,
  author = {Alec Radford and Jeffrey Wu and Rewon Child and David Luan and Dario Amodei and Ilya Sutskever},
  title = {Language models are unsupervised multitask learners},
  institution = {OpenAI}, year = {2019}
}"""
SU_2021 = """@misc{su2021,
  author = {Jianlin Su and Yu Lu and Shengfeng Pan and Ahmed Murtadha and Bo Wen and Yunfeng Liu},
  title = {{RoFormer}: enhanced transformer with rotary position embedding},
  howpublished = {arXiv:2104.09864}, year = {2021}
}"""
