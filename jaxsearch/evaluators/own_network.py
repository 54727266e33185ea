"""How a network of the user's learns."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxsearch.core.pytree import pytree, static
from jaxsearch.core.types import Array, HostArray, Key, PyTree
from jaxsearch.evaluators.lessons import Fold
from jaxsearch.evaluators.parameters import numbers
from jaxsearch.models.network import Network
from jaxsearch.spaces import codec


@pytree
class OwnNetwork:
    """Trains a `Network`; all methods are for one candidate and fold.

    steps: batches per epoch. batch_size: their rows.
    Raises ValueError, while it is traced, for functions that do not return what they should.
    """

    network: Network
    steps: int = static()
    batch_size: int = static()

    def bounded(self, params: PyTree, space: PyTree) -> "OwnNetwork":
        return self

    def draw(self, key: Key) -> Key:
        return key

    def init(self, draws: Key, params: PyTree, space: PyTree) -> PyTree:
        # All candidates start from the same numbers, on purpose: `clone` says so to JAX's check of keys.
        state = _arrays("init", self.network.init(jax.random.clone(draws), params))
        if not jax.tree.leaves(state):
            raise ValueError(f"init must return a state with at least one array; got {state!r}. Return the weights.")
        return state

    def resized(self, state: PyTree, other: "OwnNetwork") -> PyTree:
        return state

    def step(self, params: PyTree, space: PyTree, state: PyTree, fold: Fold, batch: tuple, count: Array) -> PyTree:
        key = jax.random.fold_in(fold.key, count)
        new = _arrays("step", self.network.step(key, params, state, (fold.features.transform(batch[0]), batch[1])))
        _check_alike(state, new)
        return new

    def finite(self, state: PyTree) -> Array:
        """Whether no number is NaN, `[]` bool; infinity may be meant, e.g. as the best loss before there was one."""
        reals = [leaf for leaf in jax.tree.leaves(state) if jnp.issubdtype(leaf.dtype, jnp.inexact)]
        return ~jnp.any(jnp.array([jnp.any(jnp.isnan(leaf)) for leaf in reals], bool))

    def measure(self, params: PyTree, space: PyTree, state: PyTree, fold: Fold, x: Array, y: Array) -> Array:
        loss = self.network.loss(params, state, (fold.features.transform(x), y))
        if not _is_real_number(loss):
            raise ValueError(f"loss must return one real number for a batch; got {_kind(loss)}. Use e.g. jnp.mean.")
        return jnp.asarray(loss, jnp.result_type(float))


def check_own(network: Network, smaller: tuple, space: dict, key: Key, batch: tuple[HostArray, ...]) -> None:
    """Raises ValueError for arguments of `Training` that a network of the user's makes nothing of.

    batch: as `step` gets it.
    """
    if smaller:
        raise ValueError(f"smaller must be empty for a Network, which has one size; got {smaller!r}. Leave it out.")
    if "batch_size" not in space:
        return

    def step(batch_size: Array, others: dict, key: Key, batch: tuple) -> PyTree:
        params = others | {"batch_size": batch_size}
        key_init, key_step = jax.random.split(key)
        return network.step(key_step, params, network.init(key_init, params), batch)

    middle = jax.ShapeDtypeStruct((codec.domain(space).size,), jnp.result_type(float))
    params = jax.eval_shape(lambda x: numbers(space, codec.decode(space, x)), middle)
    jaxpr = jax.make_jaxpr(step)(params.pop("batch_size"), params, key, batch).jaxpr
    if not any(jaxpr.invars[0] is value for eqn in jaxpr.eqns for value in eqn.invars):
        rows = len(batch[0])
        raise ValueError(
            f"With batch_size in the space, every batch has {rows} rows and step must gather as many as a candidate "
            f"wants; this one does not read batch_size. Use optax.MultiSteps, every params['batch_size'] // {rows}."
        )


def _is_array(leaf: Any) -> bool:
    return isinstance(leaf, jax.Array | np.ndarray | np.generic | bool | int | float | complex)


def _is_real_number(leaf: Any) -> bool:
    kinds = (jnp.bool_, jnp.integer, jnp.floating)
    return _is_array(leaf) and np.ndim(leaf) == 0 and any(jnp.issubdtype(jnp.result_type(leaf), kind) for kind in kinds)


def _kind(leaf: Any) -> str:
    return f"{leaf.dtype}{list(leaf.shape)}" if isinstance(leaf, jax.Array | np.ndarray) else repr(leaf)


def _arrays(name: str, state: PyTree) -> PyTree:
    """The state with arrays of a dtype of their own for numbers, whose dtype would follow what they meet."""
    for path, leaf in jax.tree_util.tree_leaves_with_path(state):
        if not _is_array(leaf):
            raise ValueError(
                f"{name} must return a state of arrays; state{jax.tree_util.keystr(path)} is {leaf!r}. "
                "Keep it out of the state, e.g. with equinox.partition or flax.nnx.split."
            )
    return jax.tree.map(lambda leaf: jnp.asarray(leaf, jnp.asarray(leaf).dtype), state)


def _check_alike(old: PyTree, new: PyTree) -> None:
    """Raises ValueError, with the first difference, unless both states have the same tree, shapes and dtypes."""
    before, after = (
        {f"state{jax.tree_util.keystr(path)}": _kind(leaf) for path, leaf in jax.tree_util.tree_leaves_with_path(state)}
        for state in (old, new)
    )
    rule = "step must return a state like the one that it got"
    for name in [*before, *after]:
        was, now = before.get(name, "not there"), after.get(name, "not there")
        if was != now:
            raise ValueError(f"{rule}; {name} was {was} and is now {now}. Keep names, shapes and dtypes as in init.")
    if jax.tree.structure(old) != jax.tree.structure(new):
        trees = f"{jax.tree.structure(old)} and is now {jax.tree.structure(new)}"
        raise ValueError(f"{rule}; the tree was {trees}. Build it as init does.")
