"""A study with a registry of its own, which the process's registry does not replace."""

from __future__ import annotations

import importlib.metadata
import pickle
from typing import TYPE_CHECKING

import pytest

from ablate.errors import StudyFileError
from ablate.registry import GROUP, Registry, get_registry
from ablate.study.file.study_file import read_study
from ablate.study.plan.layout import lay_out
from ablate.study.run.runner import StudyRunner

if TYPE_CHECKING:
    from pathlib import Path

    from support.bench import Bench

PLUGIN = """
import ablate

class Twice(ablate.Augmenter):
    def augment(self, performance, rng):
        return [performance, performance.labelled(again=1.0)]

@ablate.hookimpl
def ablate_augmenters():
    yield ablate.AugmenterSpec(name="twice", summary="The piece, twice.", build=lambda options: Twice())
"""


@pytest.fixture
def registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Registry:
    """The installed plugins and one that is not installed."""
    folder = tmp_path / "plugin"
    folder.mkdir()
    (folder / "own_plugin.py").write_text(PLUGIN, encoding="utf-8")
    monkeypatch.syspath_prepend(folder)
    own = importlib.metadata.EntryPoint("own", "own_plugin", GROUP)
    return Registry([*importlib.metadata.entry_points(group=GROUP), own])


@pytest.fixture
def study(tiny: Path) -> Path:
    tiny.write_text(tiny.read_text(encoding="utf-8") + "\n[augmenter.twice]\n", encoding="utf-8")
    return tiny


@pytest.mark.parametrize("workers", [1, 2])
def test_a_study_uses_the_registry_that_it_is_laid_out_with(
    bench: Bench, study: Path, registry: Registry, workers: int
) -> None:
    layout = lay_out(read_study(str(study), registry=registry), registry, "cpu")
    with bench.store() as store:
        result = StudyRunner(layout, store, bench.home, workers=workers).run()
        prepared = store.finished("prepare")
    assert result.failures == ()
    assert {stage.result["examples"] for stage in prepared} == {2}
    assert set(bench.states("tiny").values()) == {"done"}


def test_the_registry_of_the_process_does_not_have_it(study: Path, registry: Registry) -> None:
    assert "twice" in registry.names("augmenter")
    assert "twice" not in get_registry().names("augmenter")
    with pytest.raises(StudyFileError, match="twice"):
        read_study(str(study))


def test_a_registry_loads_its_entry_points_again_where_it_is_unpickled(registry: Registry) -> None:
    again = pickle.loads(pickle.dumps(registry))
    assert again.plugins == registry.plugins
    assert [c.spec.name for c in again.components] == [c.spec.name for c in registry.components]
