import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxsearch as js
from jaxsearch.core.shift import Shift, split, told

FLOAT = np.dtype(np.float32)


def tell(*generations):
    """The losses that a strategy is told of these generations, one after the other."""
    shift, found = Shift.undecided(), []
    for losses in generations:
        loss, remainder = split(np.array(losses, float), FLOAT)
        results = js.Results(jnp.asarray(loss), remainder=jnp.asarray(remainder))
        results, shift = told(results, jax.tree.map(lambda leaf: leaf.astype(leaf.dtype), shift))
        assert results.remainder is None
        found.append(np.asarray(results.loss, float))
    return found


def test_two_words_hold_a_double():
    losses = np.array([1e9 + 0.125, -1e9 - 3, 0.1, 1e300, -1e300, np.nan, np.inf])
    loss, remainder = split(losses, FLOAT)
    assert loss.dtype == remainder.dtype == FLOAT
    np.testing.assert_allclose((loss.astype(float) + remainder)[:3], losses[:3], rtol=1e-14)
    assert np.all(np.isfinite(loss[3:5]))  # of any size, it is no failure
    np.testing.assert_array_equal(loss[5:], losses[5:])
    np.testing.assert_array_equal(remainder[5:], 0)


@pytest.mark.parametrize("base", [1e9, -1e9, 123456.0])
@pytest.mark.parametrize("count", [1, 4])
def test_what_all_losses_have_in_common_is_left_out(base, count):
    spread = abs(base) * 1e-6 * np.random.default_rng(0).random((6, count))
    found = tell(*(base + spread))
    undecided = base > 0 and count == 1  # a single loss tells nothing of others
    decided = slice(1 if undecided else 0, None)
    shifted = np.concatenate(found[decided])
    np.testing.assert_allclose(np.diff(shifted), np.diff(spread[decided].reshape(-1)), atol=abs(base) * 1e-13)
    assert not undecided or np.all(found[0] >= shifted.max())


@pytest.mark.parametrize("generations", [[[5.0, 3.0], [2.0, 1e-6]], [[4.0], [3.0], [1e-9]], [[-3.0, 1.0], [-3.1, 9.0]]])
def test_other_losses_are_told_as_they_are(generations):
    for losses, found in zip(generations, tell(*generations), strict=True):
        np.testing.assert_array_equal(np.float32(found), np.float32(losses))


def test_failed_candidates_stay_the_worst():
    first, second = tell([1e9 + 5, np.inf, 1e9 + 7], [np.inf, 1e9, 1e9 + 1])
    np.testing.assert_array_equal(first, [0, np.inf, 2])
    np.testing.assert_array_equal(second, [np.inf, -5, -4])
    np.testing.assert_array_equal(tell([np.inf, np.inf], [2.0, 1.0])[1], [2, 1])


def test_equal_negative_losses_keep_their_order_with_those_to_come():
    told_losses = np.concatenate(tell([-1.0, -1.0], [-1.0, -0.5], [-3.0, np.inf]))
    np.testing.assert_array_equal(told_losses, [0, 0, 0, 0.5, -2, np.inf])
