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
