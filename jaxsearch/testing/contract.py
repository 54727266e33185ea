"""The checks of the strategy contract, run over the registry by our tests and open to third parties."""

import functools
import inspect
import pickle
from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import AxisType, Mesh, NamedSharding, PartitionSpec

from jaxsearch.core.protocols import Strategy, needs_gradients
from jaxsearch.core.types import Array, Domain, Key, PyTree
from jaxsearch.testing.domains import MIXED
from jaxsearch.testing.runs import Run, losses, run

GENERATIONS = 50
_traces: list[Strategy] = []


@functools.partial(jax.jit, static_argnames="domain")
def _compiled(strategy: Strategy, key: Key, domain: Domain, bad: float, bad_generations: int, kink: float) -> Run:
    _traces.append(strategy)
    return run(strategy, key, domain, GENERATIONS, bad, bad_generations, kink)


def _alone(
    strategy: Strategy, seed: int | Key, domain: Domain, bad: float = 0.0, bad_generations: int = 0, kink: float = 1.0
) -> Run:
    """One run; all of a strategy on a domain are one program, which serves most of the checks."""
    key = jax.random.key(seed) if isinstance(seed, int) else seed
    return _compiled(strategy, key, domain, bad, bad_generations, kink)


def _equal(a: PyTree, b: PyTree, what: str) -> None:
    assert jax.tree.structure(a) == jax.tree.structure(b), f"{what}: the structures differ"
    for one, other in zip(jax.tree.leaves(a), jax.tree.leaves(b), strict=True):
        np.testing.assert_array_equal(np.asarray(one), np.asarray(other), err_msg=what)


def signatures(strategy: Strategy, domain: Domain = MIXED) -> None:
    """The first parameters of the three methods are those of the contract."""
    expected = {"init": ["key", "domain"], "ask": ["key", "state"], "tell": ["state", "candidates", "results"]}
    for name, first in expected.items():
        found = list(inspect.signature(getattr(strategy, name)).parameters)[: len(first)]
        assert found == first, f"{name} must start with {first}; it starts with {found}"


def state_is_a_fixed_point(strategy: Strategy, domain: Domain = MIXED) -> None:
    """Shapes, dtypes and strength of types of the state survive a generation, so everything compiles once."""

    def generation(key: Key) -> tuple[PyTree, PyTree]:
        key_init, key_ask = jax.random.split(key)
        before = strategy.init(key_init, domain)
        candidates, state = strategy.ask(key_ask, before)
        return before, strategy.tell(state, candidates, losses(candidates.x, domain))

    before, after = jax.eval_shape(generation, jax.random.key(0))
    structures = jax.tree.structure(before), jax.tree.structure(after)
    assert structures[0] == structures[1], f"the structure {structures[0]} became {structures[1]}"
    leaves = zip(jax.tree_util.tree_leaves_with_path(before), jax.tree.leaves(after), strict=True)
    for (path, leaf), later in leaves:
        name = f"state{jax.tree_util.keystr(path)}"
        assert not leaf.weak_type, f"{name} is weakly typed and would compile twice: {leaf}. Give it a dtype."
        assert leaf == later, f"{name} must keep its shape, dtype and strength; {leaf} became {later}"
        if jnp.issubdtype(leaf.dtype, jnp.floating):
            assert leaf.dtype == jnp.result_type(float), f"{name} must have the default dtype of floats; got {leaf}"


def candidates_in_the_cube(strategy: Strategy, domain: Domain = MIXED) -> None:
    """Fifty generations of `[P, D]` points, all entries in [0, 1]."""
    _check_cube(_alone(strategy, 1, domain).x, domain)


def _check_cube(x: Array, domain: Domain) -> None:
    assert x.shape == (GENERATIONS, x.shape[1], domain.size)
    assert x.dtype == jnp.result_type(float)
    points = np.asarray(x)
    assert np.all((points >= 0) & (points <= 1)), "a candidate left the unit cube"


