"""``ablate db``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ablate.cli.echo import echo
from ablate.cli.locations import home_option, store_option

if TYPE_CHECKING:
    from pathlib import Path


@click.group("db")
def group() -> None:
    """Manage the results database.

    Example: ablate db upgrade
    """


@group.command("upgrade")
@home_option
@store_option
def upgrade(home: Path, store: str | None) -> None:
    """Upgrade a database to the schema of this version.

    A database that an older ablate has written must be upgraded before use.

    Example: ablate db upgrade --home results
    """
    from ablate.errors import StoreError
    from ablate.store import schema
    from ablate.study.run.home import store_url

    if store is None and not (home / "ablate.db").is_file():
        raise StoreError(f"there is no database in {home}; choose another folder with --home")
    before, after = schema.upgrade_url(store or store_url(home.resolve()))
    echo(f"already at schema {after}" if before == after else f"upgraded from schema {before} to {after}")
