"""The contract that every strategy keeps, as functions to call from any test runner.

    @pytest.mark.parametrize("domain", jaxsearch.testing.DOMAINS.values(), ids=jaxsearch.testing.DOMAINS)
    @pytest.mark.parametrize("check", jaxsearch.testing.CHECKS, ids=lambda check: check.__name__)
    def test_contract(check, domain):
        check(MyStrategy(), domain)

Each check raises AssertionError with what was expected. Without a domain it takes the mixed one.
"""

from jaxsearch.testing.contract import CHECKS
from jaxsearch.testing.domains import DOMAINS, MIXED

__all__ = ["CHECKS", "DOMAINS", "MIXED"]
