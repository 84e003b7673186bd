"""Options that locate stored studies (``--home``, ``--store``, ``--profile``), and access to what they locate."""

from __future__ import annotations

import contextlib
import functools
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ablate.errors import HomeError, UnknownName, UsageError, did_you_mean, listed_names
from ablate.home import DATABASE, DEFAULT_HOME, VARIABLE, home_path
from ablate.names import shell_name
from ablate.printable import name_problem, printable

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterator

    from ablate.store.store import Store


class _HomePath(click.Path):
    """The path of a home, with ``~`` for the folder of a person."""

    def convert(
        self, value: str | os.PathLike[str], param: click.Parameter | None, ctx: click.Context | None
    ) -> str | bytes | os.PathLike[str]:
        """Return the path.

        Raises:
            HomeError: it is empty, or there is no such person.
        """
        return super().convert(home_path(value), param, ctx)


home_option = click.option(
    "--home",
    type=_HomePath(file_okay=False, path_type=Path),
    default=DEFAULT_HOME,
    envvar=VARIABLE,
    show_default=True,
    show_envvar=True,
    help="Folder of the database, the results and the reports.",
)
store_option = click.option("--store", metavar="URL", help="SQLAlchemy URL of a database to use instead of the home's.")
profile_option = click.option(
    "--profile", metavar="NAME", default="", help="Profile that the study was run with, e.g. smoke for STUDY@smoke."
)


corpus_option = click.option(
    "--corpus",
    metavar="PATH|NAME",
    default="",
    help="Corpus that the study was run with, as in study run --corpus, for STUDY@CORPUS.",
)


def name_option(about: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Return the option ``--name``, the name of a study: text without control characters or spaces around it."""

    def check(context: click.Context, parameter: click.Parameter, name: str) -> str:
        del context, parameter
        problem = name_problem(name)
        if not problem and name != name.strip():
            problem = f"'{name}' has spaces around it; leave them out"
        if problem:
            raise UsageError(f"--name {problem}")
        return name

    return click.option("--name", default="", callback=check, help=about)


def stored_study(argument: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Return a decorator: a command takes a study by name or file, and is called with the name that it is stored under.

    The command gets the options ``--profile`` and ``--corpus``, which are part of that name.

    Args:
        argument: of the command, with the study.
    """

    def decorate(command: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(command)
        def call(**values: Any) -> Any:
            name = stored_name(values[argument], values.pop("profile"), values.pop("corpus"))
            return command(**{**values, argument: name})

        return profile_option(corpus_option(call))

    return decorate


@contextlib.contextmanager
def existing_store(home: Path, url: str | None, *, writing: bool = False) -> Iterator[Store]:
    """Open the store of a home that has been used before.

    Args:
        home: the folder.
        url: of another database than the home's own.
        writing: whether the command writes to it; without, the home can be where nothing can be written.

    Raises:
        HomeError: the home has no database yet.
    """
    from ablate.store.database.address import home_url
    from ablate.store.store import Store

    if not has_store(home, url):
        where = printable(str(home.absolute())) if url is None else f"the database of --store {shown_url(url)}"
        raise HomeError(
            f"no studies have been run in {where}; run one (ablate study run tau_sweep), or choose another --home"
        )
    with Store(url or home_url(home.resolve()), writing=writing) as store:
        yield store


def shown_url(url: str) -> str:
    """Return a URL for messages, without its password."""
    from ablate.store.database.address import shown

    return shown(url)


def has_store(home: Path, url: str | None) -> bool:
    """Return whether there is a database to read.

    Args:
        home: the folder.
        url: of another database than the home's own; one that is no file may be empty.

    Raises:
        UsageError: the URL is empty.
        HomeError: there is a folder or a device in the place of the file.
    """
    if url == "":
        raise UsageError("--store is empty; leave it out to use the database of the home")
    from ablate.store.database.address import sqlite_file

    file = home / DATABASE if url is None else sqlite_file(url)
    if file is None or file.is_file():
        return True
    if file.exists():
        what = "a folder" if file.is_dir() else "no ordinary file"
        raise HomeError(f"{printable(str(file))} is {what}, and no database; choose another --home or --store")
    return False


def stored_name(study: str, profile: str, corpus: str = "") -> str:
    """Return the name under which a study is stored when it is run with a profile and a corpus.

    Args:
        study: its name, or its file.
        profile: empty without one.
        corpus: a path or a name; empty for that of the file.

    Raises:
        UsageError: the name states already how the study was run.
    """
    is_file = study.endswith(".toml")
    if not (is_file or profile or corpus):
        return study
    from ablate.study.file.overrides import Overrides, study_name

    if "@" in study and not is_file:
        option = f"--profile {profile}" if profile else f"--corpus {corpus}"
        raise UsageError(
            f"{option}: the name {study} already states how the study was run; leave out {option.partition(' ')[0]}"
        )
    return study_name(Path(study if is_file else f"{study}.toml"), Overrides(profile=profile, corpus=corpus))


def check_stored(store: Store, name: str, home: Path) -> None:
    """Check that a study has been run.

    Raises:
        HomeError: it is the name of a study file that has not been run.
        UnknownName: there is no such study.
    """
    try:
        store.study(name)
    except UnknownName as error:
        from ablate.study.file.locate import how_to_run, known_studies

        names = {study.name: study.settings for study in store.studies()}
        files = known_studies()
        if name not in files:
            hint = how_to_run(name)
            # names such as tau_sweep@smoke are too long to resemble a misspelt tau_sweeep
            if not hint and not did_you_mean(name, names) and (close := did_you_mean(name, files)):
                hint = f"No study file has this name{close}"
            raise UnknownName("study", name, names, hint, where="in this home") from error
        run = {each: names[each] for each in names if each.startswith(f"{name}@")}
        if len(run) > 1 or any(run.values()):
            hint = f" as its file stands, but as {listed_names(run)}."
        else:
            hint = did_you_mean(name, names) or "."
        option = "" if home == DEFAULT_HOME else f"--home {shlex.quote(str(home))} "
        raise HomeError(
            f"study '{name}' has not been run in {home}{hint} To run it: ablate study run {option}{shell_name(name)}"
        ) from error
