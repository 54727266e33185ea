import pytest
from archives import SPACE, mixed

from jaxsearch import report


@pytest.fixture(scope="session")
def html():
    """A page with texts that would be HTML."""
    facts = [("data", "<img src=x onerror=alert(1)>"), ("seconds", 12.3456789)]
    network = ({"activation": "relu"}, [(64, 90), (90, 24), (24, 10)])
    title = "A <b>bold</b> search & more"
    return report.page(mixed(), SPACE, title=title, facts=facts, label="error", network=network)
