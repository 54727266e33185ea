import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import jaxsearch as js
from jaxsearch.core import random
from jaxsearch.evaluators.epochs import shuffled

X = np.random.default_rng(0).normal(3, 2, size=(90, 4)).astype(np.float32)
Y = ((X[:, 0] - 3) * (X[:, 1] - 3) > 0).astype(np.int32)
SPACE = {"learning_rate": js.Float(1e-3, 1e-1, log=True), "momentum": js.Choice(0.5, 0.9)}


def optimizer(params):
    adam = optax.adam(params["learning_rate"], b1=params["momentum"])
    return optax.MultiSteps(adam, lambda step: params["batch_size"] // 15) if "batch_size" in params else adam


def logits(weights, x):
    return jax.nn.relu(x @ weights["w"] + weights["b"][None]) @ weights["v"]


def cross_entropy(weights, x, y):
    return jnp.mean(optax.softmax_cross_entropy_with_integer_labels(logits(weights, x), y))


def init(key, params):
    """With a Python number and a key in the state."""
    keys = jax.random.split(key)
    weights = {"w": 0.5 * jax.random.normal(keys[0], (4, 16)), "b": jnp.zeros(16), "v": jnp.zeros((16, 2))}
    return {"weights": weights, "optimizer": optimizer(params).init(weights), "key": keys[1], "steps": 0}


def step(key, params, state, batch):
    x, y = batch
    if "noise" in params:
        both = jax.random.normal(key, x.shape) + jax.random.normal(state["key"], x.shape)
        x = x + params["noise"] * both
    gradient = jax.grad(cross_entropy)(state["weights"], x, y)
    updates, kept = optimizer(params).update(gradient, state["optimizer"], state["weights"])
    weights, key = optax.apply_updates(state["weights"], updates), jax.random.fold_in(state["key"], 0)
    return {"weights": weights, "optimizer": kept, "key": key, "steps": state["steps"] + 1}


def loss(params, state, batch):
    return cross_entropy(state["weights"], *batch)


NETWORK = js.models.Network(init, step, loss)
TRAINING = js.Training(NETWORK, (X, Y), folds=3, epochs=8, batch_size=15)


def evaluate(evaluator, space, x):
    @jax.jit
    def run(evaluator, space, x):
        state = evaluator.init(jax.random.key(1), space, len(x))
        return evaluator.evaluate(jax.random.key(2), state, space, js.Candidates(x))[0]

    return run(evaluator, space, jnp.asarray(x, float))


def points(space, count=5):
    return jax.random.uniform(jax.random.key(0), (count, js.domain(space).size))


def test_it_learns_as_in_a_loop_written_by_hand():
    space = SPACE | {"noise": js.Float(0.01, 0.1)}
    x = points(space)
    found = evaluate(TRAINING, space, x).aux["folds"][2]
    params = js.decode(space, x[2])
    params["momentum"] = jnp.array([0.5, 0.9])[params["momentum"]]
    fold_of = np.asarray(TRAINING.init(jax.random.key(1), space, 5).fold)
    one_step = jax.jit(step)
    for fold in (0, 2):
        rows, held_out = fold_of != fold, fold_of == fold
        scaled = (X - X[rows].mean(0)) / X[rows].std(0)
        key = jax.random.fold_in(jax.random.split(jax.random.key(1))[1], fold)
        state = init(key, params)
        for epoch in range(8):
            word = random.bits(key, (), 2**31)
            order = jnp.argsort(jnp.where(rows, random.across(word, len(rows)), 2.0))
            word = random.hashed(word, jnp.uint32(2**31 + epoch))
            batches = np.asarray(shuffled(word, order, jnp.sum(rows), 60)).reshape(4, 15)
            for place, batch in enumerate(batches):
                key_step = jax.random.fold_in(key, 4 * epoch + place)
                state = one_step(key_step, params, state, (scaled[batch], Y[batch]))
        assert state["steps"] == 32
        assert float(found[fold]) == pytest.approx(
            float(loss(params, state, (scaled[held_out], Y[held_out]))), rel=1e-3
        )


def test_a_search_finds_a_good_configuration():
    def error(params, state, batch):
        return jnp.mean(jnp.argmax(logits(state["weights"], batch[0]), axis=1) != batch[1])

    training = dataclasses.replace(TRAINING, model=js.models.Network(init, step, error), epochs=20)
    strategy = js.GA(population_size=8)
    result = js.search(training, SPACE, strategy, key=jax.random.key(0), num_generations=3, progress=False)
    assert float(result.loss) < 0.15  # guessing: 0.5


def test_batches_and_epochs_of_the_space_are_those_of_training():
    space = {"batch_size": js.Choice(15, 30), "epochs": js.Choice(4, 8), **SPACE}  # coordinates go by name
    x = jnp.array([[size, epochs, 0.8, 0.2] for size in (0.2, 0.8) for epochs in (0.2, 0.8)])
    found = evaluate(TRAINING, space, x)
    assert found.aux["epochs"].tolist() == [4, 8, 4, 8]
    for row, (size, epochs) in [(1, (15, 8)), (2, (30, 4))]:
        alone = dataclasses.replace(TRAINING, batch_size=size, epochs=epochs)
        np.testing.assert_allclose(found.loss[row], evaluate(alone, SPACE, x[:1, 2:]).loss[0], rtol=1e-4)


ROWS = np.arange(23)


def look(measured, data, **arguments):
    """What a network sees that measures `measured(x, y)`, and nothing else, in every fold."""
    network = js.models.Network(
        lambda key, params: {"count": 0},
        lambda key, params, state, batch: {"count": state["count"] + len(batch[0])},
        lambda params, state, batch: measured(state["count"], *batch),
    )
    training = js.Training(network, data, epochs=2, batch_size=4, **arguments)
    state = training.init(jax.random.key(1), SPACE, 1)
    return np.asarray(evaluate(training, SPACE, points(SPACE, 1)).aux["folds"][0]), np.asarray(state.fold)


@pytest.mark.parametrize("measure", ["validation", "training"])
@pytest.mark.parametrize("folds", [1, 3, 5, 23])
def test_every_row_counts_where_it_should(folds, measure):
    rows = lambda count, x, y: jnp.sum(jnp.left_shift(1, x))  # noqa: E731  exact in float32 up to 2^24
    seen, fold = look(rows, (ROWS[:, None], ROWS.astype(np.float32)), folds=folds, measure=measure)
    counts = []
    for k in range(folds):
        mine = set(ROWS[(fold == k) == (measure == "validation")])
        found = {row for row in ROWS if int(seen[k]) >> row & 1}
        assert found <= mine
        assert len(mine) - len(found) <= (23 % folds > 0)
        counts.append(len(found))
    assert len(set(counts)) == 1


def test_integers_come_as_they_are_and_floats_standardized():
    tokens = np.random.default_rng(0).integers(0, 1000, (23, 7))
    targets = tokens + 1  # of every position
    seen, _ = look(lambda count, x, y: jnp.max(x) + 10_000 * jnp.sum(y != x + 1), (tokens, targets), folds=2)
    assert set(seen) <= set(tokens.reshape(-1).tolist())
    images = np.random.default_rng(0).normal([5, 100], [1, 30], (24, 6, 5, 2)).astype(np.float32)
    images[3, 2, 2, 1] = np.nan
    channel = lambda count, x, y: jnp.std(x[..., 1]) + 100 * jnp.any(jnp.isnan(x))  # noqa: E731
    seen, _ = look(channel, (images, ROWS[:1].repeat(24)), folds=2, measure="training")
    np.testing.assert_allclose(seen, 1, rtol=1e-2)


def test_a_diverged_member_fails_and_leaves_its_neighbours_alone():
    space = {"learning_rate": js.Float(1e-3, 1e38, log=True), "momentum": js.Choice(0.5)}

    def descend(key, params, state, batch):
        gradient = jax.grad(cross_entropy)(state["weights"], *batch)
        return {"weights": jax.tree.map(lambda w, g: w - params["learning_rate"] * g, state["weights"], gradient)}

    begin = lambda key, params: {"weights": init(key, params)["weights"]}  # noqa: E731
    training = dataclasses.replace(TRAINING, model=js.models.Network(begin, descend, loss))
    run = lambda rates: evaluate(training, space, [[rate, 0.5] for rate in rates]).loss  # noqa: E731
    tame, wild = run([0.02, 0.04, 0.03]), run([0.02, 1.0, 0.03])
    assert np.all(np.isfinite(tame))
    assert np.isnan(wild[1])
    np.testing.assert_array_equal(wild[jnp.array([0, 2])], tame[jnp.array([0, 2])])


def test_a_state_may_hold_infinity_but_nan_has_failed():
    def network(value):
        same = lambda key, params, state, batch: state  # noqa: E731
        return js.models.Network(lambda key, params: {"best": value}, same, lambda params, state, batch: 1)

    for value, expected in ((np.inf, 1.0), (np.nan, np.nan)):
        training = js.Training(network(value), (X, Y), folds=2, epochs=2)
        np.testing.assert_array_equal(evaluate(training, SPACE, points(SPACE, 2)).loss, [expected] * 2)


@pytest.mark.parametrize("wrap", [js.Sharded, js.Halving, lambda training: js.Halving(js.Sharded(training))])
def test_halved_and_on_many_devices_the_losses_are_the_same(wrap):
    space = SPACE | {"epochs": js.Choice(4, 8)}
    training, x = dataclasses.replace(TRAINING, folds=2, chunk_size=3), points(space, 16)
    plain, other = evaluate(training, space, x), evaluate(wrap(training), space, x)
    if isinstance(wrap(training), js.Sharded):
        np.testing.assert_allclose(other.loss, plain.loss, rtol=1e-5)
        return
    # What a curve ends with is full training; the best measurement may be an earlier one.
    in_full = np.asarray(other.aux["curve_epochs"])[:, -1] == np.asarray(plain.aux["epochs"])
    assert in_full.sum() == 1
    np.testing.assert_allclose(other.aux["curve"][in_full, -1], plain.loss[in_full], rtol=1e-5)


def test_a_whole_search_is_a_function_that_jit_and_vmap_take():
    def best(key, x):
        training = js.Training(NETWORK, (x, Y), folds=1, epochs=3, batch_size=15)
        return js.minimize(training, SPACE, js.RandomSearch(population_size=3), key=key, num_generations=2).loss

    keys = jax.random.split(jax.random.key(0), 2)
    together = jax.jit(jax.vmap(best, in_axes=(0, None)))(keys, jnp.asarray(X))
    np.testing.assert_allclose(together[1], jax.jit(best)(keys[1], jnp.asarray(X)), rtol=1e-4)


@pytest.mark.parametrize("data", [(X, Y), (np.round(X).astype(int), Y)])
def test_fit_gives_the_state_that_all_rows_lead_to(data):
    params = js.undescribe(SPACE, {"learning_rate": 0.03, "momentum": 0.9})
    training = js.Training(NETWORK, data, epochs=20, batch_size=15)
    fitted = js.fit(training, jax.random.key(0), SPACE, params)
    assert fitted.weights["steps"] == 20 * 6
    assert float(fitted.params["momentum"]) == pytest.approx(0.9)
    prepared = fitted.features.transform(jnp.asarray(data[0]))
    if np.issubdtype(data[0].dtype, np.floating):
        np.testing.assert_allclose(prepared, (X - X.mean(0)) / X.std(0), rtol=1e-3, atol=1e-4)
    else:
        np.testing.assert_array_equal(prepared, data[0])
    guess = np.argmax(logits(fitted.weights["weights"], prepared), axis=1)
    assert np.mean(guess != Y) < 0.25  # guessing: 0.5
    with pytest.raises(ValueError, match="Only a model of jaxsearch can predict; got a Network"):
        fitted.predict(X)
    with pytest.raises(ValueError, match="Only a model of jaxsearch is portable; got a Network"):
        fitted.portable()


def test_a_candidate_is_trained_again_bit_for_bit():
    training, x = dataclasses.replace(TRAINING, chunk_size=3, epochs=2), points(SPACE)
    results = evaluate(training, SPACE, x)
    params = jax.jit(jax.vmap(js.decode, in_axes=(None, 0)))(SPACE, x)
    key = jax.random.wrap_key_data(results.aux["key"][3])
    again = js.retrain(training, key, SPACE, jax.tree.map(lambda leaf: leaf[3], params))
    np.testing.assert_array_equal(again.aux["folds"], results.aux["folds"][3])


def change(**entries):
    return lambda key, params, state, batch: state | {name: change(state) for name, change in entries.items()}


@pytest.mark.parametrize(
    ("functions", "message"),
    [
        ({"init": 3}, r"init must be a function init\(key, params\); got 3"),
        ({"init": lambda key: {}}, r"init must take \(key, params\); got init\(key\)"),
        (
            {"step": lambda state, batch: state},
            r"step must take \(key, params, state, batch\); got step\(state, batch\)",
        ),
        (
            {"init": lambda key, params: {"act": jax.nn.relu}},
            r"init must return a state of arrays; state\['act'\] is <",
        ),
        ({"init": lambda key, params: {}}, "a state with at least one array; got {}"),
        (
            {"step": change(w=lambda s: s["w"][:2])},
            r"state\['w'\] was float\d+\[3\] and is now float\d+\[2\]\. Keep names",
        ),
        ({"step": change(n=lambda s: s["n"] / 2)}, r"state\['n'\] was int\d+\[\] and is now float\d+\[\]"),
        ({"step": change(m=lambda s: s["w"])}, r"state\['m'\] was not there and is now float\d+\[3\]"),
        ({"step": change(w=lambda s: None)}, r"state\['w'\] was float\d+\[3\] and is now not there"),
        ({"step": lambda key, params, state, batch: (state, 0.0)}, r"state\['n'\] was int\d+\[\] and is now not there"),
        (
            {"step": lambda key, params, state, batch: dict},
            "step must return a state of arrays; state is <class 'dict'>",
        ),
        ({"step": change(none=lambda s: None)}, "the tree was .* Build it as init does"),
        ({"loss": lambda params, state, batch: state["w"]}, r"loss must return one real number .* got float\d+\[3\]"),
        ({"loss": lambda params, state, batch: (0.0, {})}, "loss must return one real number"),
        ({"loss": lambda params, state, batch: None}, "loss must return one real number for a batch; got None"),
        ({"loss": lambda params, state, batch: 1j}, "loss must return one real number for a batch; got 1j"),
        ({"loss": lambda params, state, batch: jax.random.key(0)}, r"one real number for a batch; got key<fry>\[\]"),
    ],
)
def test_wrong_functions_are_told_in_one_line(functions, message):
    right = {
        "init": lambda key, params: {"n": 0, "w": np.zeros(3)},
        "step": lambda key, params, state, batch: state,
        "loss": lambda params, state, batch: 0,
    }
    with pytest.raises(ValueError, match=message) as caught:
        evaluate(js.Training(js.models.Network(**right | functions), (X, Y)), SPACE, points(SPACE))
    assert "\n" not in str(caught.value)


def test_what_makes_no_difference_is_told():
    ignorant = js.models.Network(init, lambda key, params, state, batch: state, loss)
    sizes = SPACE | {"batch_size": js.Choice(20, 40)}
    for training, space, message in (
        (js.Training(ignorant, (X, Y)), sizes, "every batch has 20 rows .* every params\\['batch_size'\\] // 20"),
        (js.Training(NETWORK, (X, Y), smaller=(NETWORK,)), SPACE, "smaller must be empty for a Network"),
        (js.Training(NETWORK, (X, Y)), SPACE | {"epochs": js.Float(1, 9)}, "epochs must be an Int with low >= 1"),
    ):
        with pytest.raises(ValueError, match=message):
            training.init(jax.random.key(0), space, 3)
