"""The sources of how the prelude is played, as BibTeX."""

from __future__ import annotations

REPP_1992 = """@article{repp1992,
  author = {Bruno H. Repp},
  title = {A constraint on the expressive timing of a melodic gesture: evidence from performance and aesthetic
           judgment},
  journal = {Music Perception}, volume = {10}, year = {1992}
}"""
TODD_1992 = """@article{todd1992,
  author = {Neil P. McAngus Todd},
  title = {The dynamics of dynamics: a model of musical expression},
  journal = {The Journal of the Acoustical Society of America},
  volume = {91}, number = {6}, pages = {3540--3550}, year = {1992}
}"""
FRIBERG_2006 = """@article{friberg2006,
  author = {Anders Friberg and Roberto Bresin and Johan Sundberg},
  title = {Overview of the {KTH} rule system for musical performance},
  journal = {Advances in Cognitive Psychology},
  volume = {2}, number = {2--3}, pages = {145--161}, year = {2006}
}"""
