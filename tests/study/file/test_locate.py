from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ablate.errors import UnknownName
from ablate.study.file.locate import find_study, known_studies, plugin_studies, shipped_studies

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An installed plugin that cannot be imported, with two studies; one has the name of a shipped one."""
    folder = tmp_path / "site/strings_plugin"
    (folder / "studies").mkdir(parents=True)
    (folder / "__init__.py").write_text("raise RuntimeError('imported')\n", encoding="utf-8")
    for name in ("violins", "tau_sweep"):
        (folder / "studies" / f"{name}.toml").touch()
    information = tmp_path / "site/strings-1.0.dist-info"
    information.mkdir()
    (information / "METADATA").write_text("Metadata-Version: 2.1\nName: strings\nVersion: 1.0\n", encoding="utf-8")
    points = "[ablate.studies]\nstrings = strings_plugin\ngone = no_such_package\n"
    (information / "entry_points.txt").write_text(points, encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    return folder


def test_a_plugin_brings_its_studies(plugin: Path) -> None:
    assert find_study("violins") == plugin / "studies/violins.toml"
    assert {"violins", "tau_sweep"} <= plugin_studies().keys()


def test_a_shipped_study_comes_before_that_of_a_plugin_and_a_local_one_before_both(
    plugin: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert find_study("tau_sweep") == shipped_studies()["tau_sweep"]
    (tmp_path / "studies").mkdir()
    (tmp_path / "studies/tau_sweep.toml").touch()
    assert known_studies()["tau_sweep"].resolve() == tmp_path / "studies/tau_sweep.toml"


def test_without_the_plugin_its_study_is_unknown() -> None:
    with pytest.raises(UnknownName, match="unknown study 'violins'"):
        find_study("violins")
