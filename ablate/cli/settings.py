"""Options of the form ``KEY=VALUE``, such as ``--set``."""

from __future__ import annotations

import tomllib
from typing import Any

from ablate.errors import UsageError


def parse_setting(text: str, option: str = "--set") -> tuple[str, Any]:
    """Split ``key.path=value`` into path and value; the value is TOML, but strings need no quotes.

    Raises:
        UsageError: there is no key or no ``=``.
    """
    path, sign, value = text.partition("=")
    if not sign or not path.strip():
        raise UsageError(f"{option} {text}: write it as key.path=value")
    try:
        return path.strip(), tomllib.loads(f"value = {value}")["value"]
    except tomllib.TOMLDecodeError:
        return path.strip(), value.strip()
