"""Plugins that tests put on the path; see the entry points beside this package."""
