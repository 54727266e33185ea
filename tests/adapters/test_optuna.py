"""The suite that Optuna gives to writers of samplers, unmodified, for every registered strategy."""

import pytest
from optuna.testing.pytest_samplers import BasicSamplerTestCase, RelativeSamplerTestCase, SingleOnlySamplerTestCase

from jaxsearch.adapters.optuna import JaxSearchSampler
from jaxsearch.strategies import registry


class TestSampler(BasicSamplerTestCase, RelativeSamplerTestCase, SingleOnlySamplerTestCase):
    # of this scope, so that the cases of a strategy follow each other and share its programs
    @pytest.fixture(params=registry, scope="session")
    @classmethod
    def sampler(cls, request):
        return lambda: JaxSearchSampler(registry[request.param]())
