"""The site with the documentation: messages name its pages, because an installed package has no folder ``docs``."""

from __future__ import annotations

#: The address of the site, with a slash at its end.
SITE = "https://ablate-music.github.io/ablate/"


def page(name: str) -> str:
    """Return the address of a page, by its path in ``docs`` without ``.md``."""
    return f"{SITE}{name}.html"
