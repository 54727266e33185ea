import itertools

import matplotlib
import numpy as np
import pytest
from archives import SPACE, archive, mixed, uniform
from matplotlib.figure import Figure

import jaxsearch as js
from jaxsearch import report
from jaxsearch.report.folds import curves, curves_of, has_folds, spread_over_folds
from jaxsearch.report.population import spread_of_generations
from jaxsearch.report.searches import best_so_far, over_time

matplotlib.use("agg")


@pytest.fixture
def ax():
    figure = Figure(layout="constrained")
    yield figure.add_subplot()
    figure.canvas.draw()  # what was drawn can be rendered


def line(ax, colour):
    (found,) = [one for one in ax.lines if one.get_color() == colour and one.get_drawstyle() == "steps-post"]
    return found.get_data()


LOSSES = {
    "mixed": mixed().loss,
    "one": [0.5],
    "all failed": [np.inf] * 5,
    "equal": [2.0] * 3,
    "huge": [1.0, -2, 3, 1e30, np.inf, 4],
    "magnitudes": np.logspace(0, -9, 9),
}


@pytest.mark.parametrize("loss", LOSSES.values(), ids=LOSSES)
def test_every_figure_copes_with_any_losses(loss):
    trials = archive(loss, budget=1 + np.arange(len(loss)) % 4, origin=np.arange(len(loss)) % 8)
    draws = [
        lambda ax: report.convergence(ax, trials, target=1.0),
        lambda ax: report.convergence(ax, [trials, trials.loss[:3]]),
        lambda ax: report.ecdf(ax, {"_a": trials, "$b": [trials, trials]}),
        lambda ax: report.slice_of(ax, trials, SPACE, "activation"),
        lambda ax: report.slice_of(ax, trials, SPACE, "optimizer.adam.b1"),
        lambda ax: report.contour(ax, trials, SPACE, "rate", "activation"),
        lambda ax: report.contour(ax, trials, SPACE, "optimizer.sgd.momentum", "units"),
        lambda ax: report.parallel_coordinates(ax, trials, SPACE),
        lambda ax: report.importances(ax, report.importance(trials, SPACE), most=3),
        lambda ax: report.budgets(ax, trials),
        lambda ax: report.learning_curves(ax, trials),
        lambda ax: report.diversity(ax, trials),
    ]
    for draw in draws:
        figure = Figure(figsize=(3, 2), dpi=40)
        axes = figure.add_subplot()
        assert draw(axes) is axes
        figure.draw_without_rendering()


def test_convergence_shows_the_best_so_far_and_what_failed(ax):
    report.convergence(ax, archive([np.inf, 5, 7, 3, np.inf, 4]))
    x, y = line(ax, report.style.BEST)
    assert list(x) == [1, 2, 4, 6]
    assert list(y[1:]) == [5, 3, 3]
    assert np.isnan(y[0])
    (failed,) = [one for one in ax.lines if one.get_label() == "failed"]
    assert list(failed.get_xdata()) == [1, 5]


def test_convergence_marks_the_best_trial_also_where_losses_are_adjusted(ax):
    report.convergence(ax, archive([5, 3, 4], adjusted_loss=np.array([6.0, 5.5, 4.5])))
    (best,) = [one for one in ax.lines if one.get_label() == "best"]
    assert (*best.get_xdata(), *best.get_ydata()) == (3, 4)


def test_several_searches_have_a_median_and_a_band_and_keep_their_best_when_they_end(ax):
    losses = [archive([9, 4]), np.array([8, 8, 6.0]), np.array([7, 2, 2.0])]
    report.convergence(ax, losses, quantiles=(0, 1))
    x, y = line(ax, report.style.TRIAL)
    assert dict(zip(x, y, strict=True)) == {1: 8, 2: 4, 3: 4}
    low, high = ax.collections[0].get_datalim(ax.transData).get_points()[:, 1]
    assert (low, high) == (2, 9)


def test_convergence_takes_the_curves_of_a_comparison(ax):
    curves = np.minimum.accumulate(np.random.default_rng(0).random((2, 5, 30)), axis=2)
    report.convergence(ax, dict(zip(["GA", "_PSO"], curves, strict=True)))
    assert [text.get_text().strip() for text in ax.get_legend().get_texts()] == ["GA", "_PSO"]
    np.testing.assert_array_equal(line(ax, report.style.SERIES[1])[1][-1], np.median(curves[1, :, -1]))


