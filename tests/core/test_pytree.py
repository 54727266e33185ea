import copy
import pickle

import jax
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
