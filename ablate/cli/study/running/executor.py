"""``--executor``: where the work of a study is done, and the options of executors in the user-level config file."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ablate.cli.settings import parse_setting
from ablate.errors import InvalidOptions, StudyFileError, UsageError, did_you_mean
from ablate.study.run.executor.protocol import ChosenExecutor

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ablate.registry import Registry

#: The environment variable that names another config file.
VARIABLE = "ABLATE_CONFIG"
#: The table of the config file, and the first part of the keys of ``--set``, for executors.
TABLE = "executor"

executor_option = click.option(
    "--executor",
    metavar="NAME",
    default="",
    help="Where the work is done: local (default) or an executor of a plugin; its options: --set "
    "executor.NAME.OPTION=VALUE.",
)


def split_settings(texts: Iterable[str]) -> tuple[tuple[str, ...], dict[str, Any]]:
    """Return the texts of ``--set`` that are settings of the study, and the values of those for executors by key."""
    own: list[str] = []
    executors: dict[str, Any] = {}
    for text in texts:
        key = text.partition("=")[0].strip()
        if key == TABLE or key.startswith(f"{TABLE}."):
            path, value = parse_setting(text)
            executors[path] = value
        else:
            own.append(text)
    return tuple(own), executors


def chosen_executor(name: str, settings: Mapping[str, Any], registry: Registry) -> ChosenExecutor | None:
    """Return the executor of ``--executor`` with its options; None if nobody has chosen one or given it options.

    Args:
        name: of the executor; empty for the local one.
        settings: those of ``--set`` for executors, by key.
        registry: offers them.

    Raises:
        UnknownName: no plugin offers an executor of this name.
        UsageError: a setting that is not one of this executor.
        StudyFileError: the config file cannot be read, or has a problem.
    """
    tables = _tables(registry)
    chosen = name or "local"
    if not (name or settings or chosen in tables):
        return None
    spec = registry.spec("executor", chosen)
    prefix = f"{TABLE}.{chosen}."
    values = dict(tables.get(chosen, {}))
    for key, value in settings.items():
        if not key.startswith(prefix):
            hint = did_you_mean(key, [f"{prefix}{option}" for option in _names(spec)])
            raise UsageError(
                f"--set {key}: is no setting of the executor '{chosen}'{hint or f'; --executor is {chosen}'}"
            )
        values[key.removeprefix(prefix)] = value
    try:
        return ChosenExecutor(spec, spec.parse(values))
    except InvalidOptions as error:
        key, problem = error.problems[0]
        raise UsageError(f"--set {f'{prefix}{key}'.rstrip('.')}: {problem}") from error


def config_file() -> Path:
    """Return the path of the user-level config file, which need not exist.

    Raises:
        UsageError: ``ABLATE_CONFIG`` names a file that does not exist.
    """
    named = os.environ.get(VARIABLE, "")
    if named:
        if not Path(named).exists():
            raise UsageError(f"{VARIABLE}: no such file: {named}")
        return Path(named)
    folder = os.environ.get("XDG_CONFIG_HOME", "")
    # the specification says to ignore a relative path
    base = Path(folder) if Path(folder).is_absolute() else Path("~/.config").expanduser()
    return base / "ablate" / "config.toml"


def _tables(registry: Registry) -> dict[str, dict[str, Any]]:
    """Return the options of executors in the config file, checked, by the name of the executor."""
    from ablate.study.file.text.toml import parse_toml, read_text

    path = config_file()
    if not os.path.lexists(path):
        return {}
    data = parse_toml(read_text(path), path)
    problems = list(_problems(data, registry))
    if problems:
        raise StudyFileError(str(path), problems[:1])
    tables: dict[str, dict[str, Any]] = data.get(TABLE, {})
    return tables


def _problems(data: Mapping[str, Any], registry: Registry) -> Iterable[str]:
    for key in data:
        if key != TABLE:
            yield f"{key}: unknown key{did_you_mean(key, [TABLE])} (known: {TABLE})"
    tables = data.get(TABLE, {})
    if not isinstance(tables, dict):
        yield f"{TABLE}: must have a table for each executor, [{TABLE}.NAME]"
        return
    offered = registry.names("executor")
    for name, table in tables.items():
        if name not in offered:
            yield f"{TABLE}.{name}: unknown executor{did_you_mean(name, offered)} (offered: {', '.join(offered)})"
        elif not isinstance(table, dict):
            yield f"{TABLE}.{name}: must be a table of options, [{TABLE}.{name}]"
        else:
            yield from _problems_of(name, table, registry)


def _problems_of(name: str, table: Mapping[str, Any], registry: Registry) -> Iterable[str]:
    spec = registry.spec("executor", name)
    try:
        spec.parse(table)
    except InvalidOptions as error:
        for key, problem in error.problems:
            if problem != "is required":  # the command line may give it
                yield f"{TABLE}.{name}{key and f'.{key}'}: {problem}"


def _names(spec: Any) -> list[str]:
    from ablate.options import describe

    return [field.name for field in describe(spec.options)]
