"""JAX's check for reused keys finds nothing: tracing is enough for it, so nothing is compiled here."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxsearch as js
from jaxsearch.core import random
from jaxsearch.core.protocols import needs_gradients
from jaxsearch.strategies import registry

pytestmark = pytest.mark.usefixtures("keys_are_used_once")
IMPLEMENTATIONS = ["threefry2x32", "rbg"]
SPACE = {
    "x": js.Float(-1, 1, shape=(2,)),
    "n": js.Int(0, 5),
    "c": js.Choice("a", "b", "c"),
}
MAKES = {
    **registry,
    "sobol": functools.partial(js.RandomSearch, sobol=True),
    "sphere": functools.partial(js.PSO, update="sphere"),
    "seeded": lambda: js.Seeded(js.GA(), np.full((3, 4), 0.25)),
    "restart": lambda: js.Restart(js.CMAES()),
    "finite_differences": lambda: js.FiniteDifferences(js.GradientSearch()),
}


def bowl(key, params):
    noise = jax.random.normal(key, (), jnp.result_type(float))
    return jnp.sum(params["x"] ** 2) + params["n"] + params["c"] + noise


def trace(function, *arguments):
    jax.eval_shape(function, *arguments)


CASES = [(name, "threefry2x32") for name in MAKES] + [(name, "rbg") for name in ("random_search", "pso", "restart")]


@pytest.mark.parametrize(("name", "implementation"), CASES)
def test_searches(name, implementation):
    strategy, keys = MAKES[name](), jax.random.split(jax.random.key(0, impl=implementation), 3)
    evaluator = js.Vectorized(bowl, gradients=needs_gradients(strategy, js.domain(SPACE)))
    target = 0.1 if name == "ga" else None

    def run(key):
        return js.minimize(evaluator, SPACE, strategy, key=key, num_generations=3, target=target).loss

    trace(jax.vmap(run), keys)  # traces it alone, too


@pytest.mark.parametrize("implementation", IMPLEMENTATIONS)
def test_searches_from_the_host_and_comparisons(implementation):
    key = jax.random.key(0, impl=implementation)
    found = js.search(bowl, SPACE, "ga", key=key, num_generations=2, progress=False)
    assert int(found.num_evaluations) == 16
    with pytest.raises(jax.errors.KeyReuseError):
        js.search(bowl, SPACE, "ga", key=key, num_generations=2, progress=False)
    fresh = jax.random.key(1, impl=implementation)
    js.compare(bowl, SPACE, ["ga", "random_search"], key=fresh, num_seeds=2, max_evaluations=32)


def own():
    """A network of the user's, which draws from both of its keys."""

    def init(key, params):
        return jax.random.normal(key, (3,))

    def step(key, params, state, batch):
        return state - params["rate"] * jax.random.normal(key, (3,))

    def loss(params, state, batch):
        return jnp.mean((batch[0] @ state - batch[1]) ** 2)

    return js.models.Network(init, step, loss)


X = np.random.default_rng(0).normal(size=(24, 3)).astype(np.float32)
Y = (X[:, 0] > 0).astype(np.int32)


@pytest.mark.parametrize(
    ("wrap", "strategy"), [(functools.partial(js.Halving, num_rungs=2), js.GA(4)), (js.Continued, js.PBT(4))]
)
def test_trainings(wrap, strategy):
    model = js.models.MLP(3, 2, max_layers=1, max_width=8)
    space = model.space()
    evaluator = wrap(js.Training(model, (X, Y), folds=2, epochs=4, chunk_size=2))
    trace(lambda key: js.minimize(evaluator, space, strategy, key=key, num_generations=3).loss, jax.random.key(0))


def test_a_network_of_the_users():
    space = {"rate": js.Float(0, 1)}
    training = js.Training(own(), (X, Y), folds=2, epochs=4, chunk_size=2)
    trace(lambda key: js.minimize(training, space, js.GA(4), key=key, num_generations=3).loss, jax.random.key(0))
    trace(lambda key: js.retrain(training, key, space, {"rate": 0.5}).loss, jax.random.key(0))
    trace(lambda key: js.fit(training, key, space, {"rate": 0.5}).weights, jax.random.key(0))


@pytest.mark.parametrize("straight_through", [False, True])
def test_relaxed_cells(straight_through):
    model = js.models.CellNet(3, 2)
    training = js.Training(model, (X, Y), metric="cross_entropy", folds=1, epochs=4)
    params = js.sample(jax.random.key(0), model.space())

    def run(key):
        found = js.relax(training, model.space(), params, key=key, straight_through=straight_through)
        return found.logits

    trace(run, jax.random.key(1))


@pytest.mark.parametrize("implementation", IMPLEMENTATIONS)
@pytest.mark.parametrize("draw", [random.bits, random.uniform, random.normal, random.uniforms])
def test_a_key_that_is_used_twice_is_seen(draw, implementation):
    def twice(key):
        return draw(key, (3,)), draw(key, (2,))

    def later(key):  # two blocks of one draw
        return draw(key, (3,)), random.bits(key, (2,), start=3)

    key = jax.random.key(0, impl=implementation)
    trace(jax.jit(later), jax.random.clone(key))
    with pytest.raises(jax.errors.KeyReuseError):
        trace(jax.jit(twice), key)
