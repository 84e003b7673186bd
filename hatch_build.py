"""Puts the shipped studies into the wheel; an editable install reads them from the checkout instead of a copy."""

from __future__ import annotations

from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class StudiesHook(BuildHookInterface):  # type: ignore[type-arg]
    """Adds ``studies/`` as ``ablate/studies/`` to a standard wheel."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Called by hatchling before a wheel is built."""
        if version == "standard":
            build_data["force_include"]["studies"] = "ablate/studies"