def state_without_nan(strategy: Strategy, domain: Domain = MIXED) -> None:
    """Fifty generations of finite losses leave no NaN in the state."""
    for leaf in jax.tree.leaves(_alone(strategy, 1, domain).state):
        if jnp.issubdtype(leaf.dtype, jnp.floating):
            assert not np.any(np.isnan(np.asarray(leaf))), f"a NaN in the state: {leaf}"


def compiles_once(strategy: Strategy, domain: Domain = MIXED) -> None:
    """Other hyperparameters and keys run the same program."""
    traces = []
    for scale in (1.0, 0.9, 0.8):
        scaled = jax.tree.map(lambda leaf: leaf * scale, strategy)  # noqa: B023  # used at once
        _alone(scaled, int(scale * 10), domain)
        traces.append(len(_traces))
    assert len(set(traces)) == 1, "other values of the hyperparameters were traced anew"


def tell_is_pure(strategy: Strategy, domain: Domain = MIXED) -> None:
    """Telling the same results twice gives the same state: a log rebuilds it."""
    assert _alone(strategy, 1, domain).pure, "the second tell gave another state"


def survives_failures(strategy: Strategy, domain: Domain = MIXED) -> None:
    """After generations in which everything is +inf or NaN, a strategy still finds one of the best tenth of points."""
    for bad in (float("inf"), float("nan")):
        found = _alone(strategy, 5, domain, bad, 5)
        _check_cube(found.x, domain)
        assert np.asarray(found.loss)[5:].min() <= _best_tenth(domain), f"learned nothing after generations of {bad}"


@functools.cache
def _best_tenth(domain: Domain) -> float:
    """The loss that a tenth of all points do not exceed."""
    anywhere = jax.random.uniform(jax.random.key(0), (1000, domain.size))
    return float(jnp.quantile(jax.jit(losses, static_argnums=1)(anywhere, domain).loss, 0.1))


def only_compares(strategy: Strategy, domain: Domain = MIXED) -> None:
    """A monotone change of the losses changes no candidate, bit for bit, unless the strategy needs gradients too."""
    if not needs_gradients(strategy, domain):
        plain, bent = (_alone(strategy, 6, domain, kink=kink).x for kink in (1.0, 64.0))
        _equal(plain, bent, "candidates under a monotone change")


@functools.partial(jax.jit, static_argnames="domain")
def _three_generations(strategy: Strategy, keys: Key, domain: Domain) -> Array:
    return jax.vmap(lambda key: run(strategy, key, domain, 3).x)(keys)


def _together(strategy: Strategy, domain: Domain) -> tuple[Mesh, Key, Array]:
    """A mesh of all devices, a key for each, and the candidates `[devices, 3, P, D]` of runs under `vmap` over them."""
    mesh = jax.make_mesh((jax.device_count(),), ("runs",), axis_types=(AxisType.Auto,))
    keys = jax.random.split(jax.random.key(7), jax.device_count())
    spread = jax.device_put(keys, NamedSharding(mesh, PartitionSpec("runs")))
    return mesh, keys, _three_generations(strategy, spread, domain)


def together_as_alone(strategy: Strategy, domain: Domain = MIXED) -> None:
    """Runs under `vmap` over keys, spread over all devices, are the runs one by one, up to rounding."""
    _, keys, together = _together(strategy, domain)
    for i in range(min(3, len(keys))):
        alone = np.asarray(_alone(strategy, keys[i], domain).x)[:3]
        np.testing.assert_allclose(together[i], alone, rtol=1e-4, atol=1e-5)


def runs_in_shard_map(strategy: Strategy, domain: Domain = MIXED) -> None:
    """Independent runs, one per device of a mesh, with JAX's check of varying types on."""
    mesh, keys, together = _together(strategy, domain)
    spec = PartitionSpec("runs")

    def one(keys: Key) -> Array:
        return run(strategy, keys[0], domain, 3).x[None]

    mapped = jax.jit(jax.shard_map(one, mesh=mesh, in_specs=spec, out_specs=spec, check_vma=True))
    np.testing.assert_allclose(mapped(keys), together, rtol=1e-4, atol=1e-5)


