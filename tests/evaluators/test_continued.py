import dataclasses
import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxsearch as js

RANDOM = np.random.default_rng(0)
DATA = RANDOM.normal(size=(90, 3)).astype(np.float32)
LABELS = (DATA[:, 0] + DATA[:, 1] > 0).astype(np.int32)
SPACE = {
    "learning_rate": js.Float(1e-3, 1e-1, log=True),
    "width": js.Int(2, 8),
    "activation": js.Choice("relu", "tanh"),
    "weight_decay": js.Float(1e-4, 1.0, log=True),
}
TRAINING = js.Training(js.models.MLP(3, 2, max_layers=1, max_width=8), (DATA, LABELS), folds=2, epochs=6, batch_size=16)
X = RANDOM.random((4, 4)).astype(np.float32)
WIDTH = sorted(SPACE).index("width")


@functools.cache
def compiled(training=TRAINING, epochs_per_generation=2):
    """The evaluator, a function that makes its first state, and one that runs a generation."""
    evaluator = js.Continued(training, epochs_per_generation)
    start = jax.jit(lambda: evaluator.init(jax.random.key(0), SPACE, len(X)))

    @jax.jit
    def generation(state, x, origin, budget):
        return evaluator.evaluate(jax.random.key(0), state, SPACE, js.Candidates(x, budget, origin))

    return evaluator, start, generation


AFRESH, THEMSELVES = jnp.full(4, -1), jnp.arange(4)


def grown(generations=1):
    """The results and the state after some generations of the same candidates."""
    _, start, generation = compiled()
    state, results = start(), None
    for number in range(generations):
        results, state = generation(state, X, AFRESH if number == 0 else THEMSELVES, jnp.full(4, number + 1))
    return results, state


def same(tree, other):
    jax.tree.map(np.testing.assert_array_equal, tree, other)


def test_generations_are_one_training_in_pieces():
    results, state = grown(3)
    whole = jax.jit(
        lambda: TRAINING.evaluate(
            jax.random.key(0), TRAINING.init(jax.random.key(0), SPACE, 4), SPACE, js.Candidates(X)
        )[0]
    )()
    np.testing.assert_allclose(results.loss, whole.loss, rtol=1e-5)
    np.testing.assert_array_equal(results.aux["epochs"], 6)
    np.testing.assert_array_equal(state.age, 3)


def test_a_copy_has_the_weights_of_its_origin_bit_for_bit():
    _, _, generation = compiled()
    origin = jnp.array([2, 2, 0, 3])
    _, before = grown()
    x = jnp.asarray(X)[origin].at[0, sorted(SPACE).index("learning_rate")].set(0.9)
    _, after = generation(before, x, origin, before.age)  # nobody trains any further
    same(after.members, jax.tree.map(lambda leaf: leaf[origin], before.members))
    _, further = generation(before, x, origin, before.age + 1)
    alone = grown(2)[1].members  # the same x from the same weights: the same training
    same(*(jax.tree.map(lambda leaf, i=i: leaf[i], tree) for tree, i in ((further.members, 1), (alone, 2))))
    weights = further.members.learned.weights
    assert np.any(weights[0] != weights[1]), "the learning rate of the copy changed nothing"


def test_another_architecture_and_no_origin_begin_anew():
    _, _, generation = compiled()
    _, before = grown(2)
    x = jnp.asarray(X).at[1, WIDTH].set(1 - X[1, WIDTH])
    origin = jnp.array([0, 1, -1, 3])
    results, after = generation(before, x, origin, jnp.full(4, 3))
    np.testing.assert_array_equal(after.age, 3)
    np.testing.assert_array_equal(results.aux["epochs"], 6)
    alone = jax.jit(
        lambda: TRAINING.evaluate(
            jax.random.key(0), TRAINING.init(jax.random.key(0), SPACE, 4), SPACE, js.Candidates(x)
        )[0]
    )()
    np.testing.assert_allclose(results.loss, alone.loss, rtol=1e-5)
    _, unlimited = generation(before, x, origin, None)
    np.testing.assert_array_equal(unlimited.age, [3, 1, 1, 3])


