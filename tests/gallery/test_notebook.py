"""The notebook of the tutorial; ``tests/docs/test_site.py`` checks what it shows after it has run."""

from __future__ import annotations

import json

from support.checkout import ROOT

PATH = ROOT / "docs/tutorial/notebook.ipynb"


def test_the_notebook_has_no_outputs_that_could_be_old() -> None:
    code = [cell for cell in json.loads(PATH.read_text("utf-8"))["cells"] if cell["cell_type"] == "code"]
    assert len(code) > 5
    assert all(cell["outputs"] == [] and cell["execution_count"] is None for cell in code)
