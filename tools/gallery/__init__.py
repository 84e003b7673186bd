"""The gallery: every shipped study with its question, its answer and its report."""
