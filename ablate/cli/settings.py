"""Options of the form ``KEY=VALUE``, such as ``--set``."""

from __future__ import annotations

from typing import Any

from ablate.errors import UsageError, shortened
from ablate.printable import name_problem, printable

#: The most characters of a key.
LONGEST_KEY = 500


def parse_setting(text: str, option: str = "--set") -> tuple[str, Any]:
    """Split ``key.path=value`` into path and value; the value is TOML, but strings need no quotes.

    Raises:
        UsageError: there is no key or no ``=``, the key has characters that cannot be printed, or the value has too
            many lists or tables inside each other, or one that no key can have (infinite, control characters).
    """
    path, sign, value = text.partition("=")
    path = path.strip()
    if not sign or not path:
        raise UsageError(f"{option} {_start(text)}: write it as key.path=value")
    if len(path) > LONGEST_KEY:
        raise UsageError(f"{option} {_start(path)}: the key has more than {LONGEST_KEY} characters")
    problem = name_problem(path)
    if problem:
        raise UsageError(f"{option}: the key {problem}")
    setting = _value(value, f"{option} {path}")
    _check(path, setting, option)
    return path, setting


def _check(path: str, setting: Any, option: str) -> None:
    """Refuse a value that no key can have, before anything takes it for a path or a name."""
    from ablate.study.file.text.values import value_problems

    for key, problem in value_problems({path: setting}):
        raise UsageError(f"{option} {key or path}: {problem}")


def _start(text: str) -> str:
    """Return the beginning of a text from the command line, for a message."""
    return printable(shortened(text, LONGEST_KEY))


def _value(text: str, where: str) -> Any:
    import tomllib

    from ablate.study.file.text.toml import UnsafeToml, loads

    try:
        parsed = loads(f"value = {text}")
    except UnsafeToml as error:
        problem = str(error).removeprefix("line 1: ").removeprefix("value: ")
        raise UsageError(f"{where}: {problem}") from error
    except tomllib.TOMLDecodeError:
        return text.strip()
    # a line break in the text may begin another key
    return parsed["value"] if len(parsed) == 1 else text.strip()
