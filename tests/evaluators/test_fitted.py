import dataclasses

import jax
import numpy as np
import pytest

import jaxsearch as js

X = np.random.default_rng(0).normal(size=(90, 4)).astype(np.float32)
Y = (X[:, 0] * X[:, 1] > 0).astype(np.int32)
MODEL = js.models.MLP(4, 2, max_layers=2, max_width=40)
TRAINING = js.Training(
    MODEL, (X, Y), metric="cross_entropy", folds=3, epochs=16, batch_size=16, chunk_size=3, smaller=MODEL.smaller()[:1]
)
SPACE = MODEL.space()


@pytest.mark.parametrize("evaluator", [TRAINING, js.Halving(js.Sharded(TRAINING))])
def test_any_candidate_of_a_search_is_trained_again_bit_for_bit(evaluator):
    generations = []
    js.search(
        evaluator,
        SPACE,
        js.RandomSearch(population_size=16),
        key=jax.random.key(5),
        num_generations=2,
        callback=generations.append,
    )
    decode = jax.jit(jax.vmap(js.decode, in_axes=(None, 0)))  # eager arithmetic may round otherwise
    for generation, row in ((generations[0], 3), (generations[1], int(np.argmin(generations[1].results.loss)))):
        aux = jax.tree.map(lambda leaf, row=row: leaf[row], generation.results.aux)
        params = jax.tree.map(lambda leaf, row=row: leaf[row], decode(SPACE, generation.candidates.x))
        key = jax.random.wrap_key_data(aux["key"])
        again = js.retrain(TRAINING, key, SPACE, params, int(aux["epochs"]))
        np.testing.assert_array_equal(again.aux["folds"], aux["folds"])


def test_the_best_of_a_search_is_trained_to_where_it_was_measured_bit_for_bit():
    """The targets are noise, so that training longer overfits and the optimum is early."""
    noise = np.random.default_rng(1).integers(0, 2, 90).astype(np.int32)
    training = dataclasses.replace(TRAINING, data=(X, noise), smaller=())
    space = SPACE | {"learning_rate": js.Float(0.03, 0.3, log=True)}
    settings = {"key": jax.random.key(5), "num_generations": 1}
    result = js.minimize(js.Halving(training), space, js.RandomSearch(population_size=16), **settings)
    assert int(result.aux["epochs"]) < 16
    assert float(result.loss) == pytest.approx(float(np.mean(result.aux["folds"])), rel=1e-6)
    assert float(result.loss) < result.aux["curve"][-1]
    decode = jax.jit(jax.vmap(js.decode, in_axes=(None, 0)))
    params = jax.tree.map(lambda leaf: leaf[0], decode(space, result.x[None]))
    key = jax.random.wrap_key_data(result.aux["key"])
    again = js.retrain(training, key, space, params, result.aux["epochs"])
    np.testing.assert_array_equal(again.aux["folds"], result.aux["folds"])
    in_full = js.retrain(training, key, space, params)
    assert float(in_full.loss) > float(result.loss)


def test_fit_stops_where_it_is_told_on_the_schedule_of_all_epochs(compilations):
    params = js.undescribe(SPACE, PLAIN)
    whole = js.fit(TRAINING, jax.random.key(0), SPACE, params)
    same = js.fit(TRAINING, jax.random.key(0), SPACE, params, num_epochs=np.int32(16))
    jax.tree.map(np.testing.assert_array_equal, whole.weights, same.weights)
    compilations()
    part = js.fit(TRAINING, jax.random.key(0), SPACE, params, num_epochs=4)
    assert compilations() == 0
    # Of a shorter training the learning rate would fall earlier: at 4 of 16 epochs it is still that of the start.
    longer = dataclasses.replace(TRAINING, epochs=64)
    constant = js.fit(longer, jax.random.key(0), SPACE, params, num_epochs=4)
    jax.tree.map(np.testing.assert_array_equal, part.weights, constant.weights)
    shorter = js.fit(dataclasses.replace(TRAINING, epochs=4), jax.random.key(0), SPACE, params)
    assert any(np.any(a != b) for a, b in zip(*map(jax.tree.leaves, (part.weights, shorter.weights)), strict=True))
    for wrong in (0, -1, 2.0, True, np.ones(2, int)):
        with pytest.raises(ValueError, match="num_epochs must be an integer of at least 1; got .* Leave it out"):
            js.fit(TRAINING, jax.random.key(0), SPACE, params, num_epochs=wrong)


PLAIN = {
    "layers": 2,
    "width": 33,
    "activation": "tanh",
    "dropout": 0.0,
    "learning_rate": 0.03,
    "weight_decay": 1e-3,
}


def test_no_epochs_train_nothing_and_other_numbers_of_epochs_compile_nothing(compilations):
    params = js.undescribe(SPACE, PLAIN)
    some = js.retrain(TRAINING, jax.random.key(0), SPACE, params, 2)
    assert int(some.aux["epochs"]) == 2
    compilations()
    none = js.retrain(TRAINING, jax.random.key(0), SPACE, params, 0)
    assert compilations() == 0
    assert int(none.aux["epochs"]) == 0
    assert np.isnan(none.loss)


def test_the_final_network_is_trained_on_all_rows():
    params = js.undescribe(SPACE, PLAIN)
    fitted = js.fit(TRAINING, jax.random.key(0), SPACE, params)
    error = np.mean(np.argmax(fitted.predict(X), axis=1) != Y)
    assert error < 0.2  # guessing: 0.5
    np.testing.assert_allclose(fitted.features.mean, X.mean(0), rtol=1e-4, atol=1e-6)
    for x in (X[0], X[:, :3]):
        with pytest.raises(ValueError, match="takes rows of shape \\(4,\\); x has shape .* single row by x\\[None\\]"):
            fitted.predict(x)
    with pytest.raises(ValueError, match="Unknown parameter 'learning_rat'. Did you mean learning_rate"):
        js.fit(TRAINING, jax.random.key(0), {"learning_rat": js.Float(0, 1)}, {"learning_rat": 0.03})


def test_the_final_network_weighs_classes_as_the_search_did():
    """Nine rows of ten are of one class and nothing tells which: balanced weights alone make both as likely."""
    x, y = np.zeros((40, 2), np.float32), (np.arange(40) % 10 == 0).astype(np.int32)
    model = js.models.MLP(2, 2, max_layers=1, max_width=8)
    params = {"learning_rate": np.float32(0.05)}
    space = {"learning_rate": js.Float(0.01, 0.1)}
    shares = {}
    for weights in (None, "balanced"):
        training = js.Training(model, (x, y), folds=2, epochs=20, batch_size=40, class_weights=weights)
        logits = js.fit(training, jax.random.key(0), space, params).predict(x[:1])
        shares[weights] = float(jax.nn.softmax(logits)[0, 1])
    assert shares[None] < 0.3
    assert shares["balanced"] == pytest.approx(0.5, abs=0.1)
