"""Name the component whose code has raised an error, so that the failure of a stage names it."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

_ABOUT, _BLAMED = "_ablate_about", "_ablate_blamed"


def name_component(component: object, about: str) -> None:
    """Remember what a built component is called (``"sampler 'top-k' of plugin 'sampling'"``), where it can be."""
    with contextlib.suppress(Exception):  # an object may have no room for it
        object.__setattr__(component, _ABOUT, about)


def about(component: Any) -> str:
    """Return what :func:`name_component` remembered, or the name of the component's class."""
    with contextlib.suppress(Exception):
        return str(vars(component)[_ABOUT])
    return type(component).__name__


@contextlib.contextmanager
def blaming(text: str) -> Iterator[None]:
    """Let an error that leaves the block name a component, unless it names one already."""
    try:
        yield
    except BaseException as error:
        blame(error, text)
        raise


def blame(error: BaseException, text: str) -> None:
    """Let an error name a component, unless it names one already; for loops that have no time for :func:`blaming`."""
    if text and not blamed(error):
        with contextlib.suppress(Exception):
            object.__setattr__(error, _BLAMED, text)


def take_blame(error: BaseException) -> str:
    """Return the component that an error names, and forget it: a component may raise the same object again."""
    text = blamed(error)
    with contextlib.suppress(Exception):
        vars(error).pop(_BLAMED, None)
    return text


def blamed(error: BaseException) -> str:
    """Return the component that an error names, or an empty string."""
    with contextlib.suppress(Exception):
        return str(vars(error).get(_BLAMED, ""))
    return ""
