"""The epochs of many candidates in many folds at once. C candidates, K folds, n rows."""

import functools
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from jaxsearch.core import random
from jaxsearch.core.types import Array, PyTree
from jaxsearch.evaluators.lessons import Lesson

ROUNDS = 8  # of the shuffle; each sends about half of the rows somewhere else


class Members(NamedTuple):
    """Candidates in training.

    losses: `[C, K]` when they were last measured, NaN before and for those that failed.
    epoch: `[C]` int32, epochs behind them. failed: `[C, K]` bool, whether training diverged; such a member is frozen.
    learned: `[C, K, ...]`, what the learner keeps; None if it is not kept from one training to the next.
    violation: `[C]`, the share by which a model exceeds the limits of its size, if there are any.
    """

    losses: Array
    epoch: Array
    failed: Array
    learned: PyTree
    violation: Array | None = None


def unborn(count: int, num_folds: int) -> Members:
    """Members before their first epoch, without what they are to learn with."""
    losses = jnp.full((count, num_folds), jnp.nan, jnp.result_type(float))
    return Members(losses, jnp.zeros(count, jnp.int32), jnp.zeros(losses.shape, bool), None)


def begin(learner: Any, lesson: Lesson, params: PyTree) -> PyTree:
    """What members with `params` `[C, ...]` know before their first epoch, `[C, K, ...]`."""
    init = jax.vmap(jax.vmap(learner.init, in_axes=(0, None, None)), in_axes=(None, 0, None))
    return init(lesson.draws, params, lesson.space)


def train(learner: Any, lesson: Lesson, params: PyTree, members: Members, budget: Array) -> Members:
    """Trains each candidate until it has `budget` `[C]` epochs behind it.

    Rows come in an order that depends on the fold and the epoch alone, so that all candidates see the same batches:
    their losses are compared under equal conditions, and one gather serves all of them.
    """
    folds, steps, size = lesson.folds, learner.steps, learner.batch_size
    num_folds = len(folds.measured)
    update = jax.vmap(learner.step, in_axes=(None, None, 0, 0, 0, None))  # over the folds
    update = jax.vmap(update, in_axes=(0, None, 0, None, None, None))  # over the candidates

    def epoch(number: Array, members: Members) -> Members:
        words = random.hashed(folds.word, number.astype(jnp.uint32) + np.uint32(2**31))
        batches = jax.vmap(shuffled, in_axes=(0, 0, 0, None))(words, folds.order, folds.num_rows, steps * size)
        batches = jnp.swapaxes(batches.reshape(num_folds, steps, size), 0, 1)

        def step(learned: PyTree, inputs: tuple[Array, Array]) -> tuple[PyTree, None]:
            rows, place = inputs
            shares = None if folds.shares is None else jnp.take_along_axis(folds.shares, rows, axis=1)
            batch = (lesson.x[rows], lesson.y[rows], shares)
            return update(params, lesson.space, learned, folds, batch, number * steps + place), None

        learned, _ = jax.lax.scan(step, members.learned, (batches, jnp.arange(steps)))
        active = ((members.epoch <= number) & (number < budget))[:, None] & ~members.failed
        return members._replace(
            learned=jax.tree.map(lambda new, old: _where(active, new, old), learned, members.learned),
            failed=members.failed | (active & ~jax.vmap(jax.vmap(learner.finite))(learned)),
        )

    waiting = members.epoch < budget
    first = jnp.min(jnp.where(waiting, members.epoch, jnp.max(budget)))
    members = jax.lax.fori_loop(first, jnp.max(jnp.where(waiting, budget, 0)), epoch, members)
    return members._replace(epoch=jnp.maximum(members.epoch, budget))


def measure(learner: Any, lesson: Lesson, params: PyTree, members: Members) -> Array:
    """The losses `[C, K]` on the rows that the folds measure; NaN for a member that failed."""
    folds = lesson.folds
    one = jax.vmap(learner.measure, in_axes=(None, None, 0, 0, 0, 0))
    losses = jax.vmap(one, in_axes=(0, None, 0, None, None, None))(
        params, lesson.space, members.learned, folds, lesson.x[folds.measured], lesson.y[folds.measured]
    )
    return jnp.where(members.failed, jnp.nan, losses)


def run_chunk(
    learners: list[Any], lesson: Lesson, size: Array, rows: tuple[PyTree, Array], members: Members
) -> Members:
    """A chunk of candidates, from where they are to their budget, at the size with this number."""
    params, budget = rows
    largest = learners[-1].bounded(params, lesson.space)
    kept = members.learned is not None
    if not kept:
        members = members._replace(learned=begin(largest, lesson, params))

    def at_size(learner: Any, members: Members) -> Members:
        # Only this is compiled for every size; what runs once a chunk is cheap enough at the largest.
        own = members._replace(learned=learner.resized(members.learned, largest))
        own = train(learner.bounded(params, lesson.space), lesson, params, own, budget)
        return own._replace(learned=largest.resized(own.learned, learner))

    runs = [functools.partial(at_size, learner) for learner in learners]
    members = jax.lax.switch(size, runs, members) if len(runs) > 1 else runs[0](members)
    members = members._replace(losses=measure(largest, lesson, params, members))
    return members if kept else members._replace(learned=None)


def shuffled(word: Array, order: Array, count: Array, size: int) -> Array:
    """`[size]` of the first `count` entries of `order` `[n]`, each at most once, in an order that belongs to `word`.

    Few rounds of the swap-or-not shuffle, on an `order` that is random already: every place is computed for itself,
    where sorting random numbers in each epoch would take a third of the time that a small network trains.

    References: Hoang, Morris, Rogaway, An Enciphering Scheme Based on a Card Shuffle, CRYPTO, 2012.
    """
    place, count = jnp.arange(size, dtype=jnp.uint32), count.astype(jnp.uint32)
    for number in range(ROUNDS):
        word = random.hashed(word, jnp.uint32(number))
        partner = word % count + count - place
        partner = jnp.where(partner >= count, partner - count, partner)
        swapped = random.hashed(word, jnp.maximum(place, partner)) >= np.uint32(2**31)
        place = jnp.where(swapped, partner, place)
    return order[place]


def _where(condition: Array, new: Array, old: Array) -> Array:
    return jnp.where(condition.reshape(condition.shape + (1,) * (new.ndim - condition.ndim)), new, old)
