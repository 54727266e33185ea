import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.sharding import AxisType, PartitionSpec

import jaxsearch as js
from jaxsearch.core.pytree import pytree, static
from jaxsearch.runners.generation import advance, start
from jaxsearch.runners.minimize import checked
from jaxsearch.runners.result import result_of
from jaxsearch.strategies import registry

SPACE = {"x": js.Float(-5.0, 5.0, shape=(2,)), "c": js.Choice("a", "b", "c")}


def bowl(key, params):
    return jnp.sum((params["x"] - 1) ** 2) + params["c"]


run = functools.partial(js.minimize, bowl, SPACE, js.PSO(), num_generations=30)


def test_it_finds_the_minimum_and_counts_what_it_did():
    result = run(key=jax.random.key(0), num_generations=60)
    assert float(result.loss) < 1e-3
    assert js.describe(SPACE, result.params)["c"] == "a"
    decoded = jax.jit(functools.partial(js.decode, SPACE))(result.x)  # compiled as in the run: it rounds alike
    np.testing.assert_allclose(decoded["x"], result.params["x"])
    assert float(bowl(jax.random.key(0), result.params)) == pytest.approx(float(result.loss), abs=1e-6)
    assert int(result.num_generations) == 60
    assert int(result.num_evaluations) == 60 * 13
    assert int(result.num_failed) == 0
    history = np.asarray(result.history)
    assert history.shape == (60,)
    assert np.all(np.diff(history) <= 0)
    assert history[-1] == result.loss


def test_the_target_ends_the_loop_and_the_history_keeps_its_length():
    result = run(key=jax.random.key(0), num_generations=200, target=0.05)
    ran = int(result.num_generations)
    assert 1 <= ran < 200
    assert float(result.loss) <= 0.05
    history = np.asarray(result.history)
    assert history.shape == (200,)
    assert np.all(history[: ran - 1] > 0.05)
    assert np.all(history[ran - 1 :] == result.loss)
    np.testing.assert_array_equal(
        history[:ran], np.asarray(run(key=jax.random.key(0), num_generations=200).history)[:ran]
    )


def test_an_unreachable_target_changes_nothing():
    np.testing.assert_array_equal(run(key=jax.random.key(0), target=-1.0).history, run(key=jax.random.key(0)).history)


def test_other_hyperparameters_bounds_targets_and_keys_compile_nothing(compilations):
    def go(seed, strategy, low, high, target):
        space = {"x": js.Float(low, high, shape=(2,)), "c": js.Choice("a", "b", "c")}
        return jax.block_until_ready(
            js.minimize(bowl, space, strategy, key=keys[seed], num_generations=7, target=target)
        )

    keys = [jax.random.key(seed) for seed in range(3)]
    go(0, js.PSO(), -5.0, 5.0, 0.01)
    go(0, js.PSO(), -5.0, 5.0, None)
    assert compilations() > 0
    go(1, js.PSO(inertia=0.5, social=1), -1, 3, 0.5)
    go(2, js.PSO(inertia=np.float64(0.3), cognitive=2), -2, 3.5, None)
    assert compilations() == 0


@pytest.mark.parametrize(
    "number", [jnp.asarray, np.asarray, jnp.int32, np.int8, float], ids="jax numpy jax_int32 numpy_int8 python".split()
)
def test_numbers_of_no_type_compile_nothing(number, compilations):
    def go(one, two):
        space = {"x": js.Float(one, two, shape=(2,)), "c": js.Choice("a", "b", "c")}
        strategy = js.Restart(js.PSO(inertia=one, social=two), patience=5)
        return js.minimize(bowl, space, strategy, key=jax.random.key(0), num_generations=3, target=two).loss

    go(np.float32(1), np.float32(2))
    number(1), number(2)  # what it takes to make them
    compilations()
    go(number(1), number(2))
    assert compilations() == 0


def test_a_search_is_one_compilation(compilations):
    def fresh(key, params):  # a new objective, so that nothing is in the cache
        return jnp.sum(params["x"] ** 2) + 2.0 * params["c"]

    evaluator, key = js.Vectorized(fresh), jax.random.key(0)
    jax.clear_caches()  # as in a new process, so that operations outside the program would count, too
    compilations()
    js.minimize(evaluator, SPACE, js.GA(), key=key, num_generations=7)
    assert compilations() == 1


@pytest.mark.parametrize("target", [np.inf, jnp.inf])
def test_an_infinite_target_is_met_by_the_first_that_does_not_fail(target):
    assert int(run(key=jax.random.key(0), num_generations=5, target=target).num_generations) == 1
    settings = {"num_generations": 5, "target": target}
    found = js.search(bowl, SPACE, js.PSO(), key=jax.random.key(0), progress=False, **settings)
    assert found.stopped == "target"
    never = js.minimize(lambda key, p: jnp.nan, SPACE, js.PSO(), key=jax.random.key(0), **settings)
    assert int(never.num_generations) == 5


