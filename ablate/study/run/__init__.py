"""Run studies: submit jobs to workers and record their results."""
