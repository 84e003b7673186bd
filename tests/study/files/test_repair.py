"""What ``ablate db check --repair`` does about what it finds in a home."""

from __future__ import annotations

import json
import sqlite3
from typing import TYPE_CHECKING

import pytest
from support.checked_home import a_file, change, problems, repaired
from support.damage import DAMAGES, flip, remove

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from support.bench import Bench
    from support.commands import Command

    from ablate.study.file.study_file import StudySpec


def test_a_repair_goes_on_after_what_it_cannot_rename(home: Bench, spec: StudySpec) -> None:
    losses = a_file(home, "train/*/*/losses.npy")
    flip(losses, losses)
    (row,) = sqlite3.connect(home.home / "ablate.db").execute("SELECT min(files) FROM ablate_stages WHERE kind='prime'")
    files = json.loads(row[0])
    names = json.dumps({**files, "..": next(iter(files.values())), "../../x": "?"})
    change(home, f"UPDATE ablate_stages SET files = '{names}' WHERE kind = 'prime'")
    done = repaired(home)
    assert done.put_aside == [losses.relative_to(home.home).as_posix()]
    assert {each.problem for each in done.left} == {"is not recorded as a file"}
    home.run(spec)
    assert problems(home) == []


def test_a_stage_with_a_folder_outside_the_home_is_forgotten_and_made_again(
    home: Bench, finished: Bench, spec: StudySpec
) -> None:
    change(home, "UPDATE ablate_stages SET artifact = '../../outside' WHERE kind = 'train'")
    assert any("has a folder outside the home" in each for each in problems(home))
    done = repaired(home)
    assert done.left == []
    assert done.forgotten > 0
    home.run(spec)
    assert problems(home) == []
    assert home.numbers("tiny") == finished.numbers("tiny")


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_repair_puts_damaged_files_aside_and_the_next_run_makes_them_again(
    home: Bench, finished: Bench, spec: StudySpec, damage: Callable[[Path, Path], None]
) -> None:
    path, other = a_file(home, "generate/*/*/tokens.npy"), a_file(home, "load/*/*/performances.npz")
    damage(path, other)
    done = repaired(home)
    name = path.relative_to(home.home).as_posix()
    assert (name in done.put_aside) == (damage is not remove)
    assert done.left == []
    assert not path.exists()
    assert f"file {name}: is missing" in problems(home)
    home.run(spec)
    assert path.read_bytes() == (finished.home / name).read_bytes()
    assert problems(home) == []
    assert home.numbers("tiny") == finished.numbers("tiny")


def test_rows_that_were_edited_by_hand(home: Bench, finished: Bench, spec: StudySpec) -> None:
    change(
        home,
        "DELETE FROM ablate_stages WHERE kind = 'measure'",
        "DELETE FROM ablate_environments",
        "DELETE FROM ablate_variants WHERE name = 'tau=0.8'",
    )
    found = "\n".join(problems(home))
    assert "rows table ablate_measurements, row id " in found
    assert "rows table ablate_measurements: has " in found
    assert "rows table ablate_stages, row fingerprint " in found
    done = repaired(home)
    assert done.rows > 10
    assert done.reopened == 2
    assert problems(home) == []
    home.run(spec)
    assert home.numbers("tiny") == finished.numbers("tiny")
    assert problems(home) == []


def test_a_repair_reopens_runs_whose_names_are_no_text(home: Bench, ablate: Command) -> None:
    change(
        home,
        "UPDATE ablate_studies SET name = CAST(x'61ff62' AS TEXT)",
        "UPDATE ablate_variants SET name = CAST(x'61ff62' AS TEXT) WHERE id = (SELECT min(id) FROM ablate_variants)",
        "DELETE FROM ablate_stages WHERE kind = 'prepare'",
    )
    runs = sum(" is done, but " in each for each in problems(home))
    assert ablate("db", "check", "--home", str(home.home)).code == 1
    assert repaired(home).reopened == runs > 0


def test_rows_of_results_that_cannot_be_used(home: Bench, finished: Bench, spec: StudySpec) -> None:
    change(
        home,
        "UPDATE ablate_stages SET result = '{' WHERE kind = 'train'",
        "UPDATE ablate_measurements SET value = 'many' WHERE id = (SELECT min(id) FROM ablate_measurements)",
        "UPDATE ablate_environments SET facts = '[]'",
    )
    assert any("rows table ablate_stages, row fingerprint " in text for text in problems(home))
    done = repaired(home)
    assert done.left == []
    assert done.forgotten == 3
    home.run(spec)
    assert home.numbers("tiny") == finished.numbers("tiny")
    assert problems(home) == []


def test_measurements_without_their_stage_are_not_doubled(home: Bench, finished: Bench, spec: StudySpec) -> None:
    change(home, "DELETE FROM ablate_stages WHERE kind IN ('measure', 'resample')")
    home.run(spec)
    assert home.numbers("tiny") == finished.numbers("tiny")
