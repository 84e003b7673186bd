"""Import the installed plugins, for all processes that are forked after it: the workers of tests and their commands."""

from __future__ import annotations

import pretty_midi  # noqa: F401

from ablate.registry import get_registry

get_registry()
get_registry.cache_clear()  # a test may offer further plugins
