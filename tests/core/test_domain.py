import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

from jaxsearch.core import bounds, ranking
from jaxsearch.core.neighbours import neighbour
from jaxsearch.core.types import Domain


def test_fields_may_be_left_out_but_not_of_different_lengths():
    domain = Domain((0, 3), (True, False))
    assert domain.parent == (-1, -1)
    assert domain.stretch == (0.0, 0.0)
    assert not domain.conditional
    with pytest.raises(ValueError, match="ordered has 1"):
        Domain((0, 3), (True,))
    with pytest.raises(ValueError, match="got -2"):
        Domain((-2,), (True,))


@pytest.mark.parametrize("stretch", [0.0, 6.0])
def test_index_and_centre_are_inverse(stretch):
    domain = Domain((500,), (True,), (stretch,))
    index = jnp.arange(500)[:, None]
    np.testing.assert_array_equal(domain.index(domain.centre(index)), index)


def test_active_follows_the_whole_chain():
    # 0 switches 1 and 2 on (values 1 and 0); 1 switches 3 on (value 1).
    domain = Domain((2, 2, 0, 0), (False,) * 2 + (True,) * 2, parent=(-1, 0, 0, 1), branch=(0, 1, 0, 1))
    x = jnp.array([[0.2, 0.8, 0.5, 0.5], [0.8, 0.8, 0.5, 0.5], [0.8, 0.2, 0.5, 0.5]])
    expected = [[True, False, True, False], [True, True, False, True], [True, True, False, False]]
    np.testing.assert_array_equal(domain.active(x), expected)


def test_categorical_neighbours_are_the_other_values_equally_often():
    domain, count = Domain((5,), (False,)), 40_000
    u = jax.random.uniform(jax.random.key(0), (count, 1))
    to = domain.index(neighbour(u, jnp.full((count, 1), 0.5), domain))[:, 0]  # from value 2
    found = np.bincount(np.asarray(to), minlength=5)
    assert found[2] == 0
    assert stats.chisquare(found[[0, 1, 3, 4]]).pvalue > 1e-3


def test_ordered_neighbours_are_others_with_harmonic_steps():
    domain, count = Domain((64,), (True,)), 40_000
    u = jax.random.uniform(jax.random.key(1), (count, 1))
    step = np.asarray(domain.index(neighbour(u, jnp.full((count, 1), 0.5), domain))[:, 0]) - 32
    assert np.all(step != 0)
    assert abs(np.mean(step > 0) - 0.5) < 0.02
    share = np.mean(np.abs(step) == 1)
    assert share == pytest.approx(np.log(2) / np.log(64), abs=0.02)


@pytest.mark.parametrize("cardinality", [1, 2, 3, 64])
def test_neighbours_at_the_ends_stay_inside_and_move(cardinality):
    domain = Domain((cardinality,), (True,))
    u = jnp.linspace(0, 0.999, 400)[:, None]
    for end in (0, cardinality - 1):
        x = jnp.broadcast_to(domain.centre(jnp.array([end])), (400, 1))
        index = np.asarray(domain.index(neighbour(u, x, domain)))
        assert np.all((index >= 0) & (index < cardinality))
        assert cardinality == 1 or np.all(index != end)


def test_continuous_coordinates_have_no_neighbour():
    domain = Domain((0, 4), (True, True))
    x = jnp.array([0.3, 0.3])
    moved = neighbour(jnp.array([0.1, 0.1]), x, domain)
    assert moved[0] == x[0]
    assert moved[1] != x[1]


def test_clip_is_total_and_keeps_the_gradient_at_the_faces():
    x = jnp.array([-1.0, 0.0, 0.5, 1.0, 2.0, jnp.nan, jnp.inf, -jnp.inf])
    np.testing.assert_array_equal(bounds.clip(x), jnp.array([0, 0, 0.5, 1, 1, 0.5, 1, 0], x.dtype))
    slope = jax.vmap(jax.grad(lambda x: bounds.clip(x)))(jnp.array([-1.0, 0.0, 0.5, 1.0, 2.0]))
    np.testing.assert_array_equal(slope, jnp.array([0, 1, 1, 1, 0], slope.dtype))


def test_reflect_folds_into_the_cube():
    x = jnp.array([-0.25, 1.25, 2.5, -1.75, 0.5])
    np.testing.assert_allclose(bounds.reflect(x), [0.25, 0.75, 0.5, 0.25, 0.5], rtol=1e-6)


def test_best_puts_failures_last_and_ties_in_order():
    loss = jnp.array([2.0, jnp.nan, 1.0, 1.0, jnp.inf])
    np.testing.assert_array_equal(ranking.best(loss, 4)[:3], [2, 3, 0])
    assert 1 not in ranking.best(loss, 3)