def test_a_member_as_it_is_predicts_what_was_measured():
    results, state = grown(2)
    evaluator = compiled()[0]
    for member, fold in ((0, 0), (2, 1)):
        network, rows = evaluator.fitted(state, SPACE, member, fold), np.asarray(state.inner.fold) == fold
        error = np.mean(np.argmax(network.predict(DATA[rows]), axis=1) != LABELS[rows])
        np.testing.assert_allclose(error, results.aux["folds"][member, fold], rtol=1e-5)
        np.testing.assert_allclose(network.portable().predict(DATA), network.predict(DATA), rtol=1e-4, atol=1e-5)
    best = evaluator.fitted(state, SPACE)
    earlier, before = grown(1)
    source, measured = (state, results) if results.loss.min() < earlier.loss.min() else (before, earlier)
    expected = evaluator.fitted(source, SPACE, int(np.argmin(measured.loss)))
    same(best.weights, expected.weights)
    same(js.Continued(js.Sharded(TRAINING)).fitted(state, SPACE).weights, expected.weights)
    assert np.any(best.params["width"] != evaluator.fitted(state, SPACE, int(np.argmax(results.loss))).params["width"])


def test_the_best_member_is_kept_as_it_was_when_it_was_measured():
    """The second generation is worse: all weights go to ruin by a huge learning rate."""
    training = dataclasses.replace(TRAINING, metric="cross_entropy")
    space = SPACE | {"learning_rate": js.Float(1e-3, 1e3, log=True)}
    evaluator = js.Continued(training, 2)

    @jax.jit
    def generation(state, x, origin):
        return evaluator.evaluate(jax.random.key(0), state, space, js.Candidates(x, None, origin))

    rate = sorted(space).index("learning_rate")
    first, state = generation(evaluator.init(jax.random.key(0), space, 4), jnp.asarray(X).at[:, rate].set(0.3), AFRESH)
    best = evaluator.fitted(state, space)
    second, after = generation(state, jnp.asarray(X).at[:, rate].set(1.0), THEMSELVES)
    assert not np.any(np.asarray(second.loss) <= float(first.loss.min())), "nothing went to ruin"
    same(evaluator.fitted(after, space).weights, best.weights)
    assert float(after.best.loss[0]) == float(first.loss.min())
    held_out = np.asarray(after.inner.fold) == 0
    logits = jax.nn.log_softmax(best.predict(DATA[held_out]))
    loss = -np.mean(np.take_along_axis(np.asarray(logits), LABELS[held_out][:, None], 1))
    np.testing.assert_allclose(loss, first.aux["folds"][int(np.argmin(first.loss)), 0], rtol=1e-4)


def test_a_model_beyond_the_limits_is_not_trained_and_no_member_beyond_its_epochs():
    training = js.Training(TRAINING.model, (DATA, LABELS), folds=2, epochs=6, batch_size=16, max_parameters=30)
    space = SPACE | {"epochs": js.Int(1, 8)}
    names = sorted(space)
    x = jnp.full((4, 5), 0.5).at[:, names.index("width")].set(jnp.array([0.0, 1.0, 0.0, 1.0]))
    x = x.at[:, names.index("epochs")].set(jnp.array([0.3, 0.3, 0.9, 0.9]))
    epochs = np.array([js.describe(space, js.decode(space, row))["epochs"] for row in x])
    assert np.all((epochs[:2] < 4) & (epochs[2:] > 4))
    evaluator = js.Continued(training, epochs_per_generation=4)
    candidates = js.Candidates(x, jnp.ones(4, jnp.int32), AFRESH)
    results = jax.jit(
        lambda: evaluator.evaluate(jax.random.key(0), evaluator.init(jax.random.key(0), space, 4), space, candidates)[0]
    )()
    np.testing.assert_array_equal(results.violation > 0, [False, True, False, True])
    np.testing.assert_array_equal(results.aux["epochs"], [epochs[0], 0, 4, 0])
    np.testing.assert_array_equal(np.isfinite(results.loss), [True, False, True, False])


