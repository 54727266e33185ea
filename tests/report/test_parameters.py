import numpy as np
import pytest
from archives import SPACE, archive, uniform

import jaxsearch as js
from jaxsearch.report.parameters import parameter, parameters
from jaxsearch.report.style import plain, shown

TRIALS = archive(np.arange(50.0))


def test_names_and_positions_are_those_of_the_table():
    found, table = parameters(TRIALS, SPACE), TRIALS.table(SPACE)
    assert [one.name for one in found] == list(table)[4:]
    for one in found:
        assert np.all(np.isnan(one.position) | ((one.position >= 0) & (one.position <= 1)))
    momentum = parameter(TRIALS, SPACE, "optimizer.sgd.momentum")
    assert [np.isnan(place) for place in momentum.position] == [v is None for v in table["optimizer.sgd.momentum"]]
    assert 0 < np.isnan(momentum.position).sum() < 50


@pytest.mark.parametrize("name", ["rate", "units", "width[1]", "optimizer.adam.b1"])
def test_a_tick_stands_where_its_value_lies(name):
    one, values = parameter(TRIALS, SPACE, name), TRIALS.table(SPACE)[name]
    places, labels = zip(*one.ticks(), strict=True)
    assert 2 <= len(places) <= 7
    assert list(places) == sorted(places)
    there = ~np.isnan(one.position)
    order = np.argsort(one.position[there], kind="stable")
    expected = np.interp(places, one.position[there][order], values[there].astype(float)[order])
    inside = (np.array(places) > one.position[there].min()) & (np.array(places) < one.position[there].max())
    np.testing.assert_allclose(
        np.array(labels, float)[inside], expected[inside], rtol=0.35 if one.dimension.log else 0.1
    )


@pytest.mark.parametrize(
    ("dimension", "labels"),
    [
        (js.Float(1e-4, 1e-1, log=True), ["0.0001", "0.001", "0.01", "0.1"]),
        (js.Float(2e-3, 6e-2, log=True), ["0.003", "0.01", "0.03"]),
        (js.Float(0.42, 0.44, log=True), ["0.42", "0.44"]),
        (js.Float(0.8, 4.0, log=True), ["1", "2"]),
        (js.Float(np.float32(0.001), np.float32(0.3), log=True), ["0.001", "0.01", "0.1"]),
        (js.Float(np.float32(0.1), np.float32(0.2)), ["0.1", "0.12", "0.14", "0.16", "0.18", "0.2"]),
        (js.Float(1e-12, 1.0, log=True), ["1e-12", "1e-09", "1e-06", "0.001", "1"]),
        (js.Float(-1, 1), ["-1", "-0.5", "0", "0.5", "1"]),
        (js.Int(1, 4), ["1", "2", "3", "4"]),
        (js.Int(0, 1000), ["0", "200", "400", "600", "800", "1000"]),
        (js.Int(8, 128, log=True), ["10", "30", "100"]),
        (js.Choice("only"), ["only"]),
        (js.Choice(*range(25)), ["0", "3", "6", "9", "12", "15", "18", "21", "24"]),
    ],
)
def test_ticks_are_round_numbers(dimension, labels):
    x = uniform(3, dimension)
    ticks = parameter(archive([1, 2, 3], x), dimension, "value").ticks()
    assert [label for _, label in ticks] == labels
    assert all(0 <= place <= 1 for place, _ in ticks)


def test_an_unknown_name_is_answered_with_the_nearest():
    with pytest.raises(ValueError, match="Did you mean rate"):
        parameter(TRIALS, SPACE, "rat")


def test_of_many_trials_the_best_and_an_even_share_are_shown():
    loss = np.random.default_rng(0).permutation(2000).astype(float)
    rows = shown(loss, 100)
    assert len(rows) == len(set(rows)) == 100
    assert set(np.argsort(loss)[:50]) <= set(rows)
    assert np.all(np.diff(rows) > 0)
    assert np.max(np.diff(rows)) < 100
    assert list(shown(loss[:100], 100)) == list(range(100))


def test_texts_are_no_formulas():
    assert plain("a $x$\nb") == r"a \$x\$ b"
    assert plain("abcdefgh", 4) == "abc…"
