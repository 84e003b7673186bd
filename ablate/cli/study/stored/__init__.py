"""Commands of stored studies: lists, tables, comparisons, reports and bundles."""
