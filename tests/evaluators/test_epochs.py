import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxsearch.evaluators.epochs import shuffled


@pytest.mark.parametrize(("count", "size"), [(1, 1), (2, 2), (7, 5), (64, 64), (100, 96)])
def test_an_epoch_visits_rows_at_most_once_and_none_that_is_held_out(count, size):
    order = jnp.asarray(np.random.default_rng(0).permutation(120), jnp.int32)
    for word in range(5):
        rows = np.asarray(shuffled(jnp.uint32(word), order, jnp.int32(count), size))
        assert len(np.unique(rows)) == size
        assert set(rows) <= set(np.asarray(order[:count]).tolist())


def test_every_row_is_in_every_batch_equally_often_and_no_two_stay_together():
    count, size, epochs = 48, 12, 6000
    words = jnp.asarray(np.random.default_rng(1).integers(0, 2**32, epochs, dtype=np.uint32))
    order = jnp.arange(count, dtype=jnp.int32)
    rows = np.asarray(jax.jit(jax.vmap(lambda word: shuffled(word, order, jnp.int32(count), count)))(words))
    batch = np.zeros((epochs, count), int)
    np.put_along_axis(batch, rows, np.arange(count)[None] // size, axis=1)
    for number in range(count // size):
        share = (batch == number).mean(0)
        assert np.abs(share - 0.25).max() < 5 * np.sqrt(0.25 * 0.75 / epochs)
    for lag in (1, 2, 5, 24):  # rows that are neighbours in the order
        together = (batch == np.roll(batch, lag, axis=1)).mean()
        assert together == pytest.approx((size - 1) / (count - 1), abs=0.01)
    follows = (np.diff(rows, axis=1) == 1).mean()
    assert follows == pytest.approx(1 / count, abs=0.01)
