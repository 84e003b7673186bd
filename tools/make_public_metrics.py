r"""Runs the public programs that our metrics are compared with, and writes tests/data/public_metrics/*.json.

The files contain numbers only. The programs are MusPy, and three that are no packages and are read from checkouts:
mgeval (GitHub, RichardYang40148/mgeval), MusDr (slSeanWU/MusDr) and pytorch-fid (mseitzer/pytorch-fid). To run it
again:

    python -m venv public && public/bin/pip install muspy scikit-learn pandas pluggy pydantic symusic
    PYTHONPATH=.:plugins:tests public/bin/python tools/make_public_metrics.py \
        --mgeval MGEVAL --musdr MUSDR --fid FID --smd SMD

where the first three are folders of the checkouts, and the last one is the folder with the Saarland Music Data.

mgeval is written for Python 2 and for the package python-midi, which no longer installs. Its code runs unchanged but
for two ``print`` statements and one ``float``; the package is replaced by a few lines in ``public_metrics/mgeval.py``.
"""  # noqa: INP001 - a script

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import muspy
import numpy as np
import scipy  # noqa: TID253 - with MusPy around, speed of loading is not the point
from public_metrics.mgeval import Mgeval
from public_metrics.musdr import Musdr
from public_metrics.numbers import frechet, function, music_of, of_muspy
from support.plain_pieces import NAMES, one_after_another, prelude_excerpts, quarters, real_pieces

DATA = Path(__file__).parent.with_name("tests") / "data/public_metrics"


def main() -> None:
    """Write one file for the excerpts of the prelude, and one for the twelve pieces."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("mgeval", "musdr", "fid", "smd"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    folders = parser.parse_args()
    mgeval, musdr = Mgeval(folders.mgeval), Musdr(folders.musdr)
    fid = function(folders.fid / "src/pytorch_fid/fid_score.py", "calculate_frechet_distance", {"linalg": scipy.linalg})
    recordings = [folders.smd / f"{name}.mid" for name in NAMES]
    for name, pieces in (("prelude", prelude_excerpts()), ("smd", real_pieces(folders.smd))):
        long = [one_after_another(pieces)] if name == "prelude" else pieces
        content = {
            "made_with": {"muspy": muspy.__version__, "numpy": np.__version__, "scipy": scipy.__version__},
            "mgeval": mgeval.features(pieces),
            "mgeval_sets": mgeval.sets(pieces),
            "muspy": [of_muspy(music_of(piece)) for piece in pieces],
            "musdr_groove": [musdr.groove(piece) for piece in pieces],
            "musdr_structure": [musdr.structure(piece) for piece in long],
            "fid": frechet(quarters(pieces), fid),
        }
        if name == "smd":
            found = mgeval.of_files(recordings)
            content["mgeval_recordings"] = {key: each for key, each in found.items() if "transitions" not in key}
            content["muspy_recordings"] = [of_muspy(muspy.read_midi(path)) for path in recordings]
        DATA.mkdir(exist_ok=True)
        (DATA / f"{name}.json").write_text(json.dumps(rounded(content), indent=None) + "\n")


def rounded(content: Any) -> Any:
    """Return the numbers with ten digits, arrays as lists."""
    if isinstance(content, dict):
        return {key: rounded(value) for key, value in content.items()}
    if isinstance(content, list | tuple | np.ndarray):
        return [rounded(value) for value in content]
    return content if isinstance(content, str) else float(f"{float(content):.10g}")


if __name__ == "__main__":
    main()
