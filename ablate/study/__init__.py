"""Studies: what is asked, which cells that makes, what of it has to run, and running it."""
