"""One update of each strategy against an independent NumPy version, and what only theory promises."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import jaxsearch as js
from jaxsearch.strategies import registry

LINE = js.Domain((0, 0, 0), (True, True, True))


def told(strategy, domain, seed=0, generations=1):
    """The state after some generations on a bowl."""
    ask, tell = jax.jit(strategy.ask), jax.jit(strategy.tell)
    state = jax.jit(strategy.init, static_argnums=1)(jax.random.key(seed), domain)
    for generation in range(generations):
        candidates, state = ask(jax.random.fold_in(jax.random.key(seed), generation), state)
        distance = candidates.x - 0.4
        state = tell(state, candidates, js.Results(jnp.sum(distance**2, 1), 2 * distance))
    return state


def test_genetic_algorithm_keeps_the_best_of_parents_and_children():
    strategy = js.GA(population_size=5, parents=5)
    state = told(strategy, LINE)
    candidates, state = strategy.ask(jax.random.key(1), state)
    loss = jnp.array([0.5, 1e-9, 0.2, 7.0, 1e-3])
    after = strategy.tell(state, candidates, js.Results(loss))
    pool = sorted([*np.asarray(loss), *np.asarray(state.loss)])
    np.testing.assert_allclose(np.sort(after.loss), pool[:5])
    for x, value in zip(np.asarray(after.x), np.asarray(after.loss), strict=True):
        rows = np.concatenate([candidates.x, state.x])[np.concatenate([loss, state.loss]) == value]
        assert any(np.array_equal(x, row) for row in rows)


def test_a_child_of_the_genetic_algorithm_in_double_precision():
    """Worked out anew, gene by gene; two parents that agree have a child like them."""
    index, scale, size, domain = 1.5, 0.2, 2000, js.Domain((0,), (True,))
    strategy = js.GA(crossover_index=index, mutation_scale=scale)
    u = np.asarray(jax.random.uniform(jax.random.key(0), (size, 1)))
    chance = np.where(np.arange(size)[:, None] % 2, 0.0, 1.0)  # every other gene mutates
    child = strategy._child(*map(jnp.asarray, (u, chance, np.full((size, 1), 0.3), np.full((size, 1), 0.1))), domain)
    for value, mutates, found in zip(u[:, 0].astype(float), chance[:, 0] == 0, np.asarray(child)[:, 0], strict=True):
        inherited, nearer, v = 0.3 if value < 0.5 else 0.1, value % 0.5 < 0.25, 4 * value % 1
        near = (1 + index) * (1 - v) / (1 + index * (1 - v))
        step = scale * v**8 / (1 - v)
        crossed = 0.2 + (inherited - 0.2) * (near if nearer else 1 / near)
        expected = (inherited - step if nearer else inherited + step) if mutates else crossed
        expected = abs((expected + 1) % 2 - 1)  # mirrored at 0 and 1
        assert found == pytest.approx(expected, abs=1e-5 * max(1, step, abs(crossed)))
    same = jnp.full((1, 1), 0.25)
    np.testing.assert_array_equal(strategy._child(jnp.full((1, 1), 0.7), same * 4, same, same, domain), same)


def test_aging_keeps_the_youngest():
    strategy = js.GA(population_size=2, parents=5, aging=True)
    state = strategy.init(jax.random.key(0), js.Domain((0,), (True,)))
    for number in range(4):
        x = jnp.full((2, 1), number / 10)
        state = strategy.tell(state, js.Candidates(x), js.Results(jnp.full(2, float(number))))
    np.testing.assert_array_equal(state.loss, [3, 3, 2, 2, 1])


@pytest.mark.parametrize(("name", "least"), [("ga", 23), ("tpe", 26.5)])
def test_a_finite_space_is_not_paid_for_twice(name, least):
    """The 27 points of a space in 40 evaluations by a strategy that knows what it has seen."""
    domain = js.Domain((3, 3, 3), (False, False, True))
    strategy = registry[name]()
    state = jax.eval_shape(lambda key: strategy.init(key, domain), jax.random.key(0))
    size = len(jax.eval_shape(strategy.ask, jax.random.key(0), state)[0].x)

    @jax.jit
    def run(key):
        def generation(state, number):
            candidates, state = strategy.ask(jax.random.fold_in(key, number), state)
            loss = jnp.sum(domain.index(candidates.x), axis=1).astype(float)
            return strategy.tell(state, candidates, js.Results(loss)), domain.index(candidates.x)

        return jax.lax.scan(generation, strategy.init(key, domain), jnp.arange(40 // size))

    states, index = jax.vmap(run)(jax.random.split(jax.random.key(0), 64))
    distinct = [len({tuple(row) for row in rows.reshape(-1, 3).tolist()}) for rows in np.asarray(index)]
    np.testing.assert_array_equal(distinct, np.asarray(states.visited).sum(1))
    assert np.mean(distinct) > least  # 40 uniform draws meet 21 on average


def test_mutation_touches_one_active_gene_on_average():
    domain = js.Domain((4,) * 10, (False,) * 10)
    u, chance = jax.random.uniform(jax.random.key(2), (2, 5000, 10))
    x = jnp.full((5000, 10), 0.1)
    changed = np.asarray(domain.index(js.GA()._child(u, chance, x, x, domain)) != 0)
    assert changed.sum(1).mean() == pytest.approx(1.0, abs=0.05)
    conditional = js.Domain((2, 0, 0), (False, True, True), parent=(-1, 0, 0), branch=(0, 1, 1))
    x = jnp.full((1, 3), 0.1)
    child = js.GA()._child(jnp.full((1, 3), 0.9), jnp.zeros((1, 3)), x, x, conditional)
    np.testing.assert_array_equal(conditional.index(child)[0, 0], 1)
    np.testing.assert_allclose(child[0, 1:], x[0, 1:], rtol=1e-6)  # both reals are switched off


def test_local_search_follows_the_equations_of_the_elitist_cma():
    strategy = js.LocalSearch(population_size=3)
    state = told(strategy, LINE, generations=3)
    ask, tell = jax.jit(strategy.ask), jax.jit(strategy.tell)
    for generation in range(6):  # with frequent and rare success, so that both branches are met
        candidates, state = ask(jax.random.key(generation), state)
        change = jnp.array([-1.0, 0.0 if generation % 2 else 1.0, 1.0])
        after = tell(state, candidates, js.Results(state.loss + change))
        for i in range(3):
            n, accepted = 3, float(change[i]) <= 0
            y = np.asarray((candidates.x[i] - state.x[i]) / state.step[i], float)
            success = float(state.success[i]) * 11 / 12 + accepted / 12
            step = float(state.step[i]) * np.exp((success - 2 / 11) / (1 - 2 / 11) / (1 + n / 2))
            factor, path = np.asarray(state.factor[i], float), np.asarray(state.path[i], float)
            matrix, cc, ccov = factor @ factor.T, 2 / (n + 2), 2 / (n**2 + 6)
            if accepted and success < 0.44:
                path = (1 - cc) * path + np.sqrt(cc * (2 - cc)) * y
                matrix = (1 - ccov) * matrix + ccov * np.outer(path, path)
            elif accepted:
                path = (1 - cc) * path
                matrix = (1 - ccov) * matrix + ccov * (np.outer(path, path) + cc * (2 - cc) * matrix)
            new = np.asarray(after.factor[i], float)
            np.testing.assert_allclose(after.success[i], success, rtol=1e-5)
            np.testing.assert_allclose(new @ new.T, matrix, rtol=1e-4, atol=1e-6)
            np.testing.assert_allclose(after.path[i], path, rtol=1e-4, atol=1e-6)
            step = min(step, 1 / np.sqrt(np.max(np.diagonal(matrix))))
            np.testing.assert_allclose(after.step[i], step, rtol=1e-4)
            np.testing.assert_array_equal(after.x[i], candidates.x[i] if accepted else state.x[i])
        state = after


def test_local_search_changes_one_discrete_coordinate_that_matters():
    domain = js.Domain((2, 5, 5, 7), (False, False, False, True), parent=(-1, 0, 0, -1), branch=(0, 0, 1, 0))
    strategy = js.LocalSearch(population_size=20)
    state = told(strategy, domain)
    keys = jax.random.split(jax.random.key(1), 50)
    candidates, _ = jax.jit(jax.vmap(strategy.ask, in_axes=(0, None)))(keys, state)
    changed = np.asarray(domain.index(candidates.x) != domain.index(state.x)[None])
    assert np.all(changed.sum(2) == 1)
    assert not np.any(changed & ~np.asarray(domain.active(state.x)))


def steps_of_local_search(domain, loss, count):
    """What a chain evaluated, and before which of its steps it started afresh."""
    strategy = js.LocalSearch()

    def generation(state, key):
        candidates, state = strategy.ask(key, state)
        afresh = jnp.isinf(state.loss[0])
        return strategy.tell(state, candidates, js.Results(loss(candidates.x))), (candidates.x[0], afresh)

    keys = jax.random.split(jax.random.key(1), count)
    return jax.jit(lambda key: jax.lax.scan(generation, strategy.init(key, domain), keys)[1])(jax.random.key(0))


def test_local_search_restarts_when_its_patience_ends():
    domain = js.Domain((3, 0), (False, True))
    _, afresh = steps_of_local_search(domain, lambda x: domain.index(x)[:, 0].astype(float), 1200)
    assert 2 <= int(afresh.sum()) <= 6  # 229 proposals without improvement each


def test_local_search_walks_through_a_finite_space_without_repetition():
    domain = js.Domain((4, 5), (False, True))
    bumpy = jnp.asarray(np.random.default_rng(0).random((4, 5)))
    x, afresh = steps_of_local_search(domain, lambda x: bumpy[tuple(domain.index(x).T)], 20)
    assert len({tuple(index) for index in np.asarray(domain.index(x)).tolist()}) == 20
    assert int(afresh.sum()) > 1  # no neighbour was left at least once before everything was seen


def test_gradient_search_takes_the_steps_of_optax():
    optimizer = optax.sgd(0.1, momentum=0.5)
    strategy = js.GradientSearch(population_size=2, optimizer=optimizer, patience=1000)
    state = strategy.init(jax.random.key(0), LINE)
    x = np.asarray(strategy.ask(jax.random.key(1), state)[0].x)
    velocity = np.zeros_like(x)
    for _ in range(4):
        candidates, state = strategy.ask(jax.random.key(1), state)
        np.testing.assert_allclose(candidates.x, x, atol=1e-6)
        gradient = 2 * (candidates.x - 0.4)
        state = strategy.tell(state, candidates, js.Results(jnp.sum((candidates.x - 0.4) ** 2, 1), gradient))
        velocity = 0.5 * velocity + 2 * (x - 0.4)
        x = np.clip(x - 0.1 * velocity, 0, 1)


def test_gradient_search_says_what_it_needs():
    strategy = js.GradientSearch()
    state = strategy.init(jax.random.key(0), LINE)
    candidates, state = strategy.ask(jax.random.key(1), state)
    with pytest.raises(ValueError, match="gradients=True"):
        strategy.tell(state, candidates, js.Results(candidates.x[:, 0]))
    with pytest.raises(ValueError, match="gradients=True"):
        js.minimize(lambda key, p: p, js.Float(0, 1), strategy, key=jax.random.key(0), num_generations=2)


def test_seeded_points_come_first_whatever_their_number():
    points = jnp.linspace(0, 1, 15).reshape(5, 3)
    strategy = js.Seeded(js.GA(population_size=3), points)
    state = strategy.init(jax.random.key(0), LINE)
    asked = []
    for generation in range(3):
        candidates, state = strategy.ask(jax.random.key(generation), state)
        asked.append(candidates.x)
        state = strategy.tell(state, candidates, js.Results(jnp.sum(candidates.x, 1)))
    asked = jnp.concatenate(asked)
    np.testing.assert_array_equal(asked[:5], points)
    assert not np.any(np.all(np.asarray(asked)[5:, None] == np.asarray(points)[None], axis=2).sum(0) > 3)
    with pytest.raises(ValueError, match=r"\[K, 2\]"):
        strategy.init(jax.random.key(0), js.Domain((0, 0), (True, True)))


def test_a_seeded_solution_is_found_at_once():
    space = {"a": js.Float(-5, 5), "b": js.Choice("x", "y")}
    point = js.encode(space, js.undescribe(space, {"a": 1.25, "b": "y"}))
    for make in (js.GA, js.PSO, js.LocalSearch, js.RandomSearch):
        result = js.minimize(
            lambda key, p: (p["a"] - 1.25) ** 2 + (p["b"] != 1),
            space,
            js.Seeded(make(population_size=4), point),
            key=jax.random.key(0),
            num_generations=1,
        )
        assert js.describe(space, result.params) == {"a": pytest.approx(1.25, abs=1e-5), "b": "y"}


@pytest.mark.parametrize("name", registry)
@pytest.mark.parametrize("size", [0, -1, 2.5, True])
def test_population_sizes_are_checked(name, size):
    with pytest.raises(ValueError, match="population_size must be an integer"):
        registry[name](population_size=size)


@pytest.mark.parametrize(
    "optimizer", [optax.lbfgs(linesearch=None), optax.noisy_sgd(0.01, key=jax.random.key(0)), optax.adamw(0.05)]
)
def test_gradient_search_takes_transformations_of_many_kinds(optimizer):
    evaluator = js.Vectorized(lambda key, x: jnp.sum((x - 0.3) ** 2), gradients=True)
    strategy = js.GradientSearch(population_size=3, optimizer=optimizer)
    result = js.minimize(evaluator, js.Float(0, 1, shape=(2,)), strategy, key=jax.random.key(0), num_generations=60)
    assert float(result.loss) < 0.02


@pytest.mark.parametrize(
    ("points", "shown"),
    [
        (np.array([[0.2, 0.3], [0.1, 1.5]]), r"got 1.5 in points\[1, 1\]"),
        (jnp.array([-0.25, 0.5]), r"got -0.25 in points\[0\]"),
        (jnp.array([[jnp.nan, 0.5]]), r"got nan in points\[0, 0\]"),
    ],
)
def test_seeds_outside_of_the_cube_are_refused(points, shown):
    with pytest.raises(ValueError, match=f"{shown}. Make them with encode"):
        js.Seeded(js.GA(), points)
