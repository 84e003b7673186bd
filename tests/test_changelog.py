"""CHANGELOG.md has the form of Keep a Changelog 1.1.0, and its newest version is that of the package."""

from __future__ import annotations

import datetime as dt
import re

import pytest
from support.checkout import ROOT

import ablate

KINDS = {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}
VERSION = re.compile(r"\[(?P<name>[^\]]+)\](?: - (?P<date>\S+))?")


def problems(text: str, version: str) -> list[str]:
    """Return how a changelog breaks the form; ``version`` is that of the package."""
    headings = re.findall(r"^(#{1,3}) (.*)$", text, re.MULTILINE)
    titles = [title for level, title in headings if level == "#"]
    versions = [title for level, title in headings if level == "##"]
    matches = [match for title in versions if (match := VERSION.fullmatch(title))]
    names = [match["name"] for match in matches]
    links = dict(re.findall(r"^\[([^\]]+)\]: (https://\S+)$", text, re.MULTILINE))
    sections = re.split(r"^## .*$", text, flags=re.MULTILINE)[1:]
    newest = [name for name in names if name != "Unreleased"][:1]
    return [
        *(["the title is not 'Changelog'"] if titles != ["Changelog"] else []),
        *([f"the newest version is not {version}"] if newest != [version] else []),
        *(f"'{title}' is no heading of a version" for title in versions if not VERSION.fullmatch(title)),
        *(f"'{name}' has no link" for name in names if name not in links),
        *(f"the link of '{name}' does not lead to it" for name in names if name not in links.get(name, name)),
        *(f"the link of '{name}' has no heading" for name in links if name not in names),
        *(f"'{match['name']}' has no date" for match in matches if not dated(match, newest)),
        *(f"'{title}' is no kind of change" for level, title in headings if level == "###" and title not in KINDS),
        *(f"a version has '{kind}' twice" for section in sections for kind in KINDS if twice(section, kind)),
    ]


def dated(match: re.Match[str], newest: list[str]) -> bool:
    """Return whether a version has a date; the newest one may be unreleased, and 'Unreleased' has none."""
    if match["name"] == "Unreleased":
        return match["date"] is None
    if match["date"] == "unreleased":
        return [match["name"]] == newest
    try:
        dt.date.fromisoformat(match["date"] or "")
    except ValueError:
        return False
    return True


def twice(section: str, kind: str) -> bool:
    return len(re.findall(rf"^### {kind}$", section, re.MULTILINE)) > 1


def test_the_changelog_has_its_form() -> None:
    assert problems((ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), ablate.__version__) == []


GOOD = """# Changelog

## [0.2.0] - 2027-01-31

### Added

#### Studies

- Run studies.

### Fixed

- Count.

## [0.1.0] - 2026-12-01

### Added

- Begin.

[0.2.0]: https://example.org/compare/v0.1.0...v0.2.0
[0.1.0]: https://example.org/v0.1.0
"""


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("", "", ""),
        ("2027-01-31", "unreleased", ""),
        ("# Changelog", "# Changes", "the title is not"),
        ("## [0.2.0] - 2027-01-31", "## 0.2.0", "the newest version is not 0.2.0"),
        ("## [0.1.0] - 2026-12-01", "## 0.1.0, 2026", "'0.1.0, 2026' is no heading"),
        ("2027-01-31", "2027-31-01", "'0.2.0' has no date"),
        ("2026-12-01", "unreleased", "'0.1.0' has no date"),
        ("### Fixed", "### Speed", "'Speed' is no kind of change"),
        ("### Fixed", "### Added", "'Added' twice"),
        ("[0.1.0]: https://example.org/v0.1.0\n", "", "'0.1.0' has no link"),
        ("[0.1.0]: https://example.org/v0.1.0", "[0.1.0]: https://example.org/v0.3.0", "does not lead to it"),
    ],
)
def test_a_changelog_of_another_form_is_found(old: str, new: str, problem: str) -> None:
    assert old in GOOD
    found = problems(GOOD.replace(old, new, 1) if old else GOOD, "0.2.0")
    assert bool(found) == bool(problem)
    assert not problem or any(problem in each for each in found)
