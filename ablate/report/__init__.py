"""The report of a study: tidy frames, statistics on them, figures, and one page that shows them."""
