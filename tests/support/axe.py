"""Checks of a page's accessibility with axe-core, for tests in a browser.

``npm ci --prefix tests/browser`` installs axe-core; tests that need it are skipped where it is absent.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

import pytest

from support.checkout import ROOT

if TYPE_CHECKING:
    from playwright.sync_api import Page

AXE = ROOT / "tests/browser/node_modules/axe-core/axe.min.js"
#: The rules that are checked: WCAG 2.0, 2.1 and 2.2, levels A and AA, and best practices.
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22a", "wcag22aa", "best-practice"]
#: The most elements that a violation lists.
MOST_ELEMENTS = 5


def violations(page: Page, *, without: tuple[str, ...] = ()) -> list[str]:
    """Return what axe-core finds wrong on a whole page, its frames included; an empty list is a pass.

    Content that is hidden is not checked, so open dialogs and details before.

    Args:
        page: a page that is loaded; a content security policy does not prevent the check.
        without: names of rules to leave out, for example of a theme that is not ours.

    Returns:
        A text for each broken rule: its name, how bad it is, what to do, and the elements with the reason for each.
    """
    source = _source()
    for frame in page.frames:
        frame.evaluate(source)
    options: dict[str, Any] = {
        "runOnly": {"type": "tag", "values": TAGS},
        "rules": {rule: {"enabled": False} for rule in without},
        "resultTypes": ["violations"],
    }
    found = page.evaluate("(options) => axe.run(document, options)", options)
    assert found["passes"], "axe-core has checked something"
    return [_text(each) for each in found["violations"]]


@functools.cache
def _source() -> str:
    if not AXE.is_file():
        pytest.skip("axe-core is not installed; run: npm ci --prefix tests/browser")
    # nothing is returned to Python: the library's object would have to be copied
    return f"{AXE.read_text(encoding='utf-8')};undefined"


def _text(violation: dict[str, Any]) -> str:
    nodes = violation["nodes"]
    lines = [f"{violation['id']} ({violation['impact']}): {violation['help']}"]
    for node in nodes[:MOST_ELEMENTS]:
        reason = " ".join(node["failureSummary"].split())
        lines.append(f"  {node['target']}: {reason}\n    {node['html'][:200]}")
    if len(nodes) > MOST_ELEMENTS:
        lines.append(f"  and {len(nodes) - MOST_ELEMENTS} more elements")
    return "\n".join(lines)
