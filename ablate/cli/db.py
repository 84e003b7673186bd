"""``ablate db``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ablate.cli.locations import home_option, store_option

if TYPE_CHECKING:
    from pathlib import Path


@click.group("db")
def group() -> None:
    """Look after the database.

    Example: ablate db upgrade
    """


@group.command("upgrade")
@home_option
@store_option
def upgrade(home: Path, store: str | None) -> None:
    """Bring a database that an older ablate wrote to this version's schema.

    Example: ablate db upgrade --home results
    """
    from ablate.errors import StoreError
    from ablate.store import schema
    from ablate.study.run.home import store_url

    if store is None and not (home / "ablate.db").is_file():
        raise StoreError(f"{home} holds no database; name the right folder with --home")
    before, after = schema.upgrade_url(store or store_url(home.resolve()))
    click.echo(f"already at schema {after}" if before == after else f"upgraded from schema {before} to {after}")
