"""The notebook of the tutorial runs from top to bottom, and shows what its text promises."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest
from support.checkout import ROOT

from ablate.report.formats import audio

if TYPE_CHECKING:
    from pathlib import Path

PATH = ROOT / "docs/tutorial/notebook.ipynb"


def test_the_notebook_has_no_outputs_that_could_be_old() -> None:
    nbformat = pytest.importorskip("nbformat")  # imported late: it compiles grammars for seconds
    notebook = nbformat.read(PATH, as_version=4)
    nbformat.validate(notebook)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert all(cell.outputs == [] and cell.execution_count is None for cell in code)


@pytest.mark.slow
@pytest.mark.skipif(not audio.available(), reason=f"no renderer; {audio.INSTALL}")
def test_the_notebook_runs_and_shows_verdicts_tables_pictures_and_sound(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    nbformat = pytest.importorskip("nbformat")
    nbclient = pytest.importorskip("nbclient")
    pytest.importorskip("ipykernel")
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(ROOT), str(ROOT / "plugins")]))
    notebook = nbformat.read(PATH, as_version=4)
    resources = {"metadata": {"path": str(tmp_path)}}
    nbclient.NotebookClient(notebook, timeout=600, kernel_name="python3", resources=resources).execute()
    shown = {cell.source.splitlines()[-1]: cell.outputs for cell in notebook.cells if cell.cell_type == "code"}
    assert "stages to run: " in shown['results = ablate.run_study("tau_sweep", profile="smoke")'][0].text
    verdicts = html(shown["results"])
    assert "Cannot tell tau=0.6 from tau=1.0" in verdicts
    assert "2 replicates are too few" in verdicts
    assert '<table border="1" class="dataframe">' in html(shown["pd.DataFrame(sample.notes).head()"])
    pictures = [name for name in ("figure", "own", "piece", "sample") if "image/png" in shown[name][-1].data]
    assert pictures == ["figure", "own", "piece", "sample"]
    assert html(shown["ablate.render_sound(sample, seconds=10)"]).startswith("<audio controls ")
    assert (tmp_path / ".ablate/reports/tau_sweep@smoke/index.html").is_file()


def html(outputs: list[Any]) -> str:
    return str(outputs[-1].data["text/html"])
