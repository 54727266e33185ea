"""A convolutional network as data: an independent forward pass, its counts, and the mistakes it tells."""

import dataclasses
import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxsearch as js
from jaxsearch.evaluators.parameters import numbers
from jaxsearch.models import convolution, portable

MODEL = js.models.ConvNet((9, 6, 2), 3, max_blocks=2, max_channels=6, grid=3, activations=("relu", "tanh"))
ACTIVATIONS = {"relu": lambda h: np.maximum(h, 0), "tanh": np.tanh}
SPACE = MODEL.space()
CONFIGURATIONS = [
    {"blocks": 1, "channels": 3, "growth": 1, "kernel": 3, "pooling": 0, "normalization": 1, "activation": 1},
    {"blocks": 2, "channels": 2, "growth": 2, "kernel": 5, "pooling": 1, "normalization": 0, "activation": 0},
    {"blocks": 2, "channels": 5, "growth": 2, "kernel": 2, "pooling": 0, "normalization": 0, "activation": 1},
    {"blocks": 2, "channels": 4, "growth": 1, "kernel": 4, "pooling": 1, "normalization": 1, "activation": 0},
]


@jax.jit
def built(configuration):
    """The completed parameters, weights and outputs of a configuration; biases are no zeros, to be seen."""
    params = MODEL.complete({}, configuration)
    weights = MODEL.init(MODEL.draw(jax.random.key(0)), params)
    weights = jax.tree.map(lambda leaf: leaf + 0.1 if leaf.ndim == 1 else leaf, weights)
    return params, weights, MODEL.apply(None, params, weights, images())


def images(count=7):
    return np.random.default_rng(0).normal(size=(count, 9, 6, 2)).astype(np.float32)


