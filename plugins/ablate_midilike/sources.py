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
