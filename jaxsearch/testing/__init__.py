"""The contract that every strategy keeps, as functions to call from any test runner.

    @pytest.mark.parametrize("check", jaxsearch.testing.CHECKS, ids=lambda check: check.__name__)
    def test_contract(check):
        check(MyStrategy())

Each check raises AssertionError with what was expected.
"""

from jaxsearch.testing.contract import CHECKS as CHECKS
from jaxsearch.testing.runs import MIXED as MIXED