def test_counts_stay_at_the_most_that_they_can_be():
    parts, _ = checked(lambda key, p: jnp.nan, SPACE, js.PSO())
    evaluator, space, strategy = parts
    progress = start(jax.random.key(0), strategy, evaluator, space)
    progress = progress._replace(generation=jnp.array(2**31 // 13), num_failed=jnp.array(2**31 - 5))
    progress, _ = jax.jit(advance)(progress, strategy, evaluator, space)
    result = result_of(progress, space, 13, None)
    assert int(result.num_failed) == int(result.num_evaluations) == 2**31 - 1
    fewer = result_of(progress._replace(generation=jnp.array(2**31 // 13)), space, 13, None)
    assert int(fewer.num_evaluations) == 2**31 // 13 * 13


def test_under_jit_and_vmap_over_keys_and_hyperparameters():
    keys = jax.random.split(jax.random.key(0), 3)
    alone = [run(key=key).loss for key in keys]
    np.testing.assert_allclose(jax.jit(jax.vmap(lambda key: run(key=key).loss))(keys), alone, rtol=1e-3, atol=1e-6)
    inertia = jnp.array([0.2, 0.7])
    swarms = js.PSO(inertia=inertia, cognitive=jnp.ones(2), social=jnp.ones(2), crossover=jnp.ones(2))
    together = jax.vmap(lambda s: js.minimize(bowl, SPACE, s, key=jax.random.key(0), num_generations=9).loss)(swarms)
    for i in range(2):
        one = jnp.array(1.0)
        swarm = js.PSO(inertia=inertia[i], cognitive=one, social=one, crossover=one)
        single = js.minimize(bowl, SPACE, swarm, key=jax.random.key(0), num_generations=9).loss
        np.testing.assert_allclose(together[i], single, rtol=1e-3, atol=1e-6)


def test_vmap_with_a_target_stops_each_member_on_its_own():
    result = jax.vmap(lambda key: run(key=key, num_generations=100, target=0.1))(jax.random.split(jax.random.key(0), 8))
    assert np.all(np.asarray(result.loss) <= 0.1)
    assert len(set(np.asarray(result.num_generations).tolist())) > 1


def test_vmap_over_bounds_and_data():
    def distance(data, key, params):
        return (params["x"] - data) ** 2

    def best(high, data):
        space = {"x": js.Float(0.0, high)}
        objective = jax.tree_util.Partial(distance, data)
        return js.minimize(objective, space, js.GA(), key=jax.random.key(0), num_generations=25).params["x"]

    found = jax.vmap(best)(jnp.array([1.0, 10.0]), jnp.array([0.5, 20.0]))
    np.testing.assert_allclose(found, [0.5, 10.0], rtol=1e-2)


@pytest.mark.parametrize(
    ("make", "name", "value", "h"), [(js.PSO, "inertia", 0.7, 1e-3), (js.DE, "initial_weight", 0.5, 1e-4)]
)
def test_grad_through_a_hyperparameter(make, name, value, h):
    def final(value):
        return js.minimize(bowl, SPACE, make(**{name: value}), key=jax.random.key(0), num_generations=5).loss

    slope = float(jax.grad(final)(value))
    assert slope != 0
    assert slope == pytest.approx(float(final(value + h) - final(value - h)) / (2 * h), rel=0.05, abs=1e-3)


def test_inside_a_users_scan():
    def step(carry, key):
        return carry + run(key=key, num_generations=4).loss, None

    total, _ = jax.jit(lambda keys: jax.lax.scan(step, 0.0, keys))(jax.random.split(jax.random.key(0), 3))
    assert np.isfinite(total)


@pytest.mark.parametrize("target", [None, 0.1])
def test_in_shard_map(target):
    mesh = jax.make_mesh((jax.device_count(),), ("i",), axis_types=(AxisType.Auto,))
    spec = PartitionSpec("i")
    search = lambda keys: run(key=keys[0], num_generations=8, target=target).loss[None]  # noqa: E731
    keys = jax.random.split(jax.random.key(0), jax.device_count())
    losses = jax.jit(jax.shard_map(search, mesh=mesh, in_specs=spec, out_specs=spec, check_vma=True))(keys)
    alone = [run(key=key, num_generations=8, target=target).loss for key in keys]
    np.testing.assert_allclose(losses, alone, rtol=1e-3, atol=1e-6)


@pytest.mark.parametrize("name", registry)
def test_failures_are_counted_and_end_normally(name):
    def partly(key, params):
        return jnp.where(params["c"] == 0, jnp.nan, bowl(key, params))

    def never(key, params):
        return bowl(key, params) * jnp.nan

    def go(objective):
        evaluator = js.Vectorized(objective, gradients=name == "gradient_search")
        return js.minimize(
            evaluator, SPACE, registry[name](population_size=10), key=jax.random.key(0), num_generations=20
        )

    some, none = go(partly), go(never)
    assert np.isfinite(some.loss)
    assert 0 < int(some.num_failed) < 200
    assert js.describe(SPACE, some.params)["c"] != "a"
    assert np.isinf(none.loss)
    assert int(none.num_failed) == int(none.num_evaluations) == 200


def test_infeasible_candidates_do_not_win():
    class Constrained:
        def init(self, key, space, count):
            return None

        def evaluate(self, key, state, space, candidates):
            x = candidates.x[:, 0]
            return js.Results(x, violation=0.5 - x), state

    result = js.minimize(
        jax.tree_util.register_static(Constrained)(),
        js.Float(0, 1),
        js.RandomSearch(64),
        key=jax.random.key(0),
        num_generations=3,
    )
    assert 0.5 <= float(result.loss) < 0.6
    assert int(result.num_failed) == 0


def test_record_keeps_what_is_asked_for():
    def record(generation):
        return {"mean": jnp.mean(generation.results.loss), "x": generation.candidates.x}

    result = run(key=jax.random.key(0), record=record, num_generations=5)
    assert result.history["x"].shape == (5, 13, 3)
    assert result.history["mean"].shape == (5,)
    assert run(key=jax.random.key(0), record=record, num_generations=5, target=0.5).history["x"].shape == (5, 13, 3)


def test_the_objective_gets_a_key_of_its_own():
    result = js.minimize(
        lambda key, p: jax.random.uniform(key) + 0 * p,
        js.Float(0, 1),
        js.RandomSearch(50),
        key=jax.random.key(0),
        num_generations=2,
        record=lambda generation: generation.results.loss,
    )
    assert len(np.unique(np.asarray(result.history))) == 100


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"num_generations": 0}, "num_generations must be"),
        ({"num_generations": 2.0}, "num_generations must be"),
        ({"strategy": js.PSO}, "Pass an instance such as"),
        ({"strategy": 3}, "init, ask and tell"),
        ({"space": {}}, "at least one dimension"),
        ({"space": {"x": 3}}, "Float, Int, Choice or Switch"),
        ({"target": float("nan")}, "target must be a real number"),
        ({"key": jnp.zeros(4, jnp.uint32)}, r"needs shape \(2,\), .* Wrap it, e.g. with jax.random.wrap_key_data"),
        ({"objective": lambda params: 0.0}, r"takes two arguments, objective\(key, params\).* with \(params\). Write"),
        ({"objective": jax.tree_util.Partial(bowl, 1)}, r"with \(params\)"),
    ],
)
def test_mistakes(change, message):
    arguments = {"objective": bowl, "space": SPACE, "strategy": js.PSO(), "num_generations": 2}
    arguments |= {"key": jax.random.key(0)} | change
    with pytest.raises(ValueError, match=message):
        js.minimize(**arguments)


@pytree
class Misshapen:
    """An evaluator of one's own whose results are not one loss for each candidate."""

    kind: str = static()

    def init(self, key, space, count):
        return None

    def evaluate(self, key, state, space, candidates):
        loss = candidates.x[:, 0]
        parts = {
            "scalar": js.Results(jnp.min(loss)),
            "column": js.Results(loss[:, None]),
            "complex": js.Results(loss * 1j),
            "violation": js.Results(loss, violation=loss[:2]),
        }
        return parts[self.kind], None


@pytree
class Anywhere:
    """A strategy of one's own, which looks at no loss."""

    def init(self, key, domain):
        return jnp.zeros(domain.size)

    def ask(self, key, state):
        return js.Candidates(jax.random.uniform(key, (4, len(state)))), state

    def tell(self, state, candidates, results):
        return state


@pytest.mark.parametrize("kind", ["scalar", "column", "complex", "violation"])
@pytest.mark.parametrize("runner", [js.minimize, js.search])
def test_results_that_are_not_one_for_each_candidate_are_refused(runner, kind):
    name = kind if kind == "violation" else "loss"
    with pytest.raises(ValueError, match=rf"results\.{name} must be real"):
        runner(Misshapen(kind), js.Float(0, 1), Anywhere(), key=jax.random.key(0), num_generations=2)


def test_a_start_outside_of_jit_can_be_donated():
    """No buffer twice: the first generation may be given the memory of all."""
    strategy, space = js.Restart(js.PSO()), js.Float(0, 1)
    evaluator = js.Vectorized(lambda key, x: x)
    progress = start(jax.random.key(0), strategy, evaluator, space)
    donating = jax.jit(lambda progress: advance(progress, strategy, evaluator, space)[0], donate_argnums=0)
    assert int(donating(progress).generation) == 1
