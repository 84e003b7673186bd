"""The driver: hands jobs to workers and records their results."""
