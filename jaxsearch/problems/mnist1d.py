"""MNIST-1D: ten classes of short signals, made from one template each, that tell kinds of networks apart.

A linear model has an error of 68 %, an MLP of 32 %, a convolutional network of 6 %.

References: Greydanus, Kobak, Scaling Down Deep Learning with MNIST-1D, ICML, 2024 (arXiv 2011.14439).
"""

import numpy as np

# The heights of the ten digits, as published with the reference.
TEMPLATES = np.array(
    [
        [5, 6, 6.5, 6.75, 7, 7, 7, 7, 6.75, 6.5, 6, 5],
        [5, 3, 3, 3.4, 3.8, 4.2, 4.6, 5, 5.4, 5.8, 5, 5],
        [5, 6, 6.5, 6.5, 6, 5.25, 4.75, 4, 3.5, 3.5, 4, 5],
        [5, 6, 6.5, 6.5, 6, 5, 5, 6, 6.5, 6.5, 6, 5],
        [5, 4.4, 3.8, 3.2, 2.6, 2.6, 5, 5, 5, 5, 5, 5],
        [5, 3, 3, 3, 3, 5, 6, 6.5, 6.5, 6, 4.5, 5],
        [5, 4, 3.5, 3.25, 3, 3, 3, 3, 3.25, 3.5, 4, 5],
        [5, 7, 7, 6.6, 6.2, 5.8, 5.4, 5, 4.6, 4.2, 5, 5],
        [5, 4, 3.5, 3.5, 4, 5, 5, 4, 3.5, 3.5, 4, 5],
        [5, 4, 3.5, 3.5, 4, 5, 5, 5, 5, 4.7, 4.3, 5],
    ]
)
LEAST_PADDING, MOST_PADDING = 36, 60
LENGTH = TEMPLATES.shape[1] + MOST_PADDING  # of a signal until it is sampled at NUM_FEATURES places
NUM_FEATURES = 40


def generate(seed: int, per_class: int = 500) -> tuple[np.ndarray, np.ndarray]:
    """Signals `[10 * per_class, 40]` float32 of mean 0 and variance 1, and their classes int32, in random order.

    A template is padded with zeros, stretched, scaled, rotated, put into smooth and white noise and sheared; the
    parameters are those of the reference, the random numbers are not, so these are other signals of the same kind.

    Args:
        seed: decides every draw.
        per_class: the reference has 400 of each class for training and 100 for testing; the default is all of them.
    """
    random = np.random.default_rng(seed)
    y = random.permutation(np.repeat(np.arange(10, dtype=np.int32), per_class))
    count = (len(y), 1)
    signal, inside = _stretched(y, random.integers(LEAST_PADDING, MOST_PADDING + 1, count))
    signal *= 1 + 0.4 * random.uniform(-0.5, 0.5, count)
    origin = (np.arange(LENGTH) - random.integers(0, 48, count)) % LENGTH  # the place that each point is rotated from
    signal, inside = (np.take_along_axis(part, origin, axis=1) for part in (signal, inside))
    signal = np.where(inside, signal, _smooth(0.25 * random.normal(size=signal.shape)))
    signal += 0.02 * random.normal(size=signal.shape)
    signal -= 0.75 * random.uniform(-0.5, 0.5, count) * np.linspace(-0.5, 0.5, LENGTH)
    x = _interpolated(signal, np.broadcast_to(np.linspace(0, LENGTH - 1, NUM_FEATURES), (len(y), NUM_FEATURES)))
    return ((x - x.mean()) / x.std()).astype(np.float32), y


def _stretched(y: np.ndarray, padding: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The templates of `y` with `padding` `[n, 1]` zeros, stretched to `[n, LENGTH]`, and where the template is."""
    templates = (TEMPLATES - TEMPLATES.mean(1, keepdims=True)) / TEMPLATES.std(1, keepdims=True)
    templates = (templates - templates[:, :1]) / 6  # a signal starts at 0
    width = templates.shape[1]
    padded = np.pad(templates, ((0, 0), (0, MOST_PADDING)))
    place = np.linspace(0, 1, LENGTH) * (width + padding - 1)
    return _interpolated(padded[y], place), place < width


def _smooth(noise: np.ndarray) -> np.ndarray:
    """A Gaussian filter of standard deviation 2, cut at 4 standard deviations, the ends reflected."""
    offset = np.arange(-8, 9)
    weights = np.exp(-((offset / 2) ** 2) / 2)
    padded = np.pad(noise, ((0, 0), (8, 8)), mode="symmetric")
    return np.lib.stride_tricks.sliding_window_view(padded, len(offset), axis=1) @ (weights / weights.sum())


def _interpolated(values: np.ndarray, place: np.ndarray) -> np.ndarray:
    """The rows of `values` `[n, L]` read at `place` `[n, M]`, in 0 .. L - 1, between neighbours linearly."""
    low = np.clip(np.floor(place).astype(int), 0, values.shape[1] - 2)
    below, above = np.take_along_axis(values, low, axis=1), np.take_along_axis(values, low + 1, axis=1)
    return below + (place - low) * (above - below)
