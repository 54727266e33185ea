"""Evosax behind the signature of peers.py, its generations compiled once per method, dimension and population.

evosax knows no bounds, so points outside the box are evaluated where they are, as those of pycma: the functions of
bbob are defined everywhere.
"""

import functools
import itertools

import numpy as np


@functools.cache
def _programs(name, size, dimension):
    """`start(key, first, losses)` and `step(key, generation, population, losses, state)`: both give a population.

    `step` also says whether the run has ended, which only CMA-ES can: by the conditions that evosax's restarts use.
    """
    import evosax.algorithms
    import jax
    import jax.numpy as jnp
    from evosax.core.restart import IPOPRestartParams, RestartController, cma_cond, spread_cond

    strategy = getattr(evosax.algorithms, name)(population_size=size, solution=jnp.zeros(dimension))
    params = strategy.default_params
    restart = RestartController((spread_cond, cma_cond), IPOPRestartParams())

    @jax.jit
    def start(key, *first):
        return strategy.ask(key, strategy.init(key, *first, params), params)

    @jax.jit
    def step(key, generation, population, losses, state):
        key_tell, key_ask = jax.random.split(jax.random.fold_in(key, generation))
        state, _ = strategy.tell(key_tell, population, losses, state, params)
        ended = hasattr(state, "C") and restart.should_restart(population, losses, state, params, None)
        return *strategy.ask(key_ask, state, params), ended

    return start, step


def population_based(name):
    """A population of 32, as in the documentation of evosax; the first one uniform in the box. Never restarted."""

    def run(f, dimension, seed):
        import jax

        start, step = _programs(name, 32, dimension)
        key, first = jax.random.key(seed), np.random.default_rng(seed).uniform(-5, 5, (32, dimension))
        population, state = start(key, first, f(first))
        for generation in itertools.count():
            population, state, _ = step(key, generation, population, f(np.array(population)), state)

    return run


def cma_es(f, dimension, seed):
    """First 4 + 3 ln D points around a mean uniform in [-4, 4], twice as many at every restart; first step 1."""
    import jax

    random, size = np.random.default_rng(seed), 4 + int(3 * np.log(dimension))
    for doublings in itertools.count():
        start, step = _programs("CMA_ES", size * 2**doublings, dimension)
        key = jax.random.fold_in(jax.random.key(seed), doublings)
        population, state = start(key, random.uniform(-4, 4, dimension))
        for generation in itertools.count():
            population, state, ended = step(key, generation, population, f(np.array(population)), state)
            if ended:
                break


PEERS = {
    "evosax PSO": population_based("PSO"),
    "evosax DE": population_based("DifferentialEvolution"),
    "evosax SimpleGA": population_based("SimpleGA"),
    "evosax IPOP-CMA-ES": cma_es,
}
