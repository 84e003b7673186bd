"""The report in a real browser: it renders, and its console stays empty."""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Outcome

BROWSER = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
QUIET = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"]
QUIET += ["--disable-background-networking", "--disable-component-update", "--enable-logging=stderr"]


@pytest.mark.slow
@pytest.mark.skipif(BROWSER is None, reason="no chromium or chrome on this machine")
def test_a_browser_shows_it_without_complaint(ablate: Callable[..., Outcome], tmp_path: Path) -> None:
    outcome = ablate("study", "run", "tau_sweep", "--profile", "smoke", "--workers", "1")
    assert outcome.code == 0, outcome.err
    page = tmp_path / ".ablate/reports/tau_sweep@smoke/index.html"
    shown = _browse(page, tmp_path, "--dump-dom")
    assert "CONSOLE" not in shown.stderr
    assert "<h1" in shown.stdout
    picture = tmp_path / "page.png"
    shown = _browse(page, tmp_path, f"--screenshot={picture}", "--window-size=1300,2000")
    assert "CONSOLE" not in shown.stderr
    assert picture.stat().st_size > 50_000, "an empty page is smaller"


@pytest.mark.skipif(BROWSER is None, reason="no chromium or chrome on this machine")
def test_the_browser_would_complain(tmp_path: Path) -> None:
    page = tmp_path / "broken.html"
    page.write_text("<script>nothing.at.all</script>")
    assert "CONSOLE" in _browse(page, tmp_path, "--dump-dom").stderr


def _browse(page: Path, folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [str(BROWSER), *QUIET, f"--user-data-dir={folder / 'profile'}", *words, page.as_uri()]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
