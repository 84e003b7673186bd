"""Read the music of a planned study, and check that its runs can use it."""
