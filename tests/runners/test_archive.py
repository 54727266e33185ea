import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
import pytest

import jaxsearch as js
from jaxsearch.adapters.optuna import to_optuna_study
from jaxsearch.report import page
from jaxsearch.runners.archive import Archive, restored
from jaxsearch.spaces.columns import columns

SPACE = {
    "rate": js.Float(1e-3, 0.1, log=True),
    "widths": js.Int(1, 3, shape=(2,)),
    "kind": js.Choice("a", ("b", 1), None),
    "optimizer": js.Switch(sgd={}, adam={"b1": js.Float(0, 1)}),
}


def objective(key, params):
    return jnp.where(params["kind"] == 2, jnp.nan, params["rate"] + params["optimizer"].index)


@pytest.fixture(scope="module")
def result():
    return js.search(objective, SPACE, js.RandomSearch(20), key=jax.random.key(0), num_generations=3)


def test_the_table_says_what_describe_says(result):
    table, decode = result.trials(), jax.jit(lambda x: js.decode(SPACE, x))
    for row, x in enumerate(result.archive.x):
        plain = js.describe(SPACE, decode(x))
        assert table["rate"][row] == plain["rate"]
        assert [table["widths[0]"][row], table["widths[1]"][row]] == plain["widths"]
        assert table["kind"][row] == plain["kind"]
        assert table["optimizer"][row] in plain["optimizer"]
        assert table["optimizer.adam.b1"][row] == plain["optimizer"].get("adam", {}).get("b1")


def test_the_table_is_a_data_frame(result):
    frame = pd.DataFrame(result.trials())
    assert frame["trial"].tolist() == list(range(60))
    assert frame["generation"].value_counts().tolist() == [20, 20, 20]
    assert set(frame["status"]) == {"ok", "failed"}
    assert (frame["status"] == "failed").sum() == int(result.num_failed)
    assert ((frame["kind"].isna()) == (frame["status"] == "failed")).all()
    assert frame["loss"].min() == float(result.loss)
    assert (frame["seconds"] > 0).all()
    assert "grad" not in frame


def test_duplicates_have_the_number_of_the_first(result):
    space = {"a": js.Int(1, 2), "b": js.Switch(x={}, y={"c": js.Int(1, 2)})}
    found = js.search(lambda key, p: 0.0 * p["a"], space, js.RandomSearch(30), key=jax.random.key(0), num_generations=1)
    table, first = found.trials(), found.archive.duplicate_of(space)
    rows = list(zip(table["a"], table["b"], table["b.y.c"], strict=True))
    assert [rows.index(row) for row in rows] == np.where(first < 0, np.arange(30), first).tolist()
    assert (first < 0).sum() == len(set(rows)) <= 6  # a branch that is not taken makes no difference
    assert (result.archive.duplicate_of(SPACE) == -1).all()


def test_what_goes_on_is_no_duplicate(result):
    twice = jax.tree.map(lambda leaf: np.concatenate([leaf, leaf]), result.archive)
    assert (twice.duplicate_of(SPACE) >= 0).sum() == 60
    assert (twice._replace(origin=np.arange(-60, 60)).duplicate_of(SPACE) == -1).all()


def test_names_that_look_like_places_are_quoted():
    space = {"a": {"b": js.Int(1, 2)}, "a.b": js.Int(3, 4), "c": js.Int(5, 6, shape=(1,)), "c[0]": js.Int(7, 8)}
    table = columns(space, jax.vmap(js.decode, in_axes=(None, 0))(space, jnp.zeros((2, 4))))
    assert {name: column.tolist() for name, column in table.items()} == {
        "a.b": [1, 1],
        "'a.b'": [3, 3],
        "c[0]": [5, 5],
        "'c[0]'": [7, 7],
    }


def test_a_parameter_may_have_the_name_of_another_column():
    space = {"loss": js.Choice("hinge", "huber"), "seconds": js.Int(1, 3), "rate": js.Float(0, 1)}
    result = js.search(
        lambda key, params: params["rate"], space, js.RandomSearch(), key=jax.random.key(0), num_generations=3
    )
    table = result.trials()
    assert table["loss"].min() == float(result.loss)
    assert set(table["params.loss"]) <= {"hinge", "huber"}
    assert table["params.seconds"].dtype == int
    study = to_optuna_study(result)
    assert study.best_params == js.describe(space, result.params)
    assert "loss" in page(result.archive, space, title="clash")


def test_options_that_look_alike_are_no_duplicates():
    options = np.zeros((2, 2000))  # too long for NumPy to print in full
    options[1, 1000] = 1
    space = {"values": js.Choice(*options), "rest": js.Float(0, 1, shape=(2,))}
    x = np.array([[0.5, 0.5, 0.1], [0.5, 0.5, 0.9], [0.5, 0.5, 0.2], [0.5, 0.6, 0.2]], np.float32)
    archive = Archive(np.ones(4, np.int32), x, np.zeros(4, np.float32))
    assert archive.duplicate_of(space).tolist() == [-1, -1, 0, -1]
    assert [value[1000] for value in archive.table(space)["values"]] == [0, 1, 0, 0]


def test_constraints_and_what_the_evaluator_adds():
    x = np.random.default_rng(0).normal(size=(40, 2)).astype(np.float32)
    training = js.Training(
        js.models.MLP(2, 2, max_layers=1, max_width=16),
        (x, (x[:, 0] > 0).astype(int)),
        folds=2,
        epochs=2,
        max_flops=100.0,
    )
    found = js.search(training, training.model.space(), js.RandomSearch(8), key=jax.random.key(0), num_generations=1)
    table = found.trials()
    assert set(table["status"]) == {"ok", "infeasible"}
    assert ((table["violation"] > 0) == (table["status"] == "infeasible")).all()
    ok = table["status"] == "ok"
    np.testing.assert_allclose((table["folds[0]"] + table["folds[1]"])[ok] / 2, table["loss"][ok], rtol=1e-6)
    assert table["epochs"][ok].tolist() == [2] * ok.sum()


def test_without_an_archive_there_is_no_table():
    found = js.search(
        lambda key, p: p["a"], {"a": js.Float(0, 1)}, "ga", key=jax.random.key(0), num_generations=1, archive=False
    )
    with pytest.raises(ValueError, match="need a search with archive=True"):
        found.trials()


def test_restored_from_the_files_of_a_search(tmp_path):
    x = np.random.default_rng(0).normal(size=(40, 2)).astype(np.float32)
    training = js.Training(js.models.MLP(2, 2, max_layers=1, max_width=8), (x, (x[:, 0] > 0).astype(int)), epochs=1)
    space, strategy = training.model.space(), js.RandomSearch(4)
    found = js.search(training, space, strategy, key=jax.random.key(0), num_generations=2, checkpoint=tmp_path)
    again = restored(tmp_path).table(space)
    assert again.keys() == found.trials().keys()
    for name, column in found.trials().items():
        np.testing.assert_array_equal(column, again[name], err_msg=name)
    with pytest.raises(ValueError, match="holds no trials yet"):
        restored(tmp_path / "none")
