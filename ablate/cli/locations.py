"""Where results lie: the options ``--home`` and ``--store``, and opening what they name."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ablate.errors import HomeError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ablate.store.store import Store

home_option = click.option(
    "--home",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path(".ablate"),
    envvar="ABLATE_HOME",
    show_default=True,
    show_envvar=True,
    help="Folder for the database, results and reports.",
)
store_option = click.option("--store", metavar="URL", help="SQLAlchemy URL of another database than the home's own.")


@contextlib.contextmanager
def existing_store(home: Path, url: str | None) -> Iterator[Store]:
    """The store of a home that has been used before.

    Raises:
        HomeError: there is none yet.
    """
    from ablate.store.store import Store
    from ablate.study.run.home import store_url

    if url is None and not (home / "ablate.db").is_file():
        raise HomeError(f"no studies have been run in {home}; run one (ablate study run tau_sweep), or name --home")
    with Store(url or store_url(home.resolve())) as store:
        yield store
