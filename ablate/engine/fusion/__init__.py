"""Models of equal shape, trained and sampled as one network."""
