"""The page in a real browser. With JAXSEARCH_SCREENSHOTS set to a directory it leaves pictures there."""

import os
import shutil
from pathlib import Path

import pytest

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
DESKTOP, PHONE = {"width": 1200, "height": 900}, {"width": 360, "height": 740}


@pytest.fixture(scope="module")
def browser():
    playwright = pytest.importorskip("playwright.sync_api", reason="needs playwright: pip install 'jaxsearch[test]'")
    if CHROMIUM is None:
        pytest.skip("needs Chromium, e.g. by: apt-get install chromium")
    with playwright.sync_playwright() as p:
        browser = p.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def url(html, tmp_path_factory):
    path = tmp_path_factory.mktemp("page") / "report.html"
    path.write_text(html, "utf-8")
    return path.as_uri()


@pytest.fixture
def visit(browser, url):
    """Opens the page; whatever it logs or asks for fails the test."""
    contexts, complaints = [], []

    def visit(viewport=DESKTOP, scheme="light"):
        context = browser.new_context(viewport=viewport, color_scheme=scheme)
        contexts.append(context)
        context.set_default_timeout(10_000)
        page = context.new_page()
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("dialog", lambda dialog: (complaints.append(dialog.message), dialog.dismiss()))
        page.on("request", lambda request: request.url == url or complaints.append(request.url))
        page.goto(url)
        return page

    yield visit
    for context in contexts:
        context.close()
    assert complaints == []


def keep(page, name):
    if folder := os.environ.get("JAXSEARCH_SCREENSHOTS"):
        Path(folder).mkdir(parents=True, exist_ok=True)
        page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)


def column(page, name):
    place = page.locator("th").all_inner_texts().index(name)
    return page.locator(f"tbody td:nth-child({place + 1})").all_inner_texts()


def test_a_click_on_a_head_sorts_up_and_down(visit):
    page = visit()
    keep(page, "light")
    for name in ("units", "trial", "rate"):
        head = page.get_by_role("button", name=name, exact=True)
        for descending, order in enumerate(("ascending", "descending")):
            head.click()
            values = [float(text) for text in column(page, name)]
            assert values == sorted(values, reverse=bool(descending))
            assert head.locator("..").get_attribute("aria-sort") == order
    page.get_by_role("button", name="status").click()
    assert column(page, "status") == sorted(column(page, "status"))
    assert page.locator("th[aria-sort]").count() == 1
    for _ in range(2):  # trials without a loss stay at the end
        page.get_by_role("button", name="loss", exact=True).click()
        loss = column(page, "loss")
        assert loss.index("") == len([text for text in loss if text])


def test_the_page_follows_the_scheme(visit):
    light, dark = (visit(scheme=scheme) for scheme in ("light", "dark"))
    keep(dark, "dark")
    for where, what in (("body", "backgroundColor"), ("body", "color"), ("svg text", "fill")):
        colours = [page.locator(where).first.evaluate(f"e => getComputedStyle(e).{what}") for page in (light, dark)]
        assert colours[0] != colours[1]
    assert light.evaluate("() => document.querySelectorAll('svg').length") > 8


def test_a_phone_scrolls_the_table_but_not_the_page(visit):
    page = visit(PHONE)
    keep(page, "phone")
    width = "element => [element.scrollWidth, element.clientWidth]"
    inner, outer = page.locator("html").evaluate(width)
    assert inner <= outer <= PHONE["width"]
    inner, outer = page.locator(".trials").evaluate(width)
    assert inner > outer
