"""Building a release and checking it, up to the upload."""
