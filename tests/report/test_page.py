import ast
import base64
import hashlib
import re
import sys
from html.parser import HTMLParser
from importlib import resources
from pathlib import Path

import jax
import numpy as np
import pytest
from archives import SPACE, archive, mixed, uniform

import jaxsearch as js
from jaxsearch import report
from jaxsearch.report import style
from jaxsearch.report.svg import ROLES

FEW = {"x": js.Float(0, 1), "y": js.Choice("a", "b")}


class Reader(HTMLParser):
    """Tags with their attributes, texts, and ids; checks that tags are closed in order."""

    def __init__(self, html):
        super().__init__()
        self.open, self.tags, self.texts = [], [], []
        self.feed(html)
        assert not self.open

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in ("meta", "br", "input"):
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.texts.append(data)


def test_the_page_is_well_formed_and_asks_nobody(html):
    reader = Reader(html)
    assert [tag for tag, _ in reader.tags].count("script") == 1
    for _, attributes in reader.tags:
        assert not {name for name in attributes if name.startswith("on")}
        assert all(str(attributes.get(name, "#")).startswith("#") for name in ("src", "href", "xlink:href"))
    assert not {tag for tag, _ in reader.tags} & {"img", "link", "iframe", "image", "object"}
    assert re.findall(r"url\((?!#)|@import|https?:", html) == []
    ids = [attributes["id"] for _, attributes in reader.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    pointed = set(re.findall(r'(?:url\(#|href="#)([^")]+)', html))
    assert pointed <= set(ids)
    assert len(pointed) > 10


def test_texts_are_escaped(html):
    assert "<title>A &lt;b&gt;bold&lt;/b&gt; search &amp; more</title>" in html
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in html
    assert "<script>alert" not in html
    assert "<img" not in html


def test_the_policy_allows_this_script_alone(html):
    policy = re.search(r'Security-Policy" content="([^"]*)"', html)[1]
    script = re.search(r"<script>(.*)</script>", html, re.DOTALL)[1]
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in policy
    assert "default-src 'none'" in policy


def test_the_same_input_gives_the_same_page(html):
    first, again = (report.page(archive(np.arange(9.0), uniform(9, FEW)), FEW) for _ in range(2))
    assert first == again
    assert not re.search(r"\b20\d\d-\d\d-\d\d\b", html)


def test_colours_are_those_of_the_page(html):
    drawings = "".join(re.findall(r"<svg.*?</svg>", html, re.DOTALL))
    assert set(re.findall(r"#[0-9a-f]{6}\b", drawings)) == set()
    assert set(re.findall(r"var\(--([\w-]+)\)", drawings)) <= set(ROLES.values())


def test_both_schemes_have_every_colour_and_the_light_one_those_of_the_figures():
    css = resources.files("jaxsearch.report").joinpath("page.css").read_text("utf-8")
    light, dark = (dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", part)) for part in css.split("@media (prefers", 1))
    assert set(ROLES.values()) <= set(light) == set(dark)
    assert [name for name, colour in light.items() if dark[name] == colour] == []
    for colour, role in ROLES.items():
        assert light[role] == colour or role == "muted"  # texts of the page need more contrast than those of figures


def cells(html, name):
    """The texts of a column of the table of trials."""
    head, body = re.search(r"class=trials.*<thead>(.*)</thead>\s*<tbody>(.*)</tbody>", html, re.DOTALL).groups()
    place = re.findall(r"<button type=button>(.*?)</button>", head).index(name)
    return [re.findall(r"<td[^>]*>(.*?)</td>", row)[place] for row in re.findall(r"<tr [^>]*>(.*?)</tr>", body)]


def test_the_table_has_the_trials_with_the_best_first(html):
    trials, table = mixed(), mixed().table(SPACE)
    order = np.argsort(trials.loss, kind="stable")
    assert cells(html, "trial") == [str(number) for number in order]
    assert cells(html, "error") == [f"{loss:.5g}" if np.isfinite(loss) else "" for loss in trials.loss[order]]
    assert cells(html, "status") == list(table["status"][order])
    assert cells(html, "units") == [str(units) for units in table["units"][order]]
    assert cells(html, "optimizer.adam.b1") == [
        "" if value is None else f"{value:.5g}" for value in table["optimizer.adam.b1"][order]
    ]
    assert set(cells(html, "duplicate of")) == {"", "1"}
    assert cells(html, "epochs") == [str(epochs) for epochs in trials.aux["epochs"][order]]
    assert "key[0]" not in html


def test_the_page_says_what_went_wrong(html):
    assert "40 trials, 3 failed, 3 infeasible, 2 duplicates. All of them are below" in html
    assert "<dt>Failed</dt><dd>3</dd>" in html
    assert "<dt>Infeasible</dt><dd>3</dd>" in html
    assert "<dt>seconds</dt><dd>12.346</dd>" in html


def headings(html):
    return re.findall(r"<h3>(.*?)</h3>", html)


def test_a_page_has_the_figures_that_make_sense(html):
    expected = [
        "Best network",
        "Convergence",
        "Importance",
        "All parameters together",
        "Budget per candidate",
        "Diversity",
    ]
    assert [name for name in expected if name not in headings(html)] == []
    assert "Learning curves" not in headings(html)
    assert {"rate", "units", "activation"} <= set(headings(html))


def test_one_trial_and_only_failures_make_a_page():
    one = report.page(archive([0.25]), SPACE, target=0.1)
    assert headings(one) == ["Convergence"]
    assert "<dd>0.25</dd>" in one
    none = report.page(archive([np.inf] * 6, uniform(6, FEW)), FEW)
    assert "<dt>Best loss</dt><dd>none</dd>" in none
    assert "Best trial" not in none
    assert headings(report.page(archive([]), SPACE)) == []


def test_searches_with_other_seeds_are_compared():
    html = report.page(archive([3.0]), SPACE, searches=[mixed(), mixed(seed=1)])
    assert headings(html)[1:] == ["Convergence of all searches", "Targets met"]


def test_of_very_many_trials_the_best_are_shown():
    space = {"x": js.Float(0, 1)}
    loss = np.random.default_rng(0).permutation(2500) / 2500
    html = report.page(archive(loss, loss[:, None], per_generation=500), space)
    rows = cells(html, "trial")
    drawn = {number for text in re.findall(r'data-trials="([\d ]*)"', html) for number in text.split()}
    assert f"The best 1,000 of them and {len(rows) - 1000} others that figures show are below" in html
    assert cells(html, "loss")[999] == "0.3996"
    assert drawn <= set(rows), "every point tells its trial"
    assert len(rows) < 1800
    assert "Shown: 500 of 2,500" in html
    assert len(html) < 400_000


def test_a_member_that_trains_further_is_no_duplicate():
    x = np.tile(uniform(2, FEW), (2, 1))
    assert "2 duplicates" in report.page(archive([4, 3, 2, 1], x, per_generation=2), FEW)
    origin = np.array([-1, -1, 0, 1])
    assert "0 duplicates" in report.page(archive([4, 3, 2, 1], x, per_generation=2, origin=origin), FEW)


def test_of_very_many_parameters_the_first_are_shown():
    space = {"w": js.Float(-1, 1, shape=(9, 10))}
    html = report.page(archive([2.0], uniform(1, space)), space)
    assert "All of them, without the last 34 columns, are below" in html
    assert "<dt>parameters that are not shown</dt><dd>51</dd>" in html
    assert "w[5,7]" in html
    assert "w[5,8]" not in html


def test_a_search_makes_its_page():
    result = js.search(
        lambda key, x: x**2,
        js.Float(-1, 1),
        js.RandomSearch(population_size=4),
        key=jax.random.key(0),
        num_generations=2,
        progress=False,
    )
    html = report.page(result.archive, result.space)
    assert sorted(cells(html, "value")) == sorted(f"{value:.5g}" for value in result.trials()["value"])


def test_without_matplotlib_one_line_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(ValueError, match=r"need matplotlib. Install it: pip install 'jaxsearch\[report\]'$"):
        report.page(archive([1.0]), SPACE)


def test_importing_the_report_does_not_import_matplotlib():
    for path in Path(report.__file__).parent.glob("*.py"):
        for node in ast.parse(path.read_text("utf-8")).body:  # inside functions it may
            names = (
                [alias.name for alias in node.names] if isinstance(node, ast.Import) else [getattr(node, "module", "")]
            )
            assert not any(str(name).startswith("matplotlib") for name in names), path


def test_the_light_colours_are_distinct():
    assert len(ROLES) == 4 + len(style.SERIES) + 1 + len(style.LEVELS)
