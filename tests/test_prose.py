"""The prose check finds what its rules describe, at the right line, and leaves code alone."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from support.checkout import ROOT

if TYPE_CHECKING:
    from pathlib import Path
    from types import ModuleType

RULES = ROOT / "tools/prose.toml"


@pytest.fixture(scope="module")
def prose() -> ModuleType:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(ROOT / "tools")
        import prose

        return prose


def lines(prose: ModuleType, path: Path, text: str) -> list[tuple[int, str]]:
    path.write_text(text, encoding="utf-8")
    return [(finding.line, finding.phrase) for finding in prose.check(path, prose.read_rules(RULES))]


def test_each_rule_finds_its_example_only(prose: ModuleType) -> None:
    rules = prose.read_rules(RULES)
    assert len(rules) >= 30
    for rule in rules:
        search = rule.pattern.match if rule.opening else rule.pattern.search
        assert search(rule.example), rule.example
        assert not search(rule.fine), rule.fine


def test_docstrings_strings_and_comments_are_read(prose: ModuleType, tmp_path: Path) -> None:
    code = '''"""How it works."""

def so_many(it):
    """Return a list.

    It has as many
    items as the input.
    """
    # the rest, or
    # the like
    return f"{it} has so many"  # mend this
'''
    found = lines(prose, tmp_path / "code.py", code)
    assert found == [(1, "How"), (6, "as many items as"), (9, "or # the like"), (11, "so many"), (11, "mend")]


def test_a_string_that_is_no_docstring_may_open_with_what(prose: ModuleType, tmp_path: Path) -> None:
    assert lines(prose, tmp_path / "code.py", 'x = "What is this?"\n') == []


def test_code_in_a_page_is_left_alone(prose: ModuleType, tmp_path: Path) -> None:
    page = "# Title\n\nNot `so many`.\n\n```sh\nmend\n```\n\nThe others go\non.\n"
    assert lines(prose, tmp_path / "page.md", page) == [(9, "go on")]


@pytest.mark.parametrize(("text", "code"), [("Fix it.\n", 0), ("Mend it.\n", 1)])
def test_the_command_prints_the_plainer_form(text: str, code: int, tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(text, encoding="utf-8")
    done = subprocess.run([sys.executable, ROOT / "tools/prose.py", page], capture_output=True, text=True, check=False)
    assert done.returncode == code
    expected = f"{page}:1: 'Mend': write fix (the common word)\n1 phrases to rewrite in 1 files\n" if code else ""
    assert done.stdout == expected
