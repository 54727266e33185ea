"""The checks of the strategy contract, run over the registry by our tests and open to third parties."""

import inspect
import pickle
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import AxisType, NamedSharding, PartitionSpec

from jaxsearch.core.protocols import Strategy
from jaxsearch.core.types import Array, Domain, Key, PyTree
from jaxsearch.testing.runs import MIXED, SINGLE, losses, run

_run = jax.jit(run, static_argnames=("domain", "num_generations"))


def _history(strategy: Strategy, seed: int, bad: float = 0.0, bad_generations: int = 0, kink: float = 1.0) -> Array:
    """The candidates `[50, P, D]` of a run on the mixed domain; one program serves most of the checks."""
    return _run(strategy, jax.random.key(seed), MIXED, 50, bad, bad_generations, kink)[1].x


def _spread(strategy: Strategy) -> tuple[Key, Array]:
    """One key per device, and the candidates `[devices, 3, P, D]` of a run with each, under `vmap` on one device."""
    keys = jax.random.split(jax.random.key(7), jax.device_count())
    return keys, _three_generations(strategy, keys)


@jax.jit
def _three_generations(strategy: Strategy, keys: Key) -> Array:
    return jax.vmap(lambda key: run(strategy, key, num_generations=3)[1].x)(keys)


def _equal(a: PyTree, b: PyTree, what: str) -> None:
    assert jax.tree.structure(a) == jax.tree.structure(b), f"{what}: the structures differ"
    for one, other in zip(jax.tree.leaves(a), jax.tree.leaves(b), strict=True):
        np.testing.assert_array_equal(np.asarray(one), np.asarray(other), err_msg=what)


def signatures(strategy: Strategy) -> None:
    """The first parameters of the three methods are those of the contract."""
    expected = {"init": ["key", "domain"], "ask": ["key", "state"], "tell": ["state", "candidates", "results"]}
    for name, first in expected.items():
        found = list(inspect.signature(getattr(strategy, name)).parameters)[: len(first)]
        assert found == first, f"{name} must start with {first}; it starts with {found}"


def state_is_a_fixed_point(strategy: Strategy) -> None:
    """Shapes, dtypes and strength of types of the state survive a generation, so everything compiles once."""

    def generation(key: Key) -> tuple[PyTree, PyTree]:
        before = strategy.init(key, MIXED)
        candidates, state = strategy.ask(key, before)
        return before, strategy.tell(state, candidates, losses(candidates.x, MIXED))

    before, after = jax.eval_shape(generation, jax.random.key(0))
    same = jax.tree.structure(before) == jax.tree.structure(after) and jax.tree.leaves(before) == jax.tree.leaves(after)
    assert same, f"{before} became {after}"
    for leaf in jax.tree.leaves(before):
        assert not leaf.weak_type, f"a weakly typed leaf would compile twice: {leaf}"
        if jnp.issubdtype(leaf.dtype, jnp.floating):
            assert leaf.dtype == jnp.result_type(float), f"floats must have the default dtype; got {leaf}"


def candidates_in_the_cube(strategy: Strategy) -> None:
    """Fifty generations of `[P, D]` points, all entries in [0, 1], on a mixed domain."""
    _check_cube(_history(strategy, 1), MIXED)


def one_dimension(strategy: Strategy) -> None:
    """The same on a line."""
    _check_cube(_run(strategy, jax.random.key(1), SINGLE, 50)[1].x, SINGLE)


def _check_cube(x: Array, domain: Domain) -> None:
    assert x.shape[2] == domain.size
    assert x.dtype == jnp.result_type(float)
    assert bool(jnp.all((x >= 0) & (x <= 1))), "a candidate left the unit cube"


