import copy
import pickle

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxsearch as js
from jaxsearch.core.pytree import pytree, static


@pytree
class One:
    """Two fields."""

    leaf: float = 0.5
    kind: str = static(default="a")


@pytree
class Other:
    """The same two fields."""

    leaf: float = 0.5
    kind: str = static(default="a")


@pytree
class Child(One):
    """Inherits them."""


def test_leaves_and_structure():
    node = One(2.0, "b")
    paths = [(jax.tree_util.keystr(path), leaf) for path, leaf in jax.tree_util.tree_leaves_with_path(node)]
    assert paths == [(".leaf", 2.0)]
    assert jax.tree.map(lambda leaf: 2 * leaf, node) == One(4.0, "b")
    assert jax.tree.structure(node) == jax.tree.structure(One(3.0, "b"))
    assert jax.tree.structure(node) != jax.tree.structure(One(2.0, "a"))
    assert pickle.loads(pickle.dumps(node)) == node == copy.deepcopy(node)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (One(), Other()),
        (One(), Child()),
        (js.CMAES(), js.SepCMAES()),
        (js.Restart(js.CMAES()), js.Restart(js.SepCMAES())),
    ],
    ids=["twins", "child", "covariances", "wrapped"],
)
def test_classes_are_structure(one, other):
    # Else `jit` may run the program of one for the other, if it looks for both in the same place of its table.
    assert jax.tree.structure(one) != jax.tree.structure(other)


@pytest.mark.parametrize("eight", [np.int64(8), np.uint8(8), np.array(8), jnp.int32(8)], ids=repr)
def test_integers_of_numpy_and_jax_are_sizes_and_counts(eight):
    assert js.GA(eight) == js.GA(8)
    assert type(js.CMAES(population_size=eight).population_size) is int
    assert js.Chunked(lambda key, x: x, eight).chunk_size == 8
    assert js.models.MLP(eight, 2, max_width=eight) == js.models.MLP(8, 2, max_width=8)
    assert js.Float(0, 1, shape=(eight,)) == js.Float(0, 1, shape=(8,))
    assert js.Checkpoint("here", generations=eight).generations == 8
    assert js.choose(js.Float(0, 1), 10_000, population_size=eight).strategy.strategy.population_size == 8
    arguments = {"key": jax.random.key(0), "num_generations": eight, "progress": False}
    result = js.search(lambda key, x: x**2, js.Float(-1, 1), js.RandomSearch(eight), patience=eight, **arguments)
    assert int(result.num_evaluations) == 64


@pytest.mark.parametrize("wrong", [True, np.bool_(True), 8.0, np.float64(8), "8", np.array([8])], ids=repr)
def test_nothing_else_is_one(wrong):
    with pytest.raises(ValueError, match="population_size must be an integer of at least 1; got "):
        js.GA(wrong)


def test_jax_may_put_anything_in_the_place_of_a_leaf():
    stacked = jax.tree.map(lambda *bounds: jnp.stack(bounds), js.Float(0.0, 1.0), js.Float(2.0, 3.0))
    assert stacked.low.shape == (2,)
    assert jax.tree.map(lambda leaf: None, js.Float(0.0, 1.0)).low is None
