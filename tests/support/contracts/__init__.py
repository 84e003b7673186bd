"""Good and bad components, for the tests of the contract tests."""
