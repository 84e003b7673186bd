"""Plan studies: from variants to runs, stages and jobs."""
