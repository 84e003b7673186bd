"""The sources of the networks, as BibTeX."""

from __future__ import annotations

HOCHREITER_1997 = r"""@article{hochreiter1997,
  author = {Sepp Hochreiter and J{\"u}rgen Schmidhuber},
  title = {Long short-term memory},
  journal = {Neural Computation},
  volume = {9}, number = {8}, pages = {1735--1780}, year = {1997}
}"""
GERS_2000 = r"""@article{gers2000,
  author = {Felix A. Gers and J{\"u}rgen Schmidhuber and Fred Cummins},
  title = {Learning to forget: continual prediction with {LSTM}},
  journal = {Neural Computation},
  volume = {12}, number = {10}, pages = {2451--2471}, year = {2000}
}"""
CHO_2014 = r"""@inproceedings{cho2014,
  author = {Kyunghyun Cho and Bart van Merri{\"e}nboer and Caglar Gulcehre and Dzmitry Bahdanau and Fethi Bougares and
            Holger Schwenk and Yoshua Bengio},
  title = {Learning phrase representations using {RNN} encoder--decoder for statistical machine translation},
  booktitle = {Proceedings of the 2014 Conference on Empirical Methods in Natural Language Processing (EMNLP)},
  pages = {1724--1734}, year = {2014}
}"""
SIMON_2017 = """@misc{simon2017,
  author = {Ian Simon and Sageev Oore},
  title = {{Performance RNN}: generating music with expressive timing and dynamics},
  howpublished = {Magenta Blog, https://magenta.tensorflow.org/performance-rnn}, year = {2017}
}"""
