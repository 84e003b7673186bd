"""Studies: what is asked, which runs that makes, what of it has to run, and running it."""