def compiles_once(strategy: Strategy) -> None:
    """Other hyperparameters and keys run the same program."""
    traces = []

    @jax.jit
    def generation(strategy: Strategy, key: Key) -> PyTree:
        traces.append(None)
        return run(strategy, key, num_generations=2)[0]

    for scale in (1.0, 0.9, 0.8):
        scaled = jax.tree.map(lambda leaf: leaf * scale, strategy)  # noqa: B023  # used at once
        generation(scaled, jax.random.key(int(scale * 10)))
    assert len(traces) == 1, f"traced {len(traces)} times for three settings of the hyperparameters"


def vmap_equals_loop(strategy: Strategy) -> None:
    """Runs under `vmap` over keys are the runs one by one, up to rounding."""
    keys, together = _spread(strategy)
    alone = jnp.stack([_run(strategy, key, MIXED, 50)[1].x[:3] for key in keys[:3]])
    np.testing.assert_allclose(together[:3], alone, rtol=1e-4, atol=1e-5)


@jax.jit
def _tell_twice(strategy: Strategy, key: Key) -> tuple[PyTree, PyTree]:
    candidates, state = strategy.ask(key, strategy.init(key, MIXED))
    results = losses(candidates.x, MIXED)
    return strategy.tell(state, candidates, results), strategy.tell(state, candidates, results)


def tell_is_pure(strategy: Strategy) -> None:
    """Telling the same results twice gives the same state: a log rebuilds it."""
    once, again = _tell_twice(strategy, jax.random.key(3))
    _equal(once, again, "tell is not pure")


def survives_failures(strategy: Strategy) -> None:
    """Generations in which everything is +inf or NaN leave a strategy that still finds good points afterwards."""
    for bad in (float("inf"), float("nan")):
        x = _history(strategy, 5, bad, 5)
        _check_cube(x, MIXED)
        before, later = losses(x[:1], MIXED).loss.mean(), losses(x[5:], MIXED).loss.min()
        assert later < before, f"learned nothing after generations of {bad}"


def only_compares(strategy: Strategy) -> None:
    """A monotone change of the losses changes no candidate, bit for bit."""
    _equal(_history(strategy, 6), _history(strategy, 6, kink=64.0), "candidates under a monotone change")


def runs_in_shard_map(strategy: Strategy) -> None:
    """Independent runs, one per device of a mesh, with JAX's check of varying types on."""
    mesh = jax.make_mesh((jax.device_count(),), ("runs",), axis_types=(AxisType.Auto,))
    spec = PartitionSpec("runs")

    def one(keys: Key) -> Array:
        return run(strategy, keys[0], num_generations=3)[1].x[None]

    mapped = jax.jit(jax.shard_map(one, mesh=mesh, in_specs=spec, out_specs=spec, check_vma=True))
    keys, alone = _spread(strategy)
    np.testing.assert_allclose(mapped(keys), alone, rtol=1e-4, atol=1e-5)


def same_on_any_number_of_devices(strategy: Strategy) -> None:
    """Runs spread over all devices are those of one device."""
    mesh = jax.make_mesh((jax.device_count(),), ("runs",), axis_types=(AxisType.Auto,))
    keys, alone = _spread(strategy)
    spread = _three_generations(strategy, jax.device_put(keys, NamedSharding(mesh, PartitionSpec("runs"))))
    np.testing.assert_allclose(spread, alone, rtol=1e-4, atol=1e-5)


def is_plain_data(strategy: Strategy) -> None:
    """A strategy survives pickling and `jax.tree.map`."""
    _equal(strategy, pickle.loads(pickle.dumps(strategy)), "pickling changed the strategy")
    _equal(strategy, jax.tree.map(lambda leaf: leaf, strategy), "jax.tree.map changed the strategy")


CHECKS: tuple[Callable[[Any], None], ...] = (
    signatures,
    state_is_a_fixed_point,
    candidates_in_the_cube,
    one_dimension,
    compiles_once,
    vmap_equals_loop,
    tell_is_pure,
    survives_failures,
    only_compares,
    runs_in_shard_map,
    same_on_any_number_of_devices,
    is_plain_data,
)
