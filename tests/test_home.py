"""The home's path, as people write it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from click.testing import CliRunner

from ablate.cli.study.stored.list import list_
from ablate.errors import HomeError
from ablate.home import home_path


def test_a_home_is_the_variable_or_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/ada")
    for value, expected in {"": ".ablate", "relative/home": "relative/home", "~/music": "/home/ada/music"}.items():
        monkeypatch.setenv("ABLATE_HOME", value)
        assert home_path() == Path(expected)
    monkeypatch.delenv("ABLATE_HOME")
    assert home_path() == Path(".ablate")


@pytest.mark.parametrize(("home", "expected"), [("~", "/home/ada"), (Path("~/x"), "/home/ada/x"), ("a~b", "a~b")])
def test_a_tilde_at_the_beginning_is_a_folder(home: str | Path, expected: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/ada")
    assert home_path(home) == Path(expected)


@pytest.mark.parametrize(("home", "why"), [("", "empty"), ("~nobody-of-that-name/x", "write ./~nobody")])
def test_what_is_no_home_is_refused(home: str, why: str) -> None:
    with pytest.raises(HomeError, match=why):
        home_path(home)


def test_the_command_line_expands_homes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "music").mkdir()
    (tmp_path / "music" / "ablate.db").write_text("no database " * 100)
    result = CliRunner().invoke(list_, ["--home", "~/music"])
    assert str(tmp_path / "music") in str(result.exception)
    assert not os.path.exists("~")  # noqa: PTH110 - the name itself
