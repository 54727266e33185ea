"""What must hold before anything is trained."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer

from jaxsearch.core.names import check_name
from jaxsearch.core.population import check_count
from jaxsearch.core.pytree import is_number, is_real
from jaxsearch.evaluators.metrics import Metric, metrics
from jaxsearch.models.network import Network


def check_training(training: Any) -> None:
    """Raises ValueError for fields of a `Training` that are out of range or do not fit together."""
    check_name("measure", training.measure, ("validation", "training"))
    _check_class_weights(training)
    for name in ("folds", "epochs", "batch_size"):
        check_count(name, getattr(training, name))
    check_count("chunk_size", 1 if training.chunk_size is None else training.chunk_size)
    if not (is_number(training.validation_share) and 0 < training.validation_share < 1):
        raise ValueError(f"validation_share must be between 0 and 1; got {training.validation_share!r}. Try 0.2.")
    for name in ("max_parameters", "max_flops"):
        limit = getattr(training, name)
        never = isinstance(limit, list | tuple | dict | str | bytes | complex)
        if never or (isinstance(limit, int | float) and not (limit > 0 and is_real(limit))):
            raise ValueError(f"{name} must be above 0; got {limit!r}. Leave it out for no limit.")
    limited = training.max_parameters is not None or training.max_flops is not None
    by_row = training.groups is not None or training.weights is not None
    if isinstance(training.model, Network) and (by_row or training.class_weights or limited):
        raise ValueError(
            "Groups, weights, class_weights, max_parameters and max_flops need a model of jaxsearch.models; this is a "
            "Network. Leave them out."
        )
    _check_parts(training)
    if all(isinstance(part, np.ndarray | jax.Array) for part in training.data):  # else placeholders of a transformation
        x, y = training.data
        check_data(training.model, x, y, metrics[training.metric], training.folds)
        for name in ("groups", "weights"):
            part = getattr(training, name)
            if isinstance(part, np.ndarray | np.generic | jax.Array) and part.shape != (len(x),):
                raise ValueError(
                    f"{name} must have one entry for each of {len(x)} rows; got shape {part.shape}. Reshape them."
                )


def _check_class_weights(training: Any) -> None:
    """Raises ValueError unless they are None, "balanced" or a weight for each class of a classification."""
    found = training.class_weights
    if found is None:
        return
    if isinstance(found, str):
        check_name("class_weights", found, ("balanced",))
    elif not (isinstance(found, tuple) and all(is_number(one) and 0 < one < np.inf for one in found)):
        rule = "class_weights must be 'balanced' or a tuple of numbers above 0"
        raise ValueError(f"{rule}; got {found!r:.200}. Leave them out for classes that weigh what their rows do.")
    if metrics[training.metric].task == "regression":
        raise ValueError(f"class_weights are for classes; the metric {training.metric} has none. Leave them out.")
    classes = getattr(training.model, "num_outputs", None)
    if isinstance(found, tuple) and classes not in (None, len(found)):
        raise ValueError(f"class_weights must be one for each of {classes} classes; got {len(found)}. Give all.")


def _check_parts(training: Any) -> None:
    """Raises ValueError for data, groups, weights or smaller models that cannot be any, nor stand for them."""
    smaller, groups, weights = training.smaller, training.groups, training.weights
    if not isinstance(smaller, tuple) or any(type(model) is not type(training.model) for model in smaller):
        raise ValueError(f"smaller must be a tuple of models of the same kind; got {smaller!r}. Use model.smaller().")
    if not isinstance(training.data, tuple | list) or len(training.data) != 2:
        raise ValueError(f"Data must be two arrays, x and y; got {training.data!r:.200}. Write data=(x, y).")
    for part in (*training.data, groups, weights):
        foreign = hasattr(part, "__array__") and not isinstance(part, np.ndarray | np.generic | jax.Array)
        if foreign or isinstance(part, list | tuple | dict | str | bytes | int | float | complex):  # e.g. a data frame
            kind = type(part).__name__
            raise ValueError(f"Data, groups and weights must be arrays; got a {kind}. Use numpy.asarray.")
    if isinstance(groups, np.ndarray | jax.Array) and groups.dtype.kind not in "iu":
        raise ValueError(f"Groups must be integers; got {groups.dtype}. Number them.")
    if isinstance(weights, np.ndarray):
        wrong = ~((weights > 0) & (weights < np.inf)) if weights.dtype.kind in "iuf" else np.ones(weights.shape)
        if count := int(np.sum(wrong)):
            raise ValueError(f"Weights must be numbers above 0; {count} are not. Leave rows of weight 0 out.")


def check_data(model: Any, x: Any, y: Any, metric: Metric, num_folds: int) -> None:
    """Raises ValueError unless the rows fit together, the model, the metric and the folds."""
    if not isinstance(model, Network) and not hasattr(model, "input_shape"):
        raise ValueError(f"A model must be one of jaxsearch.models; got {model!r}. Use e.g. MLP or Network.")
    if np.ndim(x) < 2 or np.ndim(y) < 1 or len(x) != len(y):
        raise ValueError(
            f"Data must be x [n, ...] and y [n]; got shapes {np.shape(x)} and {np.shape(y)}. Reshape them."
        )
    if max(2, num_folds) > len(x):
        raise ValueError(f"{num_folds} folds need as many rows; the data have {len(x)}. Use fewer folds.")
    if not isinstance(model, Network):
        _check_fit(model, x, y, metric)


def _check_fit(model: Any, x: Any, y: Any, metric: Metric) -> None:
    if x.shape[1:] != model.input_shape:
        raise ValueError(f"The model takes rows of shape {model.input_shape}; x has {x.shape[1:]}. Make it to fit.")
    if y.ndim != 1:
        raise ValueError(f"The model needs one target for every row, y [n]; got shape {y.shape}. Reshape it.")
    _check_numbers("x", x, "finite, or NaN where it is missing", np.isinf)
    _check_numbers("y", y, "finite", lambda numbers: ~np.isfinite(numbers))
    integers = jnp.issubdtype(y.dtype, jnp.integer)
    if metric.task == "classification" and not integers:
        raise ValueError(f"The metric {metric.name} needs integer classes; y is {y.dtype}. Use y.astype(int), or mse.")
    if (
        metric.task == "classification"
        and not isinstance(y, Tracer)
        and not 0 <= y.min() <= y.max() < model.num_outputs
    ):
        raise ValueError(
            f"Classes must be 0 .. {model.num_outputs - 1}, the model's outputs; y has {y.min()} .. {y.max()}. "
            "Number the classes from 0."
        )
    if metric.task == "regression" and model.num_outputs != 1:
        raise ValueError(f"The metric {metric.name} needs a model with one output; it has {model.num_outputs}.")


def _check_numbers(name: str, array: Any, rule: str, wrong: Callable[[np.ndarray], np.ndarray]) -> None:
    """Raises ValueError unless an array of NumPy holds numbers, none of them wrong. A look at JAX's takes a program."""
    if not isinstance(array, np.ndarray):
        return
    if not (jnp.issubdtype(array.dtype, jnp.number) or jnp.issubdtype(array.dtype, jnp.bool_)):
        raise ValueError(f"{name} must hold numbers; its dtype is {array.dtype}. See problems.datasets.load.")
    if jnp.issubdtype(array.dtype, jnp.floating) and (count := np.sum(wrong(array))):
        raise ValueError(f"The numbers of {name} must be {rule}; {count} are not. Replace them or leave the rows out.")
