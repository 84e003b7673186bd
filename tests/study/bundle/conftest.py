"""A bundle, made once from the home in which a shipped study has run."""

from __future__ import annotations

import json
import shutil
import zipfile
from typing import TYPE_CHECKING, Any

import pytest

from ablate.registry import get_registry
from ablate.store.database.address import home_url
from ablate.store.store import Store
from ablate.study.bundle.pack import pack
from ablate.study.run.home import open_home

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    #: Maps the names of files to new contents; None removes a file.
    Changes = dict[str, bytes | None]

STUDY = "tau_sweep@smoke"


@pytest.fixture(scope="session")
def packed(smoke_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a bundle with a page of one line."""
    folder = tmp_path_factory.mktemp("bundle")
    home = shutil.copytree(smoke_home, folder / "home")
    (folder / "page").mkdir()
    (folder / "page/index.html").write_text("<p>A page</p>", encoding="utf-8")
    out = folder / "study.zip"
    with Store(home_url(home)) as store:
        pack(store, home, STUDY, out, page=folder / "page", without=(), registry=get_registry())
    return out


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Return an empty home."""
    return open_home(tmp_path / "home")


@pytest.fixture
def forge(packed: Path, tmp_path: Path) -> Callable[..., Path]:
    """Return a function that writes a copy of the bundle with other files, whose digests are right if asked to."""

    def forged(changes: Changes, *, digests: bool = True, **manifest: Any) -> Path:
        out = tmp_path / "forged.zip"
        with zipfile.ZipFile(packed) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
            files: Changes = {name: old.read(name) for name in old.namelist()} | changes
            facts = json.loads(files.pop("manifest.json") or b"")
            if digests:
                facts["files"] = {name: _digest(data) for name, data in files.items() if data is not None}
            for name, data in files.items():
                if data is not None:
                    new.writestr(name, data)
            new.writestr("manifest.json", json.dumps(facts | manifest))
        return out

    return forged


def _digest(data: bytes) -> dict[str, Any]:
    import hashlib

    return {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
