"""Options of the form ``KEY=VALUE``, such as ``--set``."""

from __future__ import annotations

from typing import Any

from ablate.errors import UsageError
from ablate.printable import name_problem, printable


def parse_setting(text: str, option: str = "--set") -> tuple[str, Any]:
    """Split ``key.path=value`` into path and value; the value is TOML, but strings need no quotes.

    Raises:
        UsageError: there is no key or no ``=``, the key has characters that cannot be printed, or the value has too
            many lists or tables inside each other.
    """
    path, sign, value = text.partition("=")
    path = path.strip()
    if not sign or not path:
        raise UsageError(f"{option} {printable(text)}: write it as key.path=value")
    problem = name_problem(path)
    if problem:
        raise UsageError(f"{option}: the key {problem}")
    return path, _value(value, f"{option} {path}")


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
