"""From numbers to verdicts."""
