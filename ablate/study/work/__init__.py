"""Do the work of one stage in a worker; nothing here depends on a study."""
