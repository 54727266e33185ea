import itertools

import jax
import jax.numpy as jnp
import numpy as np

import jaxsearch as js
from jaxsearch.core import visited


def every(domain):
    return domain.centre(jnp.asarray(list(itertools.product(*map(range, domain.cardinality)))))


def test_every_configuration_has_its_own_flag():
    domain = js.Domain((3, 4, 5), (False, True, True))
    found = visited.flag(every(domain), domain)
    np.testing.assert_array_equal(found, np.arange(60))
    assert visited.flags(domain) == 60


def test_what_does_not_matter_makes_no_difference():
    domain = js.Domain((2, 3), (False, False), parent=(-1, 0), branch=(0, 1))
    assert len(set(np.asarray(visited.flag(every(domain), domain)).tolist())) == 4


def test_large_spaces_share_flags_evenly():
    domain = js.Domain((1000,) * 5, (True,) * 5)
    x = jax.random.uniform(jax.random.key(0), (20_000, 5))
    found = np.asarray(jax.jit(visited.flag, static_argnums=1)(x, domain))
    assert visited.flags(domain) == visited.MOST_FLAGS == 65536
    assert found.min() >= 0
    assert found.max() < 65536
    expected = 65536 * (1 - np.exp(-20_000 / 65536))  # distinct flags if they were drawn uniformly
    assert abs(len(set(found.tolist())) - expected) < 5 * np.sqrt(65536 * 0.03)


def test_spaces_with_reals_have_no_memory():
    domain = js.Domain((3, 0), (True, True))
    proposals = jnp.zeros((2, 4, 2))
    memory = jnp.zeros(visited.flags(domain), bool)
    chosen, new = visited.first_new(memory, proposals, domain)
    assert memory.shape == (0,)
    assert chosen.shape == (4, 2)
    assert bool(new.all())
    assert visited.visit(memory, proposals[0], domain).shape == (0,)


def test_the_first_new_proposal_is_taken():
    domain = js.Domain((4,), (True,))
    x = domain.centre(jnp.array([[[0], [1], [2]], [[3], [1], [0]], [[2], [1], [3]]]))  # three tries, three members
    memory = visited.visit(jnp.zeros(4, bool), domain.centre(jnp.array([[0], [1]])), domain)
    chosen, new = visited.first_new(memory, x, domain)
    np.testing.assert_array_equal(domain.index(chosen)[:, 0], [3, 1, 2])
    np.testing.assert_array_equal(new, [True, False, True])
