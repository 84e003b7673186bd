"""The contracts of conditioners and of metrics: the tests that ablate expects each of them to pass."""

from ablate.testing import ConditionerContract, MetricContract, performances

import ablate_local_key


class TestLocalKey(ConditionerContract):
    spec = next(iter(ablate_local_key.ablate_conditioners()))
    options = ({}, {"window": 0.5}, {"source": "shuffled"})  # the settings to try, as in a study file


class TestKeyShare(MetricContract):
    spec = next(iter(ablate_local_key.ablate_metrics()))
    options = ({}, {"window": 0.5})

    def performances(self):
        """Return music for which a key was asked."""
        return [piece.labelled(key=7.0) for piece in performances()]
