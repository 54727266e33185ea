"""The page in a real browser. With JAXSEARCH_SCREENSHOTS set to a directory it leaves pictures there."""

import os
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from archives import mixed

from jaxsearch.report.compared import ComparedRun, compared
from jaxsearch.report.style import Unit

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
DESKTOP = {"width": 1280, "height": 900}


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

    def visit(viewport=DESKTOP, scheme="light", address=url):
        context = browser.new_context(viewport=viewport, color_scheme=scheme)
        contexts.append(context)
        context.set_default_timeout(10_000)
        page = context.new_page()
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("dialog", lambda dialog: (complaints.append(dialog.message), dialog.dismiss()))
        page.on("request", lambda request: request.url == address or complaints.append(request.url))
        page.goto(address)
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
    place = page.locator(".trials th").evaluate_all("all => all.map(head => head.textContent)").index(name)
    cells = page.locator(f".trials tbody td:nth-child({place + 1})")
    return cells.evaluate_all("all => all.filter(cell => !cell.parentNode.hidden).map(cell => cell.textContent)")


def figure(page, title):
    return (
        page.locator("figure")
        .filter(has=page.get_by_role("heading", name=title, exact=True))
        .locator("svg >> visible=true")
    )


def place_of(page, title, trial):
    """Where a figure has the point of a trial, on the screen."""
    drawing = figure(page, title)
    drawing.scroll_into_view_if_needed()
    return drawing.evaluate(
        """(svg, trial) => {
            for (const group of svg.querySelectorAll("[data-trials]")) {
                const points = group.querySelectorAll("use");
                const i = group.dataset.trials.split(" ").indexOf(trial);
                if (i < 0 || !points[i]) continue;
                const [x, y] = ["x", "y"].map(name => Number(points[i].getAttribute(name)));
                const at = new DOMPoint(x, y).matrixTransform(svg.getScreenCTM());
                return [at.x, at.y];
            }
        }""",
        str(trial),
    )


def marks(page, title):
    return figure(page, title).locator(".chosen > *").count()


def test_a_click_on_a_head_sorts_up_and_down(visit):
    page = visit()
    keep(page, "light")
    page.get_by_text("Columns", exact=True).click()
    for name in ("status", "units", "rate"):
        page.get_by_label(name, exact=True).check()
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
        page.get_by_role("button", name="error", exact=True).click()
        loss = column(page, "error")
        assert loss.index("") == len([text for text in loss if text])


def test_a_point_tells_its_trial_and_a_click_marks_it_everywhere(visit):
    page = visit()
    trial = column(page, "trial")[11]
    error, rate = (column(page, name)[11] for name in ("error", "rate"))
    page.mouse.move(*place_of(page, "Convergence", trial))
    tip = page.locator(".tip")
    assert tip.locator("strong").inner_text() == f"Trial {trial}"
    told = dict(zip(tip.locator("dt").all_inner_texts(), tip.locator("dd").all_inner_texts(), strict=True))
    assert (told["error"], told["rate"]) == (error, rate)
    page.mouse.move(5, 5)
    assert tip.is_hidden()
    page.mouse.click(*place_of(page, "Convergence", trial))
    row = page.locator("tr[aria-current]")
    assert row.get_attribute("data-trial") == trial
    assert [marks(page, title) for title in ("Convergence", "rate")] == [1, 1]
    assert marks(page, "All parameters together") == 1
    assert trial in page.locator(".marked strong").inner_text()
    page.get_by_role("button", name="Show in the table").click()
    keep(page, "marked")
    table = page.locator(".trials").bounding_box()
    inside = row.bounding_box()
    assert table["y"] < inside["y"] < table["y"] + table["height"] - inside["height"]
    assert 0 < inside["y"] < DESKTOP["height"], "the row is in view"
    page.get_by_role("button", name="Unmark").click()
    assert row.count() == marks(page, "rate") == 0


def test_a_click_on_a_line_and_on_a_row_mark_the_same(visit):
    page = visit()
    drawing = figure(page, "All parameters together")
    drawing.scroll_into_view_if_needed()
    x, y = drawing.evaluate(
        """svg => {
            const line = svg.querySelectorAll("[data-trials] path[d]");
            const best = line[line.length - 1];  // the best is drawn last
            const [at, end] = [0, 0.02].map(share => best.getPointAtLength(share * best.getTotalLength()));
            const place = new DOMPoint((at.x + end.x) / 2, (at.y + end.y) / 2).matrixTransform(svg.getScreenCTM());
            return [place.x, place.y];
        }"""
    )
    page.mouse.click(x, y)
    best = column(page, "trial")[0]
    assert page.locator("tr[aria-current]").get_attribute("data-trial") == best
    page.locator(".trials tbody tr").nth(2).click()
    marked = page.locator("tr[aria-current]")
    assert marked.count() == 1
    assert marked.get_attribute("data-trial") == column(page, "trial")[2]
    assert marks(page, "Convergence") == 1


