import pytest
from archives import SPACE, evaluation, mixed

from jaxsearch import report
from jaxsearch.report.document import Tile


@pytest.fixture(scope="session")
def html():
    """A page with texts that would be HTML."""
    facts = [("data", "<img src=x onerror=alert(1)>"), ("seconds", 12.3456789)]
    network = ({"activation": "relu"}, [(64, 90), (90, 24), (24, 10)])
    title = "A <b>bold</b> search & more"
    return report.page(
        mixed(),
        SPACE,
        title=title,
        lead="What <i>was</i> found.",
        warnings=["No better than <u>nothing</u>."],
        tiles=[Tile("Test <s>error</s>", "0.1", "of <b>always 'a'</b>")],
        facts=facts,
        label="error",
        network=network,
        evaluation=evaluation(["<b>no</b>", "yes & so", '"perhaps"|']),
        commands=[("Repeat:", "jaxsearch run 'a <b>.csv'")],
    )