def test_ecdf_counts_the_targets_met(ax):
    report.ecdf(ax, [np.array([9, 5, 1.0]), np.array([8, np.inf])], targets=[8, 5, 0.5])
    x, y = line(ax, report.style.TRIAL)
    assert list(x) == [1, 1, 2, 2, 3]
    np.testing.assert_allclose(y, [0, 1 / 6, 2 / 6, 3 / 6, 3 / 6])


def test_the_lowest_loss_is_a_target_and_meets_the_last(ax):
    report.ecdf(ax, archive([0.7, 0.31, 0.1]))
    assert line(ax, report.style.TRIAL)[1][-1] == 1


def test_a_slice_has_the_trials_that_it_concerns(ax):
    trials = mixed()
    report.slice_of(ax, trials, SPACE, "optimizer.sgd.momentum")
    table = trials.table(SPACE)
    there = np.array([value is not None for value in table["optimizer.sgd.momentum"]])
    points = {one.get_label(): one.get_xdata() for one in ax.lines}
    assert len(points["trial"]) == (there & np.isfinite(trials.loss)).sum()
    assert len(points["failed"]) == (there & ~np.isfinite(trials.loss)).sum() > 0


def test_options_are_written_as_they_are(ax):
    space = {"$a": js.Choice("$x^", "b$", None)}
    report.slice_of(ax, archive([1, 2, 3], uniform(3, space)), space, "$a")
    assert [text.get_text() for text in ax.get_xticklabels()] == [r"\$x^", r"b\$", "None"]
    assert ax.get_xlabel() == r"\$a"


def test_the_contour_is_lowest_where_the_losses_are(ax):
    space = {"a": js.Float(0, 1), "b": js.Float(0, 1)}
    x = uniform(400, space)
    report.contour(ax, archive(np.abs(x - [0.8, 0.2]).sum(1), x), space, "a", "b")
    best = ax.collections[0].get_paths()[0]  # the lowest level
    assert best.contains_point((0.8, 0.2))
    assert not best.contains_point((0.2, 0.8))
    assert len(ax.figure.axes) == 2


def test_parallel_lines_pass_below_what_does_not_matter(ax):
    report.parallel_coordinates(ax, mixed(), SPACE, ["optimizer", "optimizer.adam.b1", "rate"], label="error")
    heights = np.concatenate([one.get_ydata() for one in ax.lines if len(one.get_ydata()) > 2])
    assert np.nanmin(heights) < 0
    assert [text.get_text() for text in ax.get_xticklabels()][-1] == "error"
    assert "failed" in [text.get_text() for text in ax.texts]


def test_bars_of_importance_are_in_order_and_add_up(ax):
    report.importances(ax, {"a": 0.1, "b": 0.5, "c": 0.15, "d": 0.25}, most=2)
    assert [text.get_text() for text in ax.get_yticklabels()] == ["b", "d", "2 others"]
    assert [bar.get_width() for bar in ax.patches] == pytest.approx([0.5, 0.25, 0.25])


def test_budgets_are_counted(ax):
    report.budgets(ax, mixed(30))
    assert [text.get_text() for text in ax.texts] == ["10", "10", "10"]
    assert [text.get_text() for text in ax.get_yticklabels()] == ["2", "4", "8"]


def test_what_is_unknown_says_so(ax):
    with pytest.raises(ValueError, match="needs the budgets of the trials; the archive has none"):
        report.budgets(ax, archive([1.0]))
    with pytest.raises(ValueError, match="needs the origins"):
        report.learning_curves(ax, archive([1.0], budget=np.ones(1)))


def test_a_learning_curve_follows_the_origins(ax):
    # Two members; in generation 2 both go on from the second, in generation 3 the first begins anew.
    trials = archive(
        [5, 4, 3, 2, 9, 1],
        per_generation=2,
        budget=np.array([1, 1, 2, 2, 1, 3]),
        origin=np.array([-1, -1, 1, 1, -1, 1]),
    )
    report.learning_curves(ax, trials)
    all_lines, best, *_ = ax.lines
    segments = all_lines.get_xydata().reshape(-1, 3, 2)[:, :2].tolist()
    assert segments == [[[1, 4], [2, 3]], [[1, 4], [2, 2]], [[2, 2], [3, 1]]]
    assert best.get_xydata().tolist() == [[3, 1], [2, 2], [1, 4]]


def test_uniform_points_spread_by_one_and_equal_ones_by_none(ax):
    x = np.concatenate([uniform(4000), np.full((10, 8), 0.3), uniform(1)])
    generation = np.repeat([1, 2, 3], [4000, 10, 1])
    trials = archive(np.ones(4011), x)._replace(generation=generation)
    numbers, spread = spread_of_generations(trials)
    assert list(numbers) == [1, 2]  # one candidate has no spread
    np.testing.assert_allclose(spread, [1, 0], atol=0.02)
    report.diversity(ax, trials)