def test_the_keyboard_goes_through_points_and_rows(visit):
    page = visit()
    figure(page, "Convergence").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    assert page.locator(".tip strong").inner_text() == "Trial 1"
    page.keyboard.press("Enter")
    row = page.locator("tr[aria-current]")
    assert row.get_attribute("data-trial") == "1"
    page.locator(".trials").focus()
    for key, step in (("ArrowDown", 1), ("ArrowUp", 0)):
        page.keyboard.press(key)
        trials = column(page, "trial")
        assert row.get_attribute("data-trial") == trials[trials.index("1") + step]
    page.keyboard.press("Escape")
    assert row.count() == 0


def test_words_and_limits_filter_the_table_and_fade_the_points(visit):
    page = visit()
    field = page.get_by_label("Filter")
    units, option = (np.array(column(page, name)) for name in ("units", "activation"))
    field.fill("relu units<40")
    expected = (option == "relu") & (units.astype(float) < 40)
    assert 0 < expected.sum() < len(expected)
    assert len(column(page, "trial")) == expected.sum()
    assert set(column(page, "activation")) == {"relu"}
    assert page.locator(".tools output").inner_text() == f"{expected.sum()} of 40 trials"
    assert figure(page, "units").locator("use.faint").count() > 0
    keep(page, "filtered")
    field.fill("no such trial")
    assert column(page, "trial") == []
    field.fill("")
    assert len(column(page, "trial")) == 40
    assert page.locator(".faint").count() == 0


def test_other_columns_can_be_switched_on(visit):
    page = visit()
    head = page.locator(".trials th").filter(has_text="generation")
    assert head.is_hidden()
    page.get_by_text("Columns", exact=True).click()
    page.get_by_label("generation").check()
    assert head.is_visible()
    assert page.locator(".trials tbody tr").first.get_by_text("1", exact=True).first.is_visible()
    page.get_by_label("error", exact=True).uncheck()
    assert page.locator(".trials th").filter(has_text="error").is_hidden()


def test_a_command_can_be_copied(visit):
    page = visit()
    page.get_by_role("button", name="Copy").click()
    page.get_by_role("button", name="Copied").wait_for()
    assert page.evaluate("getSelection().toString()") == "jaxsearch run 'a <b>.csv'"


def test_the_page_follows_the_scheme(visit):
    light, dark = (visit(scheme=scheme) for scheme in ("light", "dark"))
    keep(dark, "dark")
    for where, what in (("body", "backgroundColor"), ("body", "color"), ("svg text", "fill")):
        colours = [page.locator(where).first.evaluate(f"e => getComputedStyle(e).{what}") for page in (light, dark)]
        assert colours[0] != colours[1]
    assert light.evaluate("() => document.querySelectorAll('svg').length") > 8


CUT = """width => Array.from(document.querySelectorAll("body *")).filter(node => {
    const box = node.getBoundingClientRect();
    const scrolls = node.parentElement.closest(".trials, .box");
    const shown = box.width > 0 && getComputedStyle(node).visibility !== "hidden" && !node.closest("defs, clipPath");
    return shown && !scrolls && (box.left < -1 || box.right > width + 1);
}).map(node => `${node.tagName} ${node.textContent.slice(0, 40)}`)"""


@pytest.mark.parametrize("width", [1280, 768, 480, 360])
def test_nothing_is_cut_and_nothing_is_empty(visit, width):
    page = visit({"width": width, "height": 800})
    keep(page, f"width-{width}")
    inner, outer, end, last = page.evaluate(
        """() => {
            const { scrollWidth, clientWidth, scrollHeight } = document.documentElement;
            const last = document.querySelector("section:last-of-type").getBoundingClientRect();
            return [scrollWidth, clientWidth, scrollHeight, last.bottom];
        }"""
    )
    assert inner <= outer <= width
    assert page.evaluate(CUT, width) == []
    assert end - last < 80, "the page ends with its last section"
    inner, outer = page.locator(".trials").evaluate("box => [box.scrollWidth, box.clientWidth]")
    assert (inner <= outer) == (width == 1280)  # where it does not fit, the table scrolls and not the page


@pytest.mark.parametrize("width", [1280, 480])
def test_runs_beside_each_other_fit_and_their_points_tell(visit, tmp_path, width):
    runs = [
        ComparedRun(name, mixed(seed=seed), Unit("error"), {"data": "t"}, {"seed": seed}, {"best network": "wide " * 9})
        for seed, name in enumerate(["a run with a rather long name", "another", "and | a third"])
    ]
    path = tmp_path / "both.html"
    path.write_text(compared(runs), "utf-8")
    page = visit({"width": width, "height": 800}, address=path.as_uri())
    keep(page, f"compared-{width}")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate(CUT, width) == []
    drawing = figure(page, "Convergence")
    drawing.scroll_into_view_if_needed()
    drawing.focus()
    page.keyboard.press("ArrowRight")
    tip = page.locator(".tip").inner_text()
    assert re.fullmatch(r"(a run with a rather long name|another|and   a third): error [\d.]+ at evaluation \d+", tip)
