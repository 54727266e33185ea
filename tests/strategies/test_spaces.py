"""Every strategy on every kind of space: it stays in the cube, keeps its state, and makes no NaN."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxsearch as js
from jaxsearch.strategies import registry
from jaxsearch.testing.runs import run

DOMAINS = {
    "continuous": js.Domain((0,) * 4, (True,) * 4),
    "all categorical": js.Domain((3, 5, 2), (False,) * 3),
    "all ordered": js.Domain((4, 9), (True, True)),
    "conditional": js.Domain((2, 0, 3, 0), (False, True, False, True), parent=(-1, 0, 0, 0), branch=(0, 0, 1, 1)),
    "one choice": js.Domain((3,), (False,)),
    "single value": js.Domain((1,), (True,)),
    "single values beside a real": js.Domain((1, 0, 1), (True, True, False)),
}


@pytest.mark.parametrize("domain", DOMAINS)
@pytest.mark.parametrize("name", registry)
def test_any_space(name, domain):
    go = jax.jit(run, static_argnames=("domain", "num_generations"))
    state, candidates = go(registry[name](), jax.random.key(1), DOMAINS[domain], 60)
    x = np.asarray(candidates.x)
    assert x.shape[2] == DOMAINS[domain].size
    assert np.all((x >= 0) & (x <= 1))
    for leaf in jax.tree.leaves(state):
        assert not (jnp.issubdtype(leaf.dtype, jnp.floating) and bool(jnp.any(jnp.isnan(leaf))))
