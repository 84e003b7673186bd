"""Independent groups of runs: means with Welch's errors, and tests of families of weighted sums of them."""
