"""Databases as older versions of ablate wrote them: upgraded in a copy, then used."""

from __future__ import annotations

import importlib.util
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import optuna
import pytest
from support.store_material import ask, described, measurements

from ablate.report.write import write_report
from ablate.store.database import schema, versions
from ablate.store.store import Store

if TYPE_CHECKING:
    from types import ModuleType

FOLDER = Path(__file__).parents[1] / "data/db"
OLD = sorted(FOLDER.glob("*.db"))


@pytest.fixture(params=OLD, ids=lambda path: path.stem)
def home(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A home with a copy of an old database, upgraded."""
    shutil.copy(request.param, tmp_path / "ablate.db")
    before, after = schema.upgrade_url(f"sqlite:///{tmp_path / 'ablate.db'}")
    assert (before, after) == (request.param.stem, versions.newest())
    return tmp_path


@pytest.fixture(scope="module")
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("make_old_database", FOLDER / "make.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_there_is_one_of_every_schema() -> None:
    scripts = (versions.MIGRATIONS / "versions").glob("0*.py")
    assert [path.stem for path in OLD] == sorted(path.name.partition("_")[0] for path in scripts)


def test_every_number_is_still_there(home: Path, script: ModuleType) -> None:
    with Store(f"sqlite:///{home / 'ablate.db'}") as store:
        assert [study.name for study in store.studies()] == ["small", "small@again"]
        assert [variant.name for variant in store.variants("small")] == ["tau=0.8", "tau=1.0"]
        assert [run.state for run in store.runs("small")] == ["done"] * 4
        found = [(m.variant, m.replicate, m.measurement) for m in measurements(store, "small")]
        assert len(found) == 2 * 2 * 2 * 5
        for variant, replicate, m in found:
            place = (["tau=0.8", "tau=1.0"].index(variant), replicate, m.sample)
            assert m.value == script.value(*place, script.UNITS["distance.pitch"].index(m.feature))
        assert len(store.histograms("small")) == 8
        assert len(measurements(store, "small@again")) == 20
        stages = store.stages(f for run in store.runs("small") for f in run.stages.values())
        assert {stage.kind for stage in stages.values()} >= {"load", "prepare", "train", "generate", "measure"}
        assert all(stage.environment == script.ENVIRONMENT for stage in stages.values())
    assert ask(home / "ablate.db", "PRAGMA foreign_key_check") == []


def test_floors_are_kept_apart(home: Path, request: pytest.FixtureRequest) -> None:
    """Version 0001 had none."""
    with Store(f"sqlite:///{home / 'ablate.db'}") as store:
        stages = [f for run in store.runs("small") for f in run.stages.values()]
        kinds = {m.floor for found in store.floors(stages).values() for m in found}
        assert {m.measurement.floor for m in measurements(store, "small")} == {""}
    old = request.node.callspec.params["home"].stem
    assert kinds == (set() if old == "0001" else {"copy", "round_trip", "shuffled", "resampling"})
    (rows,) = ask(home / "ablate.db", "SELECT count(*) FROM ablate_results")
    assert rows == (60,)


def test_verdicts_that_were_seen_count_as_looks(home: Path, script: ModuleType) -> None:
    with Store(f"sqlite:///{home / 'ablate.db'}") as store:
        for study, replicates in script.LOOKS.items():
            (look,) = store.looks(study)
            assert (look.replicates, look.share) == (replicates, 1.0)
            assert set(look.variants) == {variant.fingerprint for variant in store.variants(study)}
            assert look.made is not None


@pytest.mark.parametrize("home", [OLD[0], OLD[-1]], indirect=True, ids=lambda path: path.stem)
def test_a_report_can_be_written(home: Path) -> None:
    """Of the oldest, which every upgrade has changed, and of the newest, which has the most tables."""
    with Store(f"sqlite:///{home / 'ablate.db'}") as store:
        page = write_report(store, home, "small", sound=False)
    text = page.read_text(encoding="utf-8")
    assert "Does tau matter?" in text
    assert "tau=0.8" in text


def test_it_can_be_deleted_from(home: Path) -> None:
    with Store(f"sqlite:///{home / 'ablate.db'}") as store:
        store.delete_study("small")
        assert len(measurements(store, "small@again")) == 20
    assert ask(home / "ablate.db", "PRAGMA foreign_key_check") == []


def test_its_trials_are_still_there(home: Path) -> None:
    storage = optuna.storages.RDBStorage(f"sqlite:///{home / 'ablate.db'}")
    trials = optuna.load_study(study_name="small", storage=storage).trials
    storage.remove_session()
    storage.engine.dispose()
    values: list[Any] = [trial.value for trial in trials]
    assert [trial.params for trial in trials] == [{"sampler.temperature.tau": tau} for tau in (0.8, 1.0)]
    assert values == pytest.approx([0.1064, 0.2064])


def test_the_script_makes_such_a_file(script: ModuleType, tmp_path: Path) -> None:
    script.make(tmp_path / "new.db")
    newest = FOLDER / f"{versions.newest()}.db"
    shutil.copy(newest, tmp_path / "old.db")
    new, old = (described(tmp_path / name) for name in ("new.db", "old.db"))
    assert {k: v for k, v in new.items() if "ablate" in k} == {k: v for k, v in old.items() if "ablate" in k}
    values = "SELECT study, variant, replicate, sample, feature, value FROM ablate_results ORDER BY 1, 2, 3, 4, 5"
    assert ask(tmp_path / "new.db", values) == ask(tmp_path / "old.db", values)
