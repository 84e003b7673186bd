"""The pages of the gallery in a site that Sphinx built, opened in a real browser."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from support.checkout import ROOT

if TYPE_CHECKING:
    from pathlib import Path

    from support.gallery_material import Shown

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
pytest.importorskip("myst_parser", reason="myst-parser is not installed")
BROWSER = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = pytest.mark.skipif(BROWSER is None, reason="no chromium or chrome on this machine")
CONF = """
import sys
sys.path.insert(0, {extensions!r})
extensions = ["myst_parser", "gallery_reports"]
"""


@pytest.fixture
def site(made: Shown, tmp_path: Path) -> Path:
    """Build a site that has nothing but the gallery, with warnings as errors."""
    shutil.copytree(made.folder, tmp_path / "docs/gallery")
    for page in (tmp_path / "docs/gallery").glob("*.md"):  # the study file that a page links to is not here
        text = page.read_text(encoding="utf-8")
        page.write_text(re.sub(r"\[(studies/\S+)\]\(\S+\)", r"\1", text), encoding="utf-8")
    extensions = str(ROOT / "docs/_ext")
    (tmp_path / "docs/conf.py").write_text(CONF.format(extensions=extensions), encoding="utf-8")
    (tmp_path / "docs/index.md").write_text("# Site\n\n```{toctree}\ngallery/index\n```\n", encoding="utf-8")
    words = ["-m", "sphinx", "--quiet", "--fail-on-warning", str(tmp_path / "docs"), str(tmp_path / "site")]
    done = subprocess.run([sys.executable, "-P", *words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return tmp_path / "site"


def test_a_reader_comes_from_the_list_to_the_page_and_to_the_report(site: Path) -> None:
    complaints: list[str] = []
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=BROWSER, args=["--no-sandbox"])
        page = browser.new_page()
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("requestfailed", lambda request: complaints.append(request.url))
        page.goto((site / "gallery/index.html").as_uri())
        page.get_by_role("cell").get_by_role("link", name="small", exact=True).click()
        figure = page.get_by_role("img", name="The first figure of the report")
        assert figure.evaluate("image => image.decode().then(() => image.naturalWidth)") > 100
        page.get_by_role("link", name="Open the report of small").click()
        assert page.locator("h1").inner_text() == "small"
        assert "without sound" in page.locator("main").inner_text()
        links = page.locator("a").evaluate_all("links => links.map(link => link.getAttribute('href'))")
        browser.close()
    assert [link for link in links if not link.startswith("#")] == [], "no link to a file that is not there"
    assert complaints == []
