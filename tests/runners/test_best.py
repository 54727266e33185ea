"""What the runners keep of the best candidate, and what they compare candidates by."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.sharding import Mesh, PartitionSpec

import jaxsearch as js

SPACE = js.Float(0, 1, shape=(2,))
STRATEGY = js.GA(population_size=8)


@js.core.pytree.pytree
class Measures:
    """Losses with facts beside them; compared by the loss plus a handicap for small x, if there is one."""

    handicap: float | None = None

    def init(self, key, space, count):
        return None

    def evaluate(self, key, state, space, candidates):
        x = candidates.x
        loss = jnp.sum((x - 0.3) ** 2, axis=1)
        aux = {
            "x": x,
            "number": jnp.arange(len(x), dtype=jnp.int32),
            "key": jax.random.split(key, len(x)),
            "right": x[:, 0] > 0.3,
        }
        adjusted = None if self.handicap is None else loss + jnp.where(x[:, 0] < 0.5, self.handicap, 0)
        return js.Results(loss, aux=aux, adjusted_loss=adjusted), state


def run(evaluator, key, num_generations=4):
    return js.minimize(evaluator, SPACE, STRATEGY, key=key, num_generations=num_generations)


def test_the_result_has_what_the_evaluator_adds_about_the_best(compilations):
    key = jax.random.key(0)
    result = js.search(Measures(), SPACE, STRATEGY, key=key, num_generations=4)
    best = int(np.argmin(result.archive.loss))
    np.testing.assert_array_equal(result.aux["x"], result.x)
    for name in ("x", "number", "right"):
        np.testing.assert_array_equal(result.aux[name], result.archive.aux[name][best])
    np.testing.assert_array_equal(jax.random.key_data(result.aux["key"]), result.archive.aux["key"][best])
    compilations()
    js.search(Measures(), SPACE, STRATEGY, key=jax.random.key(1), num_generations=4)
    assert compilations() == 0
    same = run(Measures(), key)
    assert int(same.aux["number"]) == int(result.aux["number"])
    np.testing.assert_array_equal(same.aux["x"], same.x)


def test_a_plain_objective_adds_nothing_and_is_traced_once():
    traces = []

    def objective(key, x):
        traces.append(x)
        return jnp.sum(x**2)

    assert js.minimize(objective, SPACE, STRATEGY, key=jax.random.key(0), num_generations=3).aux is None
    assert len(traces) == 1


def test_before_the_first_success_nothing_is_known():
    never = js.minimize(Failing(), SPACE, STRATEGY, key=jax.random.key(0), num_generations=2)
    assert np.isnan(never.aux["folds"]).all()
    assert int(never.aux["epochs"]) == 0


@js.core.pytree.pytree
class Failing:
    def init(self, key, space, count):
        return None

    def evaluate(self, key, state, space, candidates):
        folds = jnp.zeros((len(candidates.x), 3))
        aux = {"folds": folds, "epochs": jnp.full(len(folds), 7)}
        return js.Results(jnp.full(len(folds), jnp.nan), aux=aux), state


def test_the_adjusted_loss_decides_and_the_loss_is_what_was_measured():
    result = js.search(Measures(handicap=1.0), SPACE, STRATEGY, key=jax.random.key(0), num_generations=5)
    archive = result.archive
    best = int(np.argmin(archive.adjusted_loss))
    assert float(result.x[0]) >= 0.5 > archive.x[np.argmin(archive.loss), 0]
    assert float(result.loss) == archive.loss[best] > archive.loss.min()
    np.testing.assert_array_equal(archive.compared, archive.adjusted_loss)
    np.testing.assert_array_equal(result.trials()["adjusted_loss"], archive.adjusted_loss)
    # PBT keeps what it was told last.
    told = js.search(Measures(handicap=1.0), SPACE, js.PBT(population_size=8), key=jax.random.key(0), num_generations=2)
    np.testing.assert_array_equal(told.state.loss, told.archive.adjusted_loss[8:])
    plain = js.search(Measures(), SPACE, STRATEGY, key=jax.random.key(0), num_generations=5)
    assert plain.archive.adjusted_loss is None
    assert "adjusted_loss" not in plain.trials()


def test_an_infinite_adjusted_loss_does_not_win():
    results = js.Results(jnp.array([0.0, 1.0]), adjusted_loss=jnp.array([-jnp.inf, 1.0]))
    np.testing.assert_array_equal(results.compared, [-np.inf, 1.0])
    result = run(Measures(handicap=-np.inf), jax.random.key(0))
    assert float(result.x[0]) >= 0.5


def test_under_vmap_and_in_shard_map():
    keys = jax.random.split(jax.random.key(0), 4)
    together = jax.vmap(lambda key: run(Measures(1.0), key))(keys)
    apart = jax.jit(
        jax.shard_map(
            lambda keys: jax.vmap(lambda key: run(Measures(1.0), key).aux["x"])(keys),
            mesh=Mesh(jax.devices()[:2], "seeds"),
            in_specs=PartitionSpec("seeds"),
            out_specs=PartitionSpec("seeds"),
        )
    )(keys)
    np.testing.assert_allclose(together.aux["x"], together.x)
    np.testing.assert_allclose(apart, together.x, rtol=1e-5)


@js.core.pytree.pytree
class WithoutRows:
    def init(self, key, space, count):
        return None

    def evaluate(self, key, state, space, candidates):
        return js.Results(candidates.x[:, 0], aux={"mean": jnp.mean(candidates.x)}), state


def test_aux_without_a_row_for_each_candidate_is_refused():
    with pytest.raises(ValueError, match=r"aux\['mean'\] has shape \(\). Repeat what all have in common"):
        run(WithoutRows(), jax.random.key(0))
