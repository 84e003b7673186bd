"""Load the plugins, and find the components that they offer by kind and name.

- :mod:`ablate.registry.registry`: the components of all plugins;
- :mod:`ablate.registry.choice`: which plugins are loaded (``ABLATE_PLUGINS``);
- :mod:`ablate.registry.collect`: the records of one plugin;
- :mod:`ablate.registry.records`: the check of one record;
- :mod:`ablate.registry.trial`: plugins that hang or end their process while they are loaded.
"""

from __future__ import annotations

from ablate.registry.choice import GROUP
from ablate.registry.registry import Component, Plugin, Registry, get_registry

__all__ = ["GROUP", "Component", "Plugin", "Registry", "get_registry"]
