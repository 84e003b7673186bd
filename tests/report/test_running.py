"""Studies that are run from Python, as in a notebook."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from support.small_study import SMALL

import ablate
from ablate.errors import AblateError, UsageError

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def study(tmp_path: Path) -> Path:
    path = tmp_path / "small.toml"
    path.write_text(SMALL, encoding="utf-8")
    return path


def test_a_study_runs_and_prints_what_it_does(study: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    results = ablate.run_study(study, settings=["training.steps=1"], replicates=1, workers=1, home=tmp_path / "home")
    assert results.name.startswith("small@")
    assert len(results.runs()) == 2
    assert "stages to run: 1 load" in capfd.readouterr().out
    assert len(results.losses().training) == 1
    assert [title.partition(":")[0] for title in results.references()] == ["reference"]
    assert (tmp_path / f"home/reports/{results.name}/index.html").is_file()


def test_what_a_command_would_refuse_is_an_error_of_the_same_words(study: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"small\.toml: no profile 'smok'") as error:
        ablate.run_study(study, profile="smok", home=tmp_path / "home")
    assert not str(error.value).startswith("error:")


def test_all_problems_of_a_study_file_are_in_the_error(study: Path, tmp_path: Path) -> None:
    study.write_text(SMALL.replace("steps = 2", "steps = 0").replace("hidden = 8", "hidden = 0"), encoding="utf-8")
    with pytest.raises(AblateError) as error:
        ablate.run_study(study, home=tmp_path / "home")
    assert "training.steps" in str(error.value)
    assert "model.lstm.hidden" in str(error.value)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"replicates": 0}, r"^Invalid value for '--replicates': 0 is not in the range"),
        ({"settings": "training.steps=1"}, r"^settings: give a list of texts, such as \['training.steps=1'\]$"),
        ({"study": "--help"}, r"^unknown study '--help'"),
    ],
)
def test_a_wrong_argument_is_named_in_the_error(
    study: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str], arguments: dict[str, Any], message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        ablate.run_study(**{"study": study, "home": tmp_path / "home", **arguments})
    assert capfd.readouterr().out == "", "no usage of a command that nobody gave"
