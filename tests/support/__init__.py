"""Helpers of the tests: material, builders, contract cases."""
