"""The contract of metrics: the tests that ablate expects every metric to pass."""

from ablate.testing import MetricContract

import ablate_npvi


class TestNpvi(MetricContract):
    spec = next(iter(ablate_npvi.ablate_metrics()))
    options = ({}, {"together": 0.5})  # the settings to try, as in a study file