def test_folds_and_their_mean_are_those_of_the_best_trials(ax):
    folds = np.array([[3.0, 5], [1, 2], [np.inf, 1], [2, 2]])
    trials = archive([4, 1.5, np.inf, 2], aux={"folds": folds})
    spread_over_folds(ax, trials)
    assert [text.get_text() for text in ax.get_xticklabels()] == ["1", "3", "0"]
    first, second, mean = (one.get_ydata().tolist() for one in ax.lines)
    assert (first, second, mean) == ([1, 2, 3], [2, 2, 5], [1.5, 2, 4])
    assert not has_folds(archive([1.0], aux={"folds": np.ones((1, 1))}))
    with pytest.raises(ValueError, match="needs the folds of the trials"):
        spread_over_folds(ax, archive([1.0]))


def test_learning_curves_join_what_was_measured(ax):
    epochs = np.array([[2, 8, 32], [2, 0, 0], [2, 8, 0]])
    loss = np.array([[9.0, 5, 6], [8, np.nan, np.nan], [7, np.nan, np.nan]])
    trials = archive([5, 8, 7], aux={"curve": loss, "curve_epochs": epochs})
    curves(ax, trials)
    others, best = (one.get_xydata() for one in ax.lines)
    assert best[:3].tolist() == [[2, 9], [8, 5], [32, 6]]
    assert [point for point in others.tolist() if not np.isnan(point[0])] == [[2, 8], [2, 7]]
    assert curves_of(archive([1.0], aux={"curve": loss[1:2], "curve_epochs": epochs[1:2]})) is None
    with pytest.raises(ValueError, match="needs learning curves"):
        curves(ax, archive([1.0]))


def test_where_greater_is_better_the_axes_tell_scores_and_the_best_is_on_top(ax):
    trials = archive([0.25, 0.5, 0.4])
    report.convergence(ax, trials, label="auc", greater_is_better=True)
    assert ax.yaxis_inverted()
    ax.figure.draw_without_rendering()
    ticks = {text.get_text(): text.get_position()[1] for text in ax.get_yticklabels()}
    assert ticks["0.7"] == pytest.approx(0.3)
    other = Figure().add_subplot()
    report.parallel_coordinates(other, trials, SPACE, ["rate"], greater_is_better=True)
    heights = {round(y, 3): text.get_text() for text in other.texts for y in [text.xy[1]] if text.xy[0] == 1}
    assert (heights[1.0], heights[0.0]) == ("0.75", "0.5")


def test_curves_in_time_end_a_generation_where_its_seconds_end(ax):
    trials = archive([4, 3, 5, 1], per_generation=2, seconds=np.array([1.0, 1, 2, 2]))
    over_time(ax, {"one": trials, "other": trials})
    assert ax.lines[0].get_xydata().tolist() == [[2, 3], [6, 1]]


def dense(*sizes):
    return list(itertools.pairwise(sizes))


CELL = {"num_nodes": 4, "num_cells": 2, "edges": [[0, 1, "relu"], [0, 2, "skip"], [1, 3, "tanh"], [2, 3, "gated"]]}
CONV = {"image_shape": (28, 28, 1), "pooling": "max", "normalization": "layer", "activation": "relu"}


@pytest.mark.parametrize(
    ("facts", "shapes", "expected"),
    [
        ({"activation": "silu"}, dense(64, 90, 17, 10), ["64", "90", "17", "10", "dense\nsilu", "outputs"]),
        ({"activation": "silu"}, dense(3, 1), ["3", "1", "inputs"]),
        (CONV, [(3, 3, 1, 8), (3, 3, 8, 16), (4, 4, 16, 10)], ["28 x 28 x 1", "16", "256", "averaged\nto 4 x 4"]),
        (CELL, dense(5, 32, 32, 32, 32, 32, 32, 32, 2), ["relu", "gated", "in", "out"]),
        ({**CELL, "edges": []}, dense(5, 32, 2), ["in", "1", "out"]),
    ],
)
def test_a_network_is_drawn_with_its_sizes(ax, facts, shapes, expected):
    assert report.architecture(ax, facts, shapes) is ax
    assert set(expected) <= {text.get_text() for text in ax.texts}


def test_the_best_so_far_begins_with_the_first_success():
    assert best_so_far(np.array([np.nan, np.inf, 3, -np.inf, 4, 2])).tolist() == [np.inf, np.inf, 3, 3, 3, 2]