def forward(facts, layers, image):
    """The outputs for one image, place by place."""
    *blocks, (dense, bias) = layers
    h = image.astype(float)
    for w, b in blocks:
        size, (height, width) = len(w), h.shape[:2]
        wide = np.zeros((height + 2 * size, width + 2 * size, h.shape[2]))
        wide[size:-size, size:-size] = h
        out = np.empty((height, width, w.shape[-1]))
        for row, column in np.ndindex(height, width):
            top, left = size + row - size // 2, size + column - size // 2
            out[row, column] = np.einsum("yxi,yxio->o", wide[top : top + size, left : left + size], w)
        pooled = np.empty((height // 2, width // 2, w.shape[-1]))
        for row, column in np.ndindex(*pooled.shape[:2]):
            square = out[2 * row : 2 * row + 2, 2 * column : 2 * column + 2].reshape(4, -1)
            pooled[row, column] = square.max(0) if facts["pooling"] == "max" else square.mean(0)
        if facts["normalization"] == "layer":
            pooled = (pooled - pooled.mean()) / np.sqrt(pooled.var() + 1e-5)
        h = ACTIVATIONS[facts["activation"]](pooled + b)
    if len(h) == 4:  # rows, of which the grid has at most 3
        h = np.stack([3 * h[0] + h[1], 2 * h[1] + 2 * h[2], h[2] + 3 * h[3]]) / 4
    return h.reshape(-1) @ dense.reshape(-1, dense.shape[-1]) + bias


@pytest.mark.parametrize("configuration", CONFIGURATIONS)
def test_the_outputs_are_those_of_a_plain_forward_pass(configuration):
    params, weights, outputs = built(configuration)
    facts, layers = MODEL.compact(params, weights)
    expected = [forward(facts, layers, image) for image in images()]
    np.testing.assert_allclose(outputs, expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("configuration", CONFIGURATIONS)
def test_parameters_are_counted_and_shapes_are_their_own(configuration):
    params, weights, _ = built(configuration)
    _, layers = MODEL.compact(params, weights)
    assert sum(w.size + b.size for w, b in layers) == MODEL.num_parameters(params)
    channels = [min(configuration["channels"] * configuration["growth"] ** block, 6) for block in range(2)]
    sizes = [2, *channels[: configuration["blocks"]]]
    kernel = configuration["kernel"]
    assert [w.shape for w, _ in layers[:-1]] == [(kernel, kernel, *ends) for ends in itertools.pairwise(sizes)]
    products = [place * w.size for place, (w, _) in zip((54, 12), layers[:-1], strict=False)]
    assert MODEL.flops(params) == 2 * (sum(products) + layers[-1][0].size)
    full = MODEL.complete({}, {"blocks": configuration["blocks"]})
    assert MODEL.bounded(jax.tree.map(lambda leaf: leaf[None], params)).padded_flops() == MODEL.flops(full)


def test_a_large_network_is_counted_without_overflow():
    model = js.models.ConvNet((64, 64, 3), 1000, max_channels=256, grid=64)
    params = model.complete({}, {})
    kernels, dense = [25 * 3 * 256, 25 * 256 * 256, 25 * 256 * 256], 8 * 8 * 256 * 1000
    products = sum(side**2 * weights for side, weights in zip((64, 32, 16), kernels, strict=True))
    assert products > 2**31
    np.testing.assert_allclose(model.flops(params), 2 * (products + dense), rtol=1e-6)
    np.testing.assert_allclose(model.padded_flops(), 2 * (products + dense), rtol=1e-6)
    np.testing.assert_allclose(model.num_parameters(params), sum(kernels) + 3 * 256 + dense + 1000, rtol=1e-6)
    wide = js.models.ConvNet((64, 64, 3), 10_000, max_blocks=1, max_channels=256, grid=64)
    dense = 32 * 32 * 256 * 10_000
    np.testing.assert_allclose(wide.flops(wide.complete({}, {})), 2 * (64**2 * 25 * 3 * 256 + dense), rtol=1e-6)


def test_no_images_have_no_outputs():
    params, weights, _ = built(CONFIGURATIONS[0])
    saved = portable.PortableModel(*MODEL.compact(params, weights), np.zeros(2), np.ones(2), None, {})
    assert MODEL.apply(None, params, weights, images(0)).shape == saved.predict(images(0)).shape == (0, 3)


def test_more_images_than_are_computed_at_a_time_are_in_their_order(monkeypatch):
    params, weights, expected = built(CONFIGURATIONS[0])
    monkeypatch.setattr(convolution, "ROWS", 3)
    np.testing.assert_allclose(MODEL.apply(None, params, weights, images()), expected, rtol=1e-5, atol=1e-5)


@jax.jit
def gradient(configuration):
    params, weights, _ = built(configuration)
    return jax.grad(lambda w: jnp.sum(MODEL.apply(None, params, w, images()) ** 2))(weights)


@pytest.mark.parametrize("configuration", CONFIGURATIONS)
def test_weights_that_are_off_never_move_the_output(configuration):
    inputs, kernel = 2, configuration["kernel"]
    for block, layer in enumerate(gradient(configuration)["hidden"]):
        outputs = min(configuration["channels"] * configuration["growth"] ** block, 6) * (
            block < configuration["blocks"]
        )
        used = np.zeros(layer["w"].shape, bool)
        used[:kernel, :kernel, :inputs, :outputs] = True
        assert not np.any(np.asarray(layer["w"])[~used])
        assert np.all(np.any(np.asarray(layer["w"]), (0, 1))[:inputs, :outputs])
        np.testing.assert_array_equal(layer["b"] != 0, np.arange(6) < outputs)
        inputs = outputs


def test_weights_start_with_the_variance_of_the_active_fan_in():
    model = js.models.ConvNet((4, 4, 30), 9, max_blocks=2, max_channels=60, activations=("relu",))
    params = model.complete({}, {"channels": 20, "kernel": 3})
    weights = jax.jit(lambda key: model.init(model.draw(key), params))(jax.random.key(0))
    assert np.var(weights["hidden"][0]["w"]) == pytest.approx(1 / (3 * 9 * 30), rel=0.05)
    assert np.var(weights["hidden"][1]["w"]) == pytest.approx(1 / (3 * 9 * 20), rel=0.05)
    assert np.var(weights["output"]["w"]) == pytest.approx(1 / 20, rel=0.1)


@pytest.mark.parametrize(("height", "width", "inputs"), [(3, 3, 4), (5, 2, 1), (4, 3, 2)])
def test_convolution_and_its_slopes_are_those_of_jax(height, width, inputs):
    rng = np.random.default_rng(0)
    h, w = rng.normal(size=(inputs, 6, 5, 2)), rng.normal(size=(height, width, inputs, 7))
    reach = [(size // 2, (size - 1) // 2) for size in (height, width)]

    def theirs(h, w):
        return jax.lax.conv_general_dilated(h, w, (1, 1), reach, dimension_numbers=("CHWN", "HWIO", "CHWN"))

    def ours(h, w):
        rows, columns = (np.add(convolution.offsets(size), size // 2) for size in (height, width))
        return convolution.convolve(h, w[rows][:, columns])

    def slopes(function):
        return jax.jit(jax.value_and_grad(lambda h, w: jnp.sum(jnp.sin(function(h, w))), (0, 1)))(h, w)

    jax.tree.map(lambda *pair: np.testing.assert_allclose(*pair, rtol=1e-4, atol=1e-4), slopes(ours), slopes(theirs))


@pytest.mark.parametrize(("height", "width"), [(6, 4), (5, 3), (7, 2)])
def test_pooling_is_that_of_jax_without_an_odd_last_row_or_column(height, width):
    h = np.random.default_rng(0).normal(size=(2, height, width, 3)).astype(np.float32)
    windows = jax.jit(lambda h: jax.lax.reduce_window(h, -jnp.inf, jax.lax.max, (1, 2, 2, 1), (1, 2, 2, 1), "VALID"))
    np.testing.assert_array_equal(convolution.pool(("average", "max"), jnp.array(1), h), windows(h))


def test_a_large_image_is_averaged_over_few_cells_and_every_place_counts_the_same():
    h = np.arange(14, dtype=np.float32).reshape(1, 7, 2, 1)
    expected = np.array([0 + 2 + 4 / 3, 4 * 2 / 3 + 6 + 8 * 2 / 3, 8 / 3 + 10 + 12]) * 3 / 7
    np.testing.assert_allclose(convolution.shrink(h, 3)[0, :, 0, 0], expected, rtol=1e-6)
    np.testing.assert_allclose(convolution.shrink(h, 3)[0, :, 1, 0], expected + 1, rtol=1e-6)
    np.testing.assert_allclose(convolution.shrink(h, 1)[0, :, :, 0], [[6.5]])
    for size, grid in itertools.product(range(1, 41), range(1, 5)):
        cells = convolution.cells(size, grid)
        assert cells.shape == (min(size, grid), size)
        np.testing.assert_allclose(cells.sum(1), 1)
        np.testing.assert_allclose(cells.sum(0), len(cells) / size)


@pytest.mark.parametrize("grid", range(1, 5))
def test_images_of_every_size_have_outputs(grid):
    for side in range(2, 41):
        image = (side, side + 1, 1)
        model = js.models.ConvNet(image, 3, max_blocks=side.bit_length() - 1, max_channels=2, min_channels=1,
                                  max_kernel=1, grid=grid, activations=("relu",), normalizations=("none",))  # fmt: skip
        x = jax.ShapeDtypeStruct((2, *image), jnp.float32)
        outputs = jax.eval_shape(lambda w, x, m=model: m.apply(None, m.complete({}, {}), w, x), model.shapes(), x)
        assert outputs.shape == (2, 3)


@pytest.mark.parametrize(("height", "width", "grid"), [(18, 17, 4), (5, 5, 2), (28, 29, 4), (23, 11, 3)])
def test_every_place_moves_the_features_and_numpy_predicts_the_same(height, width, grid):
    model = js.models.ConvNet((height, width, 1), 2, max_blocks=2, max_channels=3, max_kernel=3, min_channels=1,
                              grid=grid, activations=("tanh",), normalizations=("none",))  # fmt: skip
    x = np.random.default_rng(0).normal(size=(3, height, width, 1)).astype(np.float32)

    @jax.jit
    def run(blocks):
        params = model.complete({}, {"blocks": blocks, "pooling": 1})
        weights = model.init(model.draw(jax.random.key(0)), params)
        total = lambda x: jnp.sum(convolution.features(model, params, weights["hidden"], x) ** 2)  # noqa: E731
        return params, weights, model.apply(None, params, weights, x), jax.grad(total)(jnp.asarray(x))

    for blocks in (1, 2):
        params, weights, outputs, slopes = run(blocks)
        size = 2**blocks
        assert np.all(np.asarray(slopes)[:, : height // size * size, : width // size * size])
        saved = portable.PortableModel(*model.compact(params, weights), np.zeros(1), np.ones(1), None, {})
        np.testing.assert_allclose(saved.predict(x), outputs, rtol=1e-4, atol=1e-5)


def test_the_space_has_what_the_model_and_the_trainer_read():
    assert set(SPACE) == {"learning_rate", "weight_decay", "dropout", "blocks", "growth", "channels", "kernel",
                          "pooling", "normalization", "activation"}  # fmt: skip
    MODEL.check_space(SPACE, also=("learning_rate", "weight_decay"))
    params = numbers(SPACE, js.sample(jax.random.key(0), SPACE))
    assert MODEL.complete(SPACE, params)["kernel"] in (3, 5)
    plain = js.models.ConvNet(
        (8, 8, 1), 2, max_blocks=1, max_channels=4, max_kernel=3, activations=("relu",), poolings=("max",),
        normalizations=("none",),
    )  # fmt: skip
    assert set(plain.space()) == {"learning_rate", "weight_decay", "dropout"}
    params = MODEL.complete(SPACE, {"blocks": 2, "channels": 2, "growth": 2, "kernel": 3, "pooling": 1, "dropout": 0.5})
    assert MODEL.summary(params) == (
        "2 blocks of 2-4 channels, 3 x 3, average pooling, no normalization, relu, dropout 0.50"
    )


def test_smaller_versions_are_cheaper_and_keep_what_fits():
    versions = MODEL.smaller()
    assert [(version.max_channels, version.max_kernel) for version in versions] == [(3, 3), (3, 5), (6, 3)]
    for configuration, fits in zip(CONFIGURATIONS[:3], [(1, 1, 1), (0, 0, 0), (0, 0, 1)], strict=True):
        assert [bool(version.fits(MODEL.complete({}, configuration))) for version in versions] == list(map(bool, fits))
    assert dataclasses.replace(MODEL, max_channels=1, min_channels=1, max_kernel=3).smaller() == ()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"image_shape": (9, 6)}, "image_shape must be \\(height, width, channels\\)"),
        ({"image_shape": [9, 6, 2]}, "image_shape must be \\(height, width, channels\\); got \\[9"),
        ({"max_blocks": 3}, "\\(9, 6\\) at most 2 times; got 3"),
        ({"max_kernel": 0}, "max_kernel must be an integer"),
        ({"min_channels": 40}, "min_channels must be at most max_channels=6"),
        ({"poolings": ("sum",)}, "poolings must be among max, average"),
        ({"normalizations": ()}, "normalizations must be among none, layer"),
        ({"activations": ("sine",)}, "activations must be among"),
    ],
)
def test_mistakes_are_told_when_made(arguments, message):
    with pytest.raises(ValueError, match=message):
        dataclasses.replace(MODEL, **arguments)


@pytest.mark.parametrize(
    ("space", "message"),
    [
        ({"kernel": js.Choice(3, 7)}, "kernel may be at most 5 in this ConvNet"),
        ({"channels": js.Int(2, 8)}, "channels may be at most 6"),
        ({"pooling": js.Choice("max", "sum")}, "the space names \\['sum'\\]"),
        ({"width": js.Int(2, 8)}, "Unknown parameter 'width'"),
        (
            {"blocks": js.Float(1, 2)},
            "blocks must be an Int with low >= 1 and shape \\(\\), or a Choice",
        ),
        ({"blocks": js.Int(0, 2)}, "blocks must be an Int with low >= 1"),
        ({"kernel": js.Choice(0, 3)}, "kernel must be an Int .* got Choice\\(0, 3\\). Write e.g. Choice\\(5\\)"),
        ({"kernel": js.Choice(3, 4.5)}, "kernel must be an Int"),
        ({"channels": js.Choice("few", "many")}, "channels must be an Int"),
        ({"channels": js.Int(1, 6, shape=(2,))}, "channels must be an Int"),
        ({"growth": js.Choice("slow", "fast")}, "growth must be a single number.* of at least 0; got Choice\\('slow'"),
        ({"growth": js.Float(-1, 2)}, "growth must be a single number"),
        ({"growth": js.Float(1, 2, shape=(1,))}, "growth must be a single number"),
        ({"growth": js.Switch(slow={}, fast={})}, "growth must be a single number"),
        ({"dropout": js.Choice("none", "half")}, "dropout must be a single number.* at least 0 and below 1; got"),
        ({"dropout": js.Int(0, 1)}, "dropout must be a single number"),
        ({"dropout": js.Float(0, 50)}, "got Float\\(low=0, high=50.*Write e.g. Float\\(0.0, 0.5\\)"),
        ({"pooling": js.Int(0, 1)}, "pooling must be a Choice of max, average; got Int.* Write Choice\\('max', 'av"),
        ({"activation": js.Float(0, 1)}, "activation must be a Choice of relu, tanh; got Float"),
    ],
)
def test_a_space_beyond_the_model_is_refused(space, message):
    with pytest.raises(ValueError, match=message):
        MODEL.check_space(space)
