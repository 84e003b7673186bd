"""Options that locate stored studies (``--home``, ``--store``, ``--profile``), and access to what they locate."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ablate.errors import HomeError, UnknownName, UsageError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ablate.store.store import Store

DEFAULT_HOME = Path(".ablate")
home_option = click.option(
    "--home",
    type=click.Path(file_okay=False, path_type=Path),
    default=DEFAULT_HOME,
    envvar="ABLATE_HOME",
    show_default=True,
    show_envvar=True,
    help="Folder of the database, the results and the reports.",
)
store_option = click.option("--store", metavar="URL", help="SQLAlchemy URL of a database to use instead of the home's.")
profile_option = click.option(
    "--profile", metavar="NAME", default="", help="Profile that the study was run with, e.g. smoke for STUDY@smoke."
)


@contextlib.contextmanager
def existing_store(home: Path, url: str | None) -> Iterator[Store]:
    """Open the store of a home that has been used before.

    Raises:
        HomeError: the home has no database yet.
    """
    from ablate.store.store import Store
    from ablate.study.run.home import store_url

    if url is None and not (home / "ablate.db").is_file():
        raise HomeError(
            f"no studies have been run in {home}; run one (ablate study run tau_sweep), or choose another --home"
        )
    with Store(url or store_url(home.resolve())) as store:
        yield store


def stored_name(study: str, profile: str) -> str:
    """Return the name under which a study is stored when it is run with a profile.

    Raises:
        UsageError: the name states already how the study was run.
    """
    from ablate.study.file.overrides import DEFAULT_PROFILE

    if not profile:
        return study
    if "@" in study:
        raise UsageError(
            f"--profile {profile}: the name {study} already states how the study was run; leave out --profile"
        )
    return study if profile == DEFAULT_PROFILE else f"{study}@{profile}"


def check_stored(store: Store, name: str, home: Path) -> None:
    """Check that a study has been run.

    Raises:
        HomeError: it is the name of a study file that has not been run.
        UnknownName: there is no such study.
    """
    from ablate.study.file.locate import known_studies

    try:
        store.study(name)
    except UnknownName as error:
        if name not in known_studies():
            raise
        hint = did_you_mean(name, [study.name for study in store.studies()]) or "."
        option = "" if home == DEFAULT_HOME else f" --home {home}"
        raise HomeError(
            f"study '{name}' has not been run in {home}{hint} To run it: ablate study run {name}{option}"
        ) from error