def runs_under_strict_promotion(strategy: Strategy, domain: Domain = MIXED) -> None:
    """No step mixes integers, floats and booleans: `jax.numpy_dtype_promotion("strict")` passes."""
    with jax.numpy_dtype_promotion("strict"):
        jax.eval_shape(lambda key: run(strategy, key, domain, 2).state, jax.random.key(0))


def state_can_be_donated(strategy: Strategy, domain: Domain = MIXED) -> None:
    """A state made outside of `jit` holds no buffer twice, so that the next one may use its memory."""
    state = strategy.init(jax.random.key(0), domain)

    def twice(leaf: Array) -> Array:
        return leaf | leaf if leaf.dtype == bool else leaf + leaf

    try:
        jax.jit(lambda state: jax.tree.map(twice, state), donate_argnums=0)(state)
    except (ValueError, jax.errors.JaxRuntimeError) as error:
        raise AssertionError(f"the state that init made cannot be donated: {error}") from error


def hyperparameters_have_gradients(strategy: Strategy, domain: Domain = MIXED) -> None:
    """The derivative by every hyperparameter is finite; in 64 bits it is that of differences.

    Of the mean losses of fifty generations it must be finite, of those of the first four it is compared:
    later the slightest change makes another run.
    """
    leaves, structure = jax.tree.flatten(strategy)
    leaves = [jnp.asarray(leaf, jnp.result_type(float)) for leaf in leaves]
    if not leaves:
        return

    def total(leaves: list[Array], weights: Array) -> Array:
        strategy = structure.unflatten(leaves)
        key_init, key_run = jax.random.split(jax.random.key(8))

        def generation(state: PyTree, key: Key) -> tuple[PyTree, Array]:
            candidates, state = strategy.ask(key, state)
            results = losses(candidates.x, domain)
            return strategy.tell(state, candidates, results), jnp.mean(results.loss)

        keys = jax.random.split(key_run, GENERATIONS)
        return jnp.sum(weights * jax.lax.scan(generation, strategy.init(key_init, domain), keys)[1])

    slopes = jax.jit(jax.grad(total))
    every = jnp.ones(GENERATIONS)
    names = [jax.tree_util.keystr(path) for path, _ in jax.tree_util.tree_leaves_with_path(strategy)]
    for name, slope in zip(names, slopes(leaves, every), strict=True):
        assert np.all(np.isfinite(slope)), f"the derivative by {name} is {slope}"
    if jnp.result_type(float) != jnp.float64:
        return
    value, first = jax.jit(total), every.at[4:].set(0)
    for place, (name, slope) in enumerate(zip(names, slopes(leaves, first), strict=True)):
        difference = []
        for step in (1e-6, 2.5e-7):
            sides = [[*leaves[:place], leaves[place] + side * step, *leaves[place + 1 :]] for side in (1, -1)]
            above, below = (float(value(moved, first)) for moved in sides)
            difference.append((above - below) / (2 * step))
        # Where the two differ, the loss is not smooth, or the step chose another candidate.
        room = 1e-4 * max(1, abs(difference[1])) + 4 * abs(difference[0] - difference[1])
        found = float(jnp.sum(slope))
        assert abs(found - difference[1]) <= room, f"by {name}: {found}; differences: {difference}"


def is_plain_data(strategy: Strategy, domain: Domain = MIXED) -> None:
    """A strategy survives pickling and `jax.tree.map`."""
    _equal(strategy, pickle.loads(pickle.dumps(strategy)), "pickling changed the strategy")
    _equal(strategy, jax.tree.map(lambda leaf: leaf, strategy), "jax.tree.map changed the strategy")


CHECKS: tuple[Callable[..., None], ...] = (
    signatures,
    state_is_a_fixed_point,
    candidates_in_the_cube,
    state_without_nan,
    compiles_once,
    tell_is_pure,
    survives_failures,
    only_compares,
    together_as_alone,
    runs_in_shard_map,
    runs_under_strict_promotion,
    state_can_be_donated,
    hyperparameters_have_gradients,
    is_plain_data,
)
