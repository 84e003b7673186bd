"""Addresses of databases: any path, and no password in any message."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa

from ablate.errors import HomeError, StoreError, UsageError
from ablate.store.database import address
from ablate.store.database.problems import store_error
from ablate.store.store import Store


@pytest.mark.parametrize("name", ["run?1", "feature%2Flogin", "per%20cent", "a#b", "a b", "ü&x=1", "{SCHEMA}", "a@b:c"])
def test_a_path_in_a_url_is_the_same_path(tmp_path: Path, name: str) -> None:
    home = tmp_path / name
    home.mkdir()
    url = address.home_url(home)
    assert address.sqlite_file(url) == home / "ablate.db"
    assert address.shown(url) == url
    with Store(url):
        pass
    assert [each.name for each in tmp_path.iterdir()] == [name]
    assert [each.name for each in home.iterdir()] == ["ablate.db"]


def test_a_path_that_is_no_text_is_refused() -> None:
    with pytest.raises(HomeError, match=r"\\xff is not valid UTF-8"):
        address.home_url(Path("/tmp/\udcff"))


SECRET = "h/u:n@ter 2"
URLS = [
    f"nosuch://ada:{SECRET}@host/db",
    sa.URL.create("postgresql+nosuch", "ada", SECRET, "host", database="db").render_as_string(hide_password=False),
    "mysql+nosuch://host/db?password=h%2Fu%3An%40ter+2",
]


@pytest.mark.parametrize("url", URLS)
def test_a_password_is_in_no_message(url: str) -> None:
    with pytest.raises(UsageError) as caught:
        Store(url)
    text = str(caught.value)
    assert text.startswith("--store ")
    assert not any(part in text for part in ("hunter", "ter 2", "ter+2", "ter%202"))
    refused = store_error(URLS[1], RuntimeError(f"could not connect: password={SECRET}"))
    assert isinstance(refused, StoreError)
    assert SECRET not in str(refused)
