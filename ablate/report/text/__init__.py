"""The sentences, tables and facts of a report."""