def test_fixed_coordinates_are_those_of_other_names_also_inside_of_branches():
    evaluator = compiled()[0]
    assert evaluator.fixed(SPACE) == (0, 3)
    space = {"dropout": js.Float(0, 1), "kind": js.Switch(a={"n": js.Int(1, 3)}, b={}), "momentum": js.Float(0, 1)}
    assert js.Continued(TRAINING).fixed(space) == (1, 2)
    assert js.Continued(TRAINING, changeable=("kind",)).fixed(space) == (0, 3)


def test_population_based_training_searches_and_minimizes_alike():
    evaluator = compiled()[0]
    strategy = js.PBT(population_size=6, fixed=evaluator.fixed(SPACE))
    seen = []
    host = functools.partial(js.search, callback=seen.append, progress=False)
    found, result = (
        run(evaluator, SPACE, strategy, key=jax.random.key(0), num_generations=3) for run in (host, js.minimize)
    )
    np.testing.assert_allclose(found.history, result.history, rtol=1e-5)
    epochs = np.stack([generation.results.aux["epochs"] for generation in seen])
    np.testing.assert_array_equal(epochs, np.broadcast_to([[2], [4], [6]], (3, 6)))
    assert np.any(seen[1].candidates.origin != jnp.arange(6)), "nobody was replaced"
    assert float(result.loss) < 0.4


@pytest.mark.parametrize("count", [16, 11])  # the eight devices divide the first
def test_devices_change_nothing_and_a_generation_compiles_once(count, compilations):
    training = dataclasses.replace(TRAINING, epochs=4, smaller=())

    def run(evaluator, **settings):
        strategy = js.PBT(count, fixed=evaluator.fixed(SPACE))
        return js.search(
            evaluator, SPACE, strategy, key=jax.random.key(0), num_generations=4, progress=False, **settings
        )

    seen, compiled_for = [], []

    def note(generation):
        seen.append(generation)
        compiled_for.append(compilations())

    spread, alone = run(js.Continued(js.Sharded(training)), callback=note), run(js.Continued(training))
    assert compiled_for[1:] == [0, 0, 0]
    np.testing.assert_allclose(spread.history, alone.history, rtol=1e-5)
    np.testing.assert_allclose(spread.state.loss, alone.state.loss, rtol=1e-5)
    np.testing.assert_array_equal(spread.state.x, alone.state.x)
    assert np.any(seen[-1].candidates.origin != jnp.arange(count)), "nobody was replaced"


def test_members_stay_on_their_devices():
    evaluator = js.Continued(js.Sharded(TRAINING))
    members = jax.jit(lambda: evaluator.init(jax.random.key(0), SPACE, 16))().members
    assert {leaf.addressable_shards[0].data.shape[0] for leaf in jax.tree.leaves(members)} == {2}


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: js.Continued(TRAINING, 0), "epochs_per_generation must be an integer of at least 1"),
        (lambda: js.Continued(js.Vectorized(lambda key, x: x)), "Only an evaluator that trains step by step"),
        (lambda: js.Continued(TRAINING).fixed(js.Float(0, 1)), "needs a dict of dimensions by name"),
        (lambda: js.Continued(TRAINING).fitted(grown()[1], SPACE, 4), "member must be from 0 to 3; got 4"),
        (lambda: js.Continued(TRAINING).fitted(grown()[1], SPACE, fold=2), "fold must be from 0 to 1; got 2"),
    ],
)
def test_mistakes_are_told(make, message):
    with pytest.raises(ValueError, match=message):
        make()
