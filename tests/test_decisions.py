"""Each decision has a number, a title, a status and a date, and the index lists them all."""

from __future__ import annotations

import datetime as dt
import re
from typing import TYPE_CHECKING

import pytest
from support.checkout import ROOT

if TYPE_CHECKING:
    from pathlib import Path

FOLDER = ROOT / "docs/decisions"
PAGES = sorted(FOLDER.glob("[0-9]*.md"))
HEAD = re.compile(
    r"# (?P<number>\d+)\. (?P<title>[^\n]+)\n\n- Status: (?P<status>[^\n]+)\n- Date: (?P<date>[^\n]+)\n\n"
)


def head(page: Path) -> dict[str, str]:
    match = HEAD.match(page.read_text(encoding="utf-8"))
    assert match is not None, f"{page.name} must open with '# N. Title', '- Status: ...' and '- Date: YYYY-MM-DD'"
    return match.groupdict()


def test_numbers_are_consecutive() -> None:
    assert [int(page.name[:4]) for page in PAGES] == list(range(1, len(PAGES) + 1))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name[:4])
def test_a_page_opens_with_number_status_and_date(page: Path) -> None:
    entry = head(page)
    assert int(entry["number"]) == int(page.name[:4])
    dt.date.fromisoformat(entry["date"])
    successor = re.fullmatch(r"accepted|superseded in part|superseded by (\d{4})", entry["status"])
    assert successor is not None, f"unknown status {entry['status']!r}"
    assert successor[1] is None or list(FOLDER.glob(f"{successor[1]}-*.md"))


def test_the_index_lists_every_page() -> None:
    rows = [
        f"| [{page.name[:4]}]({page.name}) | {entry['title']} | {entry['status']} | {entry['date']} |"
        for page, entry in ((page, head(page)) for page in PAGES)
    ]
    index = (FOLDER / "README.md").read_text(encoding="utf-8").splitlines()
    assert [line for line in index if line.startswith("| [")] == rows


def test_links_to_decisions_lead_to_pages() -> None:
    pages = [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]
    links = {link for page in pages for link in re.findall(r"decisions/(\d{4}[\w-]*\.md)", page.read_text("utf-8"))}
    assert len(links) >= 5
    assert links <= {page.name for page in PAGES}
