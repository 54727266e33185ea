import jax
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.model_selection import GroupKFold

from jaxsearch.evaluators import splits


def random_groups(seed, count, num_groups):
    """Groups of very different sizes, numbered with gaps."""
    random = np.random.default_rng(seed)
    share = random.dirichlet(np.full(num_groups, 0.5))
    groups = np.concatenate([np.arange(num_groups), random.choice(num_groups, count - num_groups, p=share)])
    return random.permutation(groups * 3 - 5).astype(np.int32)


def together(split, groups):
    return all(len(set(split[groups == group])) == 1 for group in set(groups))


@pytest.mark.parametrize(("seed", "num_groups", "num_folds"), [(0, 5, 5), (1, 17, 5), (2, 60, 3), (3, 100, 10)])
def test_grouped_folds_are_valid_and_as_even_as_those_of_scikit_learn(seed, num_groups, num_folds):
    groups = random_groups(seed, 100, num_groups)
    fold = np.asarray(splits.grouped_folds(jax.random.key(0), groups, num_folds))
    assert together(fold, groups)
    reference = [len(test) for _, test in GroupKFold(num_folds).split(groups, groups=groups)]
    assert sorted(np.bincount(fold, minlength=num_folds)) == sorted(reference)


def test_the_key_decides_among_equal_groups():
    groups = np.repeat(np.arange(20), 5)
    first, second = (np.asarray(splits.grouped_folds(jax.random.key(seed), groups, 4)) for seed in (0, 1))
    assert np.any(first != second)
    np.testing.assert_array_equal(np.bincount(first), np.bincount(second))
    traced = jax.jit(splits.grouped_folds, static_argnums=2)(jax.random.key(0), groups, 4)
    np.testing.assert_array_equal(traced, splits.grouped_folds(jax.random.key(0), groups, 4))


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 1000), st.integers(2, 60), st.integers(1, 59))
def test_grouped_hold_out_keeps_groups_together_and_the_count(seed, num_groups, count):
    groups = random_groups(seed, 60, num_groups)
    held_out = np.asarray(splits.grouped_hold_out(jax.random.key(seed), groups, count)) == 0
    assert together(held_out, groups)
    sizes = np.unique(groups, return_counts=True)[1]
    assert 0 < held_out.sum() <= max(count, sizes.min())
    if held_out.sum() < count:
        rest = np.unique(groups[~held_out], return_counts=True)[1]
        assert np.all(rest + held_out.sum() > count), "a group that fits was left"


def test_every_group_has_the_same_chance_of_being_held_out():
    groups = np.repeat(np.arange(10), 6)
    run = jax.jit(jax.vmap(lambda key: splits.grouped_hold_out(key, groups, 12)))
    held_out = np.asarray(run(jax.random.split(jax.random.key(0), 2000)))[:, ::6] == 0
    np.testing.assert_array_equal(held_out.sum(1), 2)
    np.testing.assert_allclose(held_out.mean(0), 0.2, atol=4 * np.sqrt(0.2 * 0.8 / 2000))


def test_too_few_groups_are_told():
    with pytest.raises(ValueError, match="need 3 groups of rows or more; there are 2. Use fewer folds"):
        splits.grouped_folds(jax.random.key(0), np.array([0, 0, 1]), 3)
    with pytest.raises(ValueError, match="need 2 groups"):
        splits.grouped_hold_out(jax.random.key(0), np.zeros(5, np.int32), 2)
