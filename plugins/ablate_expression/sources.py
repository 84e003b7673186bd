"""The source of a conditioner, as BibTeX."""

from __future__ import annotations

BRESIN_2000 = """@article{bresin2000,
  author = {Roberto Bresin and Giovanni Umberto Battel},
  title = {Articulation strategies in expressive piano performance: analysis of legato, staccato, and repeated notes in
           performances of the {Andante} movement of {Mozart's} sonata in {G} major ({K} 545)},
  journal = {Journal of New Music Research},
  volume = {29}, number = {3}, pages = {211--224}, year = {2000}
}"""
