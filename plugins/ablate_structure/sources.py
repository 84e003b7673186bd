"""The sources of the metrics, as BibTeX; the modules list where the code differs from them."""

from __future__ import annotations

WU_2020 = """@inproceedings{wu2020,
  author = {Shih-Lun Wu and Yi-Hsuan Yang},
  title = {The {Jazz Transformer} on the front line: exploring the shortcomings of {AI}-composed music through
           quantitative measures},
  booktitle = {Proceedings of the 21st International Society for Music Information Retrieval Conference (ISMIR)},
  year = {2020}
}"""
DONG_2020 = """@inproceedings{dong2020,
  author = {Hao-Wen Dong and Ke Chen and Julian McAuley and Taylor Berg-Kirkpatrick},
  title = {{MusPy}: a toolkit for symbolic music generation},
  booktitle = {Proceedings of the 21st International Society for Music Information Retrieval Conference (ISMIR)},
  year = {2020}
}"""
MUELLER_2011 = """@inproceedings{mueller2011,
  author = {Meinard Mueller and Peter Grosche and Nanzhu Jiang},
  title = {A segment-based fitness measure for capturing repetitive structures of music recordings},
  booktitle = {Proceedings of the 12th International Society for Music Information Retrieval Conference (ISMIR)},
  pages = {615--620}, year = {2011}
}"""
