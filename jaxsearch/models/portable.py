"""A trained network in one `.npz` file without pickle, and a reader that computes with NumPy."""

import json
import zipfile
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

ACTIVATIONS = {
    "relu": lambda h: np.maximum(h, 0),
    "tanh": np.tanh,
    "silu": lambda h: h * (0.5 + 0.5 * np.tanh(h / 2)),  # a sigmoid that cannot overflow
    "gelu": lambda h: h * (0.5 + 0.5 * np.tanh(np.sqrt(2 / np.pi) * (h + 0.044715 * h**3))),
}


class PortableModel(NamedTuple):
    """Dense layers with the preprocessing of their inputs and, for regression, of their target.

    layers: `(w [in, out], b [out])` of each layer, the output's last. mean, factor: `[F]` of the features.
    target: mean and factor of a regression's target, None for classification. about: plain facts, e.g. class names.
    """

    activation: str
    layers: list[tuple[np.ndarray, np.ndarray]]
    mean: np.ndarray
    factor: np.ndarray
    target: tuple[float, float] | None
    about: dict[str, Any]

    def predict(self, x: np.ndarray) -> np.ndarray:
        """Logits `[n, C]`, or values `[n]` for regression, for the features `x` `[n, F]`; NaN is missing."""
        h = np.nan_to_num((x - self.mean) * self.factor, nan=0.0)
        for w, b in self.layers[:-1]:
            h = ACTIVATIONS[self.activation](h @ w + b)
        outputs = h @ self.layers[-1][0] + self.layers[-1][1]
        if self.target is None:
            return outputs
        mean, factor = self.target
        return outputs[:, 0] / (factor if factor > 0 else 1) + mean


def save(path: str | Path, model: PortableModel) -> None:
    """Writes the model to `path`."""
    arrays = {
        f"{name}{i}": part for i, layer in enumerate(model.layers) for name, part in zip("wb", layer, strict=True)
    }
    facts = json.dumps({"activation": model.activation, "num_layers": len(model.layers), "about": model.about})
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
            return PortableModel(facts["activation"], layers, arrays["mean"], arrays["factor"], target, facts["about"])
    except (KeyError, TypeError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise ValueError(f"{path} is not a model written by jaxsearch ({error}). Train it again.") from None
