import re

import numpy as np
import pytest
from archives import archive

from jaxsearch.report.compared import ComparedRun, compared
from jaxsearch.report.style import Unit

ERROR = Unit("error")


def run(name, loss, *, data="iris", unit=ERROR, **settings):
    results = {"metric": unit.label, "score": unit.score(min(loss))}
    trials = archive(loss, seconds=np.ones(len(loss)))
    return ComparedRun(name, trials, unit, {"data": data}, {"seed": 0, **settings}, results)


def test_runs_of_the_same_data_share_a_figure_and_differ_where_they_differ():
    html = compared([run("a", [3, 2.0], budget=8), run("<b>", [4, 1.0], budget=16)])
    assert re.findall("<h3>(.*?)</h3>", html) == ["Convergence", "Convergence in time"]
    assert "cannot be compared" not in html
    settings = re.search(r'<section id="settings">.*?</section>', html, re.DOTALL)[0]
    assert re.findall(r">([^<>]+)</t[hd]>", settings) == ["a", "&lt;b&gt;", "budget", "8", "16"]
    assert "<dt>seed</dt><dd>0</dd>" in html
    assert "<b>" not in html
    assert "&lt;b&gt;: error 1 at evaluation 2" in html


def test_runs_of_other_data_or_metrics_have_a_warning_and_figures_of_their_own():
    auc = Unit("auc", True)
    html = compared([run("a", [0.2]), run("b", [0.2], data="wine"), run("c", [0.25], unit=auc)])
    assert "Scores cannot be compared as they are: the runs differ in data (iris, wine)." in html
    assert [text for text in re.findall("<h3>(.*?)</h3>", html) if "time" not in text] == [
        "Convergence of a",
        "Convergence of b",
        "Convergence of c",
    ]
    assert ">0.75</td>" in html


def test_what_only_one_of_two_runs_knows_does_not_part_them():
    first = run("a", [1.0])
    second = run("b", [1.0])._replace(data={"data": "iris", "rows": 150})
    assert "cannot be compared" not in compared([first, second])


def test_the_same_runs_give_the_same_page():
    assert len({compared([run("a", [3, 2.0]), run("b", [4, 1.0])]) for _ in range(2)}) == 1


@pytest.mark.parametrize("names", [["a"], ["a", "a"]])
def test_names_must_differ_and_be_several(names):
    with pytest.raises(ValueError, match=r"needs 2 to 20 runs with distinct names; got \['a'"):
        compared([run(name, [1.0]) for name in names])
