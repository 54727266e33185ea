import numpy as np
import pytest
from scipy import ndimage
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier

from jaxsearch.problems import mnist1d


def test_its_form():
    x, y = mnist1d.generate(0)
    assert (x.shape, x.dtype, y.dtype) == ((5000, 40), np.float32, np.int32)
    np.testing.assert_array_equal(np.bincount(y), 500)
    assert np.mean(x) == pytest.approx(0, abs=1e-5)
    assert np.std(x) == pytest.approx(1, abs=1e-5)
    assert np.any(x != mnist1d.generate(1)[0])
    np.testing.assert_array_equal(x, mnist1d.generate(0)[0])


def test_interpolation_and_smoothing_agree_with_numpy_and_scipy():
    random = np.random.default_rng(0)
    values, place = random.normal(size=(5, 30)), random.uniform(0, 29, size=(5, 12))
    expected = [np.interp(where, np.arange(30), row) for where, row in zip(place, values, strict=True)]
    np.testing.assert_allclose(mnist1d._interpolated(values, place), expected)
    np.testing.assert_allclose(mnist1d._smooth(values), ndimage.gaussian_filter1d(values, 2, axis=1), atol=1e-12)


def test_a_signal_is_its_template_where_nothing_is_random():
    """With no padding drawn but the least, template 0 ends where its share of the length ends."""
    signal, inside = mnist1d._stretched(np.array([0]), np.array([[mnist1d.LEAST_PADDING]]))
    template = mnist1d.TEMPLATES[0]
    expected = (template - template[0]) / template.std() / 6
    np.testing.assert_allclose(signal[0, np.isclose(signal[0], expected.max())], expected.max())
    assert inside.sum() == pytest.approx(72 * 12 / 47, abs=2)
    np.testing.assert_array_equal(signal[0, ~inside[0]], 0)


def test_models_have_the_errors_of_the_reference():
    """68 % for a linear model and 32 % for an MLP; here the MLP trains for a tenth of the reference's steps."""
    x, y = mnist1d.generate(0)
    train, test = slice(4000), slice(4000, None)
    linear = 1 - LogisticRegression(max_iter=300).fit(x[train], y[train]).score(x[test], y[test])
    assert 0.64 < linear < 0.72
    network = MLPClassifier(
        (100, 100), max_iter=15, learning_rate_init=1e-2, random_state=0, tol=0, early_stopping=False
    )
    with pytest.warns(match="Maximum iterations"):
        network.fit(x[train], y[train])
    assert 0.28 < 1 - network.score(x[test], y[test]) < 0.45
