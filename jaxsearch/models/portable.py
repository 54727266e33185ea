"""A trained network in one `.npz` file without pickle, and a reader that computes with NumPy."""

import json
import zipfile
from pathlib import Path
from typing import IO, Any, NamedTuple

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

ROWS = 256  # of images at a time

ACTIVATIONS = {
    "relu": lambda h: np.maximum(h, 0),
    "tanh": np.tanh,
    "silu": lambda h: h * (0.5 + 0.5 * np.tanh(h / 2)),  # a sigmoid that cannot overflow
    "gelu": lambda h: h * (0.5 + 0.5 * np.tanh(np.sqrt(2 / np.pi) * (h + 0.044715 * h**3))),
}


class PortableModel(NamedTuple):
    """A network with the preprocessing of its inputs and, for regression, of their target.

    facts: how to compute with the layers, as `compact` of the model gives it: `activation`, and for a network of images
        their shape, `pooling` and `normalization`; for cells `num_cells`, `num_nodes` and `edges`, each two nodes and
        an operation. layers: `(w, b)` of each layer, the output's last.
    mean, factor: `[F]` of the features, `[C]` for images. target: mean and factor of a regression's target, None for
    classification. about: plain facts, e.g. class names.
    """

    facts: dict[str, Any]
    layers: list[tuple[np.ndarray, np.ndarray]]
    mean: np.ndarray
    factor: np.ndarray
    target: tuple[float, float] | None
    about: dict[str, Any]

    def predict(self, x: np.ndarray) -> np.ndarray:
        """Logits `[n, O]`, or values `[n]` for regression, for the rows `x` `[n, F]`; NaN is missing.

        Images are `[n, H, W, C]`, or flat.
        """
        shape = self.facts.get("image_shape", x.shape[1:])
        h = np.nan_to_num((x.reshape(len(x), *shape) - self.mean) * self.factor, nan=0.0)
        run = self._convolved if "image_shape" in self.facts else self._cells if "edges" in self.facts else self._dense
        outputs = np.concatenate([run(h[begin : begin + ROWS]) for begin in range(0, max(len(h), 1), ROWS)])
        if self.target is None:
            return outputs
        mean, factor = self.target
        return outputs[:, 0] / (factor if factor > 0 else 1) + mean

    def _dense(self, h: np.ndarray) -> np.ndarray:
        *hidden, (w, b) = self.layers
        for hidden_w, hidden_b in hidden:
            h = ACTIVATIONS[self.facts["activation"]](h @ hidden_w + hidden_b)
        return h @ w + b

    def _cells(self, h: np.ndarray) -> np.ndarray:
        (first_w, first_b), *rest, (w, b) = self.layers
        h, layers = h @ first_w + first_b, iter(rest)
        for _ in range(self.facts["num_cells"]):
            nodes = [h] + [np.zeros_like(h)] * (self.facts["num_nodes"] - 1)
            for i, j, name in self.facts["edges"]:
                nodes[j] = nodes[j] + (nodes[i] if name == "skip" else _weighted(name, nodes[i], *next(layers)))
            h = nodes[-1]
        return h @ w + b

    def _convolved(self, h: np.ndarray) -> np.ndarray:
        *blocks, (w, b) = self.layers
        for kernel, bias in blocks:
            squares = _squares(_convolution(h, kernel))
            h = squares.max((2, 4)) if self.facts["pooling"] == "max" else squares.mean((2, 4))
            if self.facts["normalization"] == "layer":
                centred = h - h.mean((1, 2, 3), keepdims=True)
                h = centred / np.sqrt((centred**2).mean((1, 2, 3), keepdims=True) + 1e-5)
            h = ACTIVATIONS[self.facts["activation"]](h + bias)
        h = _averaged(_averaged(h, 1, w.shape[0]), 2, w.shape[1])
        return h.reshape(-1, w[..., 0].size) @ w.reshape(-1, w.shape[-1]) + b


def _weighted(name: str, h: np.ndarray, w: np.ndarray, b: np.ndarray) -> np.ndarray:
    """An operation of a cell on the states `h` `[n, W]`."""
    z = h @ w + b
    return h * (0.5 + 0.5 * np.tanh(z / 2)) if name == "gated" else ACTIVATIONS[name](z)


def _convolution(h: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    """`[n, H, W, O]`, with zeros around the images `h` `[n, H, W, C]`; kernel: `[height, width, C, O]`."""
    around = [(size // 2, (size - 1) // 2) for size in kernel.shape[:2]]
    windows = sliding_window_view(np.pad(h, [(0, 0), *around, (0, 0)]), kernel.shape[:2], (1, 2))
    return np.tensordot(windows, kernel, ((3, 4, 5), (2, 0, 1)))


def _squares(h: np.ndarray) -> np.ndarray:
    """`[n, H // 2, 2, W // 2, 2, C]`, the squares of 2 x 2 of `h` `[n, H, W, C]`, without the rest."""
    count, rows, columns, channels = len(h), h.shape[1] // 2, h.shape[2] // 2, h.shape[3]
    return h[:, : rows * 2, : columns * 2].reshape(count, rows, 2, columns, 2, channels)


def _averaged(h: np.ndarray, axis: int, count: int) -> np.ndarray:
    """`h` with so many cells of equal length along an axis, each the average of its places by their shares."""
    ends = np.linspace(0, h.shape[axis], count + 1)[:, None]
    places = np.arange(h.shape[axis])
    shares = np.clip(np.minimum(ends[1:], places + 1) - np.maximum(ends[:-1], places), 0, None)
    weights = (shares * count / len(places)).astype(h.dtype)
    return np.moveaxis(np.tensordot(h, weights, (axis, 1)), -1, axis)


def save(path: str | Path | IO[bytes], model: PortableModel) -> None:
    """Writes the model to `path`, or into an open file."""
    arrays = {
        f"{name}{i}": part for i, layer in enumerate(model.layers) for name, part in zip("wb", layer, strict=True)
    }
    facts = json.dumps({"model": model.facts, "num_layers": len(model.layers), "about": model.about})
    target = np.array([] if model.target is None else model.target)
    np.savez(
        path, allow_pickle=False, facts=np.array(facts), mean=model.mean, factor=model.factor, target=target, **arrays
    )


def load(path: str | Path) -> PortableModel:
    """Reads what `save` wrote; never runs code from the file. Raises ValueError if it is not such a file."""
    try:
        with Path(path).open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            facts = json.loads(str(arrays["facts"]))
            layers = [(arrays[f"w{i}"], arrays[f"b{i}"]) for i in range(facts["num_layers"])]
            target = tuple(arrays["target"].tolist()) or None
            return PortableModel(facts["model"], layers, arrays["mean"], arrays["factor"], target, facts["about"])
    except (KeyError, TypeError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise ValueError(f"{path} is not a model written by jaxsearch ({error}). Train it again.") from None
