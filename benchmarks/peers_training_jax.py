"""A network trained by JAX and optax, as people write it: the sizes of the candidate are shapes."""

import functools
import itertools
import math

import jax
import jax.numpy as jnp
import numpy as np
import optax


def scaled(values, held_out):
    """`[K, n, ...]` values, scaled by the training rows of each of K folds, and the divisors `[K, ...]`."""
    train = [values[~out] for out in held_out]
    mean, deviation = np.stack([rows.mean(0) for rows in train]), np.stack([rows.std(0) for rows in train])
    deviation[deviation == 0] = 1
    return (values - mean[:, None]) / deviation[:, None], deviation


def apply(weights, x, activation):
    for w, b in weights[:-1]:
        x = getattr(jax.nn, activation)(x @ w + b)
    w, b = weights[-1]
    return x @ w + b


def training_loss(weights, x, y, activation):
    outputs = apply(weights, x, activation)
    if y.dtype.kind == "f":
        return jnp.mean((outputs[:, 0] - y) ** 2)
    return optax.softmax_cross_entropy_with_integer_labels(outputs, y).mean()


def held_out_loss(weights, x, y, unit, held_out, activation):
    """The error or, in the target's unit, the RMSE; NaN where the network diverged, which argmax would not show."""
    outputs = apply(weights, x, activation)
    if y.dtype.kind == "f":
        return unit * jnp.sqrt(jnp.mean((outputs[:, 0] - y) ** 2, where=held_out))
    wrong = jnp.mean(jnp.argmax(outputs, axis=-1) != y, where=held_out)
    return jnp.where(jnp.all(jnp.isfinite(outputs)), wrong, jnp.nan)


@functools.partial(jax.jit, static_argnames="activation")
def train(weights, batches, data, activation, learning_rate, weight_decay):
    """The mean of the folds' losses; all but the two rates has a leading axis of folds, which is vmapped."""

    def one_fold(weights, batches, x, y, unit, held_out):
        start = 4 * len(batches) // 5  # the schedule of jaxsearch: constant, and falling over the last fifth
        rate = optax.linear_schedule(learning_rate, 0.0, len(batches) - start, start)
        optimizer = optax.adamw(rate, weight_decay=weight_decay)

        def step(carry, batch):
            weights, state = carry
            gradient = jax.grad(training_loss)(weights, x[batch], y[batch], activation)
            updates, state = optimizer.update(gradient, state, weights)
            return (optax.apply_updates(weights, updates), state), None

        (weights, _), _ = jax.lax.scan(step, (weights, optimizer.init(weights)), batches)
        return held_out_loss(weights, x, y, unit, held_out, activation)

    return jnp.mean(jax.vmap(one_fold)(weights, batches, *data))


def jax_loss(x, y, folds, epochs):
    """A function from parameters and a seed to the cross-validation loss of a candidate.

    Every new shape is compiled; what is not a size is traced. Scaling, first weights and the order of the rows come
    from NumPy: with jax.random inside the program, compiling takes more than twice as long.
    """
    regression, held_out = y.dtype.kind == "f", folds == np.arange(folds.max() + 1)[:, None]
    count, num_rows = len(held_out), int((~held_out).sum(axis=1).min())
    targets, unit = scaled(y, held_out) if regression else (np.tile(y, (count, 1)), np.ones(count))
    data = jax.device_put((scaled(x, held_out)[0], targets, unit, held_out))
    outputs = 1 if regression else int(y.max()) + 1

    def loss(params, seed):
        random, batch_size = np.random.default_rng(seed), min(params["batch_size"], num_rows)
        sizes, weights = (x.shape[1], *(params["width"],) * params["layers"], outputs), []
        for rows, columns in itertools.pairwise(sizes):
            most = math.sqrt((1 if params["activation"] == "relu" else 3) / rows)  # as jaxsearch begins
            w = random.uniform(-most, most, (count, rows, columns))
            weights.append((w.astype(np.float32), np.zeros((count, columns), np.float32)))
        used = num_rows // batch_size * batch_size
        orders = [random.permuted(np.tile(np.flatnonzero(~out), (epochs, 1)), axis=1)[:, :used] for out in held_out]
        batches = np.stack(orders).reshape(count, -1, batch_size)
        rates = params["learning_rate"], params["weight_decay"]
        found = float(train(weights, batches, data, params["activation"], *rates))
        return found if math.isfinite(found) else math.inf

    return loss
