import time

import jax
import jax.numpy as jnp
import pytest

import jaxsearch as js

MILLION, DIMENSION = 10**6, 1000
POPULATION = 4 * MILLION * DIMENSION  # bytes of one array of points
SPACE = js.Float(-1.0, 1.0, shape=(DIMENSION,))


def sphere(key, x):
    return jnp.sum(x**2)


@pytest.mark.parametrize(("strategy", "arrays"), [(js.RandomSearch(MILLION), 0), (js.PSO(MILLION), 3)])
def test_a_population_larger_than_the_machine(strategy, arrays):
    start = time.process_time()
    needed = js.memory(sphere, SPACE, strategy)
    assert time.process_time() - start < 20  # of the processor, whatever else it does: two, since nothing is run
    assert needed.candidates == POPULATION
    assert needed.state == pytest.approx(arrays * POPULATION, rel=0.01, abs=100)
    assert arrays * POPULATION + POPULATION <= needed.peak <= 12 * POPULATION


def test_the_parts_are_those_of_a_search():
    small = js.Float(-1.0, 1.0, shape=(3,))
    needed = js.memory(sphere, small, js.GA(10))
    state = js.minimize(sphere, small, js.GA(10), key=jax.random.key(0), num_generations=2).state
    assert needed.state == sum(leaf.nbytes for leaf in jax.tree.leaves(state))
    assert needed.candidates == 10 * 3 * 4


def test_a_name_stands_for_the_strategy_that_minimize_runs():
    small = js.Float(-1.0, 1.0, shape=(3,))
    assert js.memory(sphere, small, "ga") == js.memory(sphere, small, js.GA())
    auto = js.minimize(sphere, small, "auto", key=jax.random.key(0), num_generations=30)
    needed = js.memory(sphere, small, "auto", num_generations=30)
    assert needed.state == sum(leaf.nbytes for leaf in jax.tree.leaves(auto.state))


def test_devices_share_the_burden():
    alone = js.memory(sphere, SPACE, js.RandomSearch(MILLION))
    spread = js.memory(js.Sharded(sphere), SPACE, js.RandomSearch(MILLION))
    assert spread.candidates == alone.candidates
    assert spread.peak == pytest.approx(alone.peak / 8, rel=0.1)


def test_it_can_be_read():
    assert str(js.Memory(state=12, candidates=40_000, peak=32_100_000_000)) == (
        "state 12 bytes, candidates 40 kB, peak 32.1 GB"
    )
    assert str(js.Memory(0, 999, None)) == "state 0 bytes, candidates 999 bytes, peak unknown"


def test_mistakes_are_those_of_minimize():
    with pytest.raises(ValueError, match="num_generations must be an integer of at least 1; got 0"):
        js.memory(sphere, SPACE, js.PSO(), num_generations=0)
    with pytest.raises(ValueError, match="A strategy needs the methods"):
        js.memory(sphere, SPACE, js.PSO)
    with pytest.raises(ValueError, match="Unknown strategy 'pos'. Did you mean pso"):
        js.memory(sphere, SPACE, "pos")
