"""The gallery of a small study, made once for all tests of a process."""

from __future__ import annotations

import pytest
from support.commands import run
from support.gallery_material import Shown
from support.small_study import SMALL


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Shown:
    folder = tmp_path_factory.mktemp("gallery")
    files = {name: folder / f"{name}.toml" for name in ("small", "waiting")}
    for path in files.values():
        path.write_text(SMALL, encoding="utf-8")
    assert (
        run(["study", "run", str(files["small"]), "--home", str(folder / "home"), "--no-report", "--workers", "1"]) == 0
    )
    shown = Shown(files, folder / "pages", folder / "home")
    gallery = shown.gallery()
    gallery.renew("small", shown.home, "2 cores of a laptop", run=False)
    gallery.write()
    return shown
