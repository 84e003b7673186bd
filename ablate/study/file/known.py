"""Sections of a study file that have been resolved: thousands of variants differ in one of them only."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

    from ablate.study.file.paths import Problem

T = TypeVar("T")


class KnownSections:
    """The last result of each section; it is used again while the section is the same object."""

    def __init__(self) -> None:
        self._last: dict[str, tuple[Any, Any, list[Problem]]] = {}

    def resolved(self, name: str, value: Any, resolve: Callable[[str, list[Problem]], T], problems: list[Problem]) -> T:
        """Return the result of a section.

        Args:
            name: of the section.
            value: of the section; nobody changes it later.
            resolve: returns the result, and adds problems to its second argument.
            problems: the problems of the section are added here.
        """
        last = self._last.get(name)
        if last is None or last[0] is not value:
            own: list[Problem] = []
            last = self._last[name] = (value, resolve(name, own), own)
        problems += last[2]
        result: T = last[1]
        return result
