"""From variants to runs, stages and jobs."""
