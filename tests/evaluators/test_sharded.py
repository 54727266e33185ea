import functools
import re

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.sharding import AxisType, Mesh

import jaxsearch as js

SPACE = {"x": js.Float(-5.0, 5.0, shape=(3,)), "c": js.Choice("a", "b", "c")}
DEVICES = 8
SIZE = 80  # DE's archive of 1.4 P rows, too, is a multiple of the number of devices
SWARM = js.PSO(SIZE)
ARGUMENTS = js.Float(-5.0, 5.0, shape=(3,)), SWARM

# Strategies, and the leaves of their states that have a row per candidate.
STRATEGIES = {
    "random_search": (js.RandomSearch(SIZE), ""),
    "pso": (SWARM, "x velocity best_x best_loss informants rate"),
    "sphere": (js.PSO(SIZE, update="sphere"), "x velocity best_x best_loss informants"),
    "de": (js.DE(SIZE), "x loss archive weight rate"),
    "ga": (js.GA(SIZE), "x loss"),
    "cmaes": (js.CMAES(SIZE), "sample y values loss outside"),
    "sep_cmaes": (js.SepCMAES(SIZE), "sample y values loss outside"),
}
SUMS = {"de", "cmaes", "sep_cmaes"}  # the strategies that sum over the population


def bowl(key, params):
    return jnp.sum((params["x"] - 1) ** 2) + params["c"] + 0.1 * jax.random.uniform(key)


def run(evaluator, strategy, **kwargs):
    return js.minimize(evaluator, SPACE, strategy, key=jax.random.key(0), **({"num_generations": 5} | kwargs))


@pytest.fixture(scope="module")
def alone():
    return run(bowl, SWARM)


def rows(leaf):
    """The number of rows of a leaf on every device."""
    (count,) = {shard.data.shape[0] for shard in leaf.addressable_shards}
    return count


@pytest.mark.parametrize("name", STRATEGIES)
def test_the_state_is_spread_and_the_numbers_are_those_of_one_device(name):
    strategy, large = STRATEGIES[name]
    record = lambda generation: (generation.best.loss, generation.candidates.x)  # noqa: E731
    alone, spread = run(bowl, strategy, record=record), run(js.Sharded(bowl), strategy, record=record)
    assert spread.loss.sharding.num_devices == DEVICES
    assert spread.loss.sharding.is_fully_replicated
    assert spread.history[1].addressable_shards[0].data.shape[1] == SIZE // DEVICES
    for field in large.split():
        leaf = getattr(spread.state, field)
        assert rows(leaf) == len(leaf) // DEVICES, field
    tolerance = 1e-4 if name in SUMS else 0
    for one, other in zip(jax.tree.leaves(alone.history), jax.tree.leaves(spread.history), strict=True):
        np.testing.assert_allclose(other, one, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("devices", [1, 2, 4])
def test_the_number_of_devices_changes_nothing(devices, alone):
    result = run(js.Sharded(bowl, Mesh(jax.devices()[:devices], "population")), SWARM)
    assert rows(result.state.x) == SIZE // devices
    np.testing.assert_array_equal(result.history, alone.history)


def test_a_population_need_not_divide():
    np.testing.assert_array_equal(run(js.Sharded(bowl), js.PSO(13)).history, run(bowl, js.PSO(13)).history)


def test_axes_of_a_mesh_of_any_kind(alone):
    mesh = jax.make_mesh((2, 4), ("host", "device"), axis_types=(AxisType.Explicit,) * 2)
    for axis, shards in (("device", 4), (("host", "device"), 8)):
        result = run(js.Sharded(bowl, mesh, axis), SWARM)
        assert rows(result.state.x) == SIZE // shards
        np.testing.assert_array_equal(result.history, alone.history)


def test_chunks_have_rows_of_every_device(alone):
    evaluator = js.Sharded(js.Chunked(bowl, 16))
    np.testing.assert_array_equal(run(evaluator, SWARM).history, alone.history)

    def wave(key, params):
        return jnp.sum(jnp.sin(params))

    search = jax.jit(lambda key: js.minimize(js.Sharded(js.Chunked(wave, 16)), *ARGUMENTS, key=key, num_generations=2))
    assert re.search(r"f32\[2,3\]\S* sine\(", search.lower(jax.random.key(0)).compile().as_text())


def test_the_population_stays_where_it_is():
    search = jax.jit(
        lambda key: js.minimize(js.Sharded(bowl), SPACE, js.RandomSearch(SIZE), key=key, num_generations=2)
    )
    text = search.lower(jax.random.key(0)).compile().as_text()
    assert re.search(r"f32\[10,\d\]", text)
    assert not re.search(r"f32\[80,\d\]", text), "some device holds all points"


def test_other_evaluators_and_runners(alone):
    spread = js.Sharded(bowl)
    assert float(run(spread, SWARM, num_generations=50, target=0.5).loss) <= 0.5
    np.testing.assert_array_equal(
        js.search(spread, SPACE, SWARM, key=jax.random.key(0), num_generations=5).history, alone.history
    )
    losses = jax.vmap(lambda key: js.minimize(spread, SPACE, SWARM, key=key, num_generations=5).loss)(
        jax.random.key(0)[None]
    )
    np.testing.assert_allclose(losses[0], alone.loss, rtol=1e-5)
    called = run(js.Sharded(js.Callback(lambda params: sum(params["x"]))), SWARM)
    assert float(called.loss) == pytest.approx(sum(js.describe(SPACE, called.params)["x"]), rel=1e-5)


def test_networks_are_trained_on_all_devices():
    x = jax.random.normal(jax.random.key(0), (40, 2))
    model = js.models.MLP(num_features=2, num_outputs=2, max_layers=1, max_width=8)
    training = js.Training(model, data=(x, (x[:, 0] > 0).astype(int)), metric="error", folds=2, epochs=1)
    go = functools.partial(
        js.minimize, space=model.space(), strategy=js.GA(16), key=jax.random.key(0), num_generations=2
    )
    np.testing.assert_allclose(go(js.Sharded(training)).history, go(training).history, rtol=1e-5)


@pytest.mark.parametrize("wrap", [js.Sharded, lambda training: js.Halving(js.Sharded(training), num_rungs=2)])
def test_a_search_of_networks_compiles_once(wrap, caplog):
    x = jax.random.normal(jax.random.key(0), (40, 2))
    model = js.models.MLP(num_features=2, num_outputs=2, max_layers=1, max_width=8)
    evaluator = wrap(js.Training(model, data=(x, (x[:, 0] > 0).astype(int)), folds=2, epochs=4))
    strategy = js.GA(11)  # which the devices do not divide
    with jax.log_compiles():
        result = js.search(evaluator, model.space(), strategy, key=jax.random.key(0), num_generations=3, progress=False)
    assert len(re.findall(r"Compiling jit\(advance\)", caplog.text)) == 1
    assert float(result.loss) < 0.5


def test_mistakes():
    with pytest.raises(ValueError, match=r"must name axes of the mesh, \('rows',\); got 'population'. Try axis='rows'"):
        js.Sharded(bowl, Mesh(jax.devices(), "rows"))
    with pytest.raises(ValueError, match="got 'rows'. Try axis='population'"):
        js.Sharded(bowl, axis="rows")
    with pytest.raises(ValueError, match="An objective must be a function"):
        js.Sharded(3.0)
