"""The study file: found, read, overridden, checked."""
