import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxsearch as js
from jaxsearch.models import activations, portable


@pytest.mark.parametrize("name", activations.VARIANCE)
def test_activations_are_those_of_jax_and_so_are_their_slopes(name):
    h, names = jnp.linspace(-6, 6, 101), tuple(activations.VARIANCE)
    theirs = jnp.tanh if name == "tanh" else getattr(jax.nn, name)

    def ours(h):
        return activations.activate(names, jnp.array(names.index(name)), h)

    np.testing.assert_allclose(ours(h), theirs(h), rtol=1e-5, atol=1e-5)
    for values in (ours, lambda h: activations.activate((name,), jnp.array(0), h)):
        slopes = jax.vmap(jax.grad(lambda h, values=values: values(h[None])[0]))(h)
        np.testing.assert_allclose(slopes, jax.vmap(jax.grad(theirs))(h), rtol=1e-4, atol=1e-5)


def test_activations_agree_with_those_trained_with():
    h = np.linspace(-30, 30, 301).astype(np.float32)
    for name, function in portable.ACTIVATIONS.items():
        np.testing.assert_allclose(
            function(h), activations.activate((name,), jnp.array(0), jnp.asarray(h)), rtol=1e-4, atol=1e-4
        )
    assert portable.ACTIVATIONS.keys() == activations.VARIANCE.keys()


FAMILIES = {
    "MLP": lambda outputs: js.models.MLP(4, outputs, max_layers=3, max_width=16),
    "ConvNet": lambda outputs: js.models.ConvNet((9, 6, 2), outputs, max_blocks=2, max_channels=6, grid=3),
    "CellNet": lambda outputs: js.models.CellNet(
        4, outputs, num_nodes=3, num_cells=2, width=6, operations=("gated", "tanh", "skip", "zero")
    ),
}


@pytest.mark.parametrize("task", ["classification", "regression"])
@pytest.mark.parametrize("family", FAMILIES)
def test_a_saved_model_predicts_the_same_with_numpy_alone(tmp_path, family, task):
    model = FAMILIES[family](3 if task == "classification" else 1)
    rng = np.random.default_rng(0)
    x = rng.normal(3, 5, size=(60, *model.input_shape)).astype(np.float32)
    x.reshape(60, -1)[3, 1] = np.nan
    y = rng.integers(0, 3, 60) if task == "classification" else rng.normal(50, 9, 60).astype(np.float32)
    evaluator = js.Training(model, (x, y), metric="error" if task == "classification" else "mae", folds=2, epochs=3)
    space = model.space()
    fitted = js.fit(evaluator, jax.random.key(0), space, js.sample(jax.random.key(1), space))
    portable.save(tmp_path / "model.npz", fitted.portable({"k": [1]}))
    loaded = portable.load(tmp_path / "model.npz")
    np.testing.assert_allclose(loaded.predict(x), fitted.predict(x), rtol=1e-4, atol=1e-4)
    np.testing.assert_array_equal(loaded.predict(x.reshape(60, -1)), loaded.predict(x))
    assert loaded.about == {"k": [1]}


def test_other_files_are_refused(tmp_path):
    path = tmp_path / "model.npz"
    for write in (
        lambda: path.write_bytes(b""),
        lambda: path.write_text("text"),
        lambda: np.savez(path, a=np.zeros(2)),
    ):
        write()
        with pytest.raises(ValueError, match="not a model written by jaxsearch"):
            portable.load(path)
    np.savez(path, facts=np.array({"a": 1}, dtype=object))  # needs pickle to read
    with pytest.raises(ValueError, match="not a model written by jaxsearch"):
        portable.load(path)
