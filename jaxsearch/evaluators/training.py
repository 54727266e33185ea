"""A population of models, trained and scored at once."""

import functools
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer

from jaxsearch.core.pytree import pytree, static
from jaxsearch.core.types import Array, Candidates, HostArray, Key, PyTree, Results, Scalar
from jaxsearch.evaluators import epochs, splits
from jaxsearch.evaluators.bucketed import in_buckets, needs
from jaxsearch.evaluators.checks import check_training
from jaxsearch.evaluators.epochs import Members
from jaxsearch.evaluators.learners import Supervised
from jaxsearch.evaluators.lessons import ClassWeights, Lesson, lesson
from jaxsearch.evaluators.metrics import metric_named, metrics
from jaxsearch.evaluators.own_network import OwnNetwork, check_own
from jaxsearch.evaluators.parameters import check_space, excess, micro_batch, numbers
from jaxsearch.models.network import Network
from jaxsearch.spaces import codec


@pytree
class TrainingState:
    """What an evaluation needs to know.

    fold: `[n]` int32, the fold in which a row is held out; from 1 on never, for hold-out.
    key: of the initial weights, the batches and dropout, for all candidates of a search.
    """

    fold: Array
    key: Key


@pytree
class Training:
    """Scores a configuration by the error of the model trained with it, averaged over the folds.

    Chunks of candidates, in all folds, train in one `vmap`, one chunk after the other in one compiled program. All
    candidates of a search have the same folds, the same batches and the same random numbers, so that a configuration
    has one loss and differences between candidates are theirs. Standardization is fitted on the training rows of each
    fold. A member whose weights or outputs are not finite has failed and is frozen.

    model: an `MLP`, a `ConvNet` or a `CellNet`; its `space()` is a sensible space, a dict of dimensions by name.
        Besides the model's parameters it may have `learning_rate` and `weight_decay`, at least 0, `momentum` and
        `label_smoothing` in [0, 1), and integers `batch_size` and `epochs`. Or a `Network` of your own, for any dict.
    data: `x` `[n, ...]` floats, NaN for missing, and `y` `[n]` integer classes or float targets.
    metric: one of `metrics`, e.g. "error" or "rmse", or a common name of one, e.g. "roc_auc". A network of your own is
        measured by its `loss` on the rows held out; if the folds do not divide the rows, some leave out one of theirs.
    folds: of the cross-validation, stratified by class; 1 for a single hold-out of `validation_share` of the rows.
    groups: `[n]` integers; rows of the same group are held out together, and classes are not stratified then.
    class_weights: "balanced" for a training loss in which all classes weigh the same, or the weight of each, above 0.
    weights: `[n]` above 0, of the rows: in the training loss, in the measured one and in the standardization.
    epochs: passes over the training rows. batch_size: rows of a gradient. For candidates without such a parameter.
    chunk_size: candidates that train at once, None for all; bounds the memory. Small chunks stay in the cache of a CPU.
    smaller: versions of the model with smaller arrays, cheapest first, e.g. `model.smaller()`; every candidate runs at
        the first that it fits into, to the same loss but for rounding. Each costs a compilation.
    measure: "validation", or "training" for the error on the rows trained on.
    max_parameters, max_flops: limits of the model's `num_parameters` and `flops` for a row, above 0. A candidate beyond
        them is not trained; `Results.violation` is the share by which it exceeds them.
    num_held_out: the most rows that a fold holds out; told by the data.

    `Results.aux` holds `folds` `[P, K]`, the loss in every fold, `epochs` `[P]`, those trained, and `key` `[P, ...]`,
    the data of the key from which `init` made the folds and all that is random in training.
    Raises ValueError for data, a metric, folds or a space that do not fit together.
    """

    model: Any
    data: tuple[HostArray, HostArray]
    metric: str = static(default="error")
    folds: int = static(default=5)
    epochs: int = static(default=30)
    batch_size: int = static(default=64)
    chunk_size: int | None = static(default=None)
    validation_share: float = static(default=0.2)
    measure: str = static(default="validation")
    smaller: tuple[Any, ...] = ()
    groups: HostArray | None = None
    class_weights: ClassWeights = static(default=None)
    weights: HostArray | None = None
    max_parameters: Scalar | None = None
    max_flops: Scalar | None = None
    num_held_out: int = static(default=0)

    def __post_init__(self):
        object.__setattr__(self, "metric", metric_named(self.metric).name)
        check_training(self)
        arrays = all(isinstance(part, np.ndarray | jax.Array) for part in (*self.data, self.groups) if part is not None)
        if arrays and not isinstance(self.groups, Tracer):  # else placeholders of a transformation
            object.__setattr__(self, "num_held_out", self._split.most(len(self.data[0])))

    @property
    def _split(self) -> splits.Split:
        return splits.Split(self.folds, self.validation_share, self.groups)

    @property
    def _own(self) -> bool:
        return isinstance(self.model, Network)

    @property
    def classifies(self) -> bool:
        """Whether the targets are classes."""
        integers = self.data[1].ndim == 1 and jnp.issubdtype(self.data[1].dtype, jnp.integer)
        return integers if self._own else metrics[self.metric].task == "classification"

    def check_space(self, space: PyTree) -> None:
        """Raises ValueError for a space that the model, or training, cannot read."""
        check_space(self.model, space)

    def init(self, key: Key, space: PyTree, count: int) -> TrainingState:
        self.check_space(space)
        size = micro_batch(space, self.batch_size, len(self.data[0]) - self.num_held_out)
        if self._own:
            check_own(self.model, self.smaller, space, key, tuple(part[:size] for part in self.data))
        key_split, _ = jax.random.split(jax.random.clone(key))  # the other half is for `lesson`
        classes = jnp.asarray(self.data[1]) if self.classifies else jnp.zeros(len(self.data[1]), jnp.int32)
        return TrainingState(self._split.folds(key_split, classes), key)

    def evaluate(
        self, key: Key, state: TrainingState, space: PyTree, candidates: Candidates
    ) -> tuple[Results, TrainingState]:
        members = self._unborn(space, candidates.x)  # learn in their chunk, and what they learned is forgotten there
        budget = self.horizon(space, candidates.x)
        return self.results(state, self.advance(state, space, candidates.x, members, budget)), state

    def horizon(self, space: PyTree, x: Array) -> Array:
        """`[P]` int32, the epochs that each candidate `x` `[P, D]` is trained in full; 0 for one beyond the limits."""
        params, violation = self.params(space, x), self._unborn(space, x).violation
        epochs = jnp.broadcast_to(jnp.asarray(params.get("epochs", self.epochs)), len(x)).astype(jnp.int32)
        return epochs if violation is None else jnp.where(violation > 0, 0, epochs)

    def begin(self, state: TrainingState, space: PyTree, x: Array) -> Members:
        """The candidates `x` `[P, D]` before their first epoch."""
        lesson, params = self.lesson(state, space), self.params(space, x)
        learned = epochs.begin(self.learner(self.model, space), lesson, params)
        return self._unborn(space, x)._replace(learned=learned)

    def order(self, space: PyTree, x: Array) -> Array:
        """`[P]` int32, the candidates by the work that their training is."""
        _, cost = needs((*self.smaller, self.model), space, self.params(space, x))
        return jnp.argsort(cost * self.horizon(space, x)).astype(jnp.int32)

    def advance(self, state: TrainingState, space: PyTree, x: Array, members: Members, budget: Array) -> Members:
        """Trains the members that have fewer epochs than `budget` `[P]` behind them up to it."""
        return self.train(state, space, self.params(space, x), members, budget)

    def train(self, state: TrainingState, space: PyTree, params: PyTree, members: Members, budget: Array) -> Members:
        """Like `advance`, for `params` `[P, ...]` with the options of a Choice of numbers in place of their indices."""
        learners = [self.learner(model, space) for model in (*self.smaller, self.model)]
        size, cost = needs((*self.smaller, self.model), space, params)
        run = functools.partial(epochs.run_chunk, learners, self.lesson(state, space))
        active, chunk_size = members.epoch < budget, self.chunk_size or len(budget)
        return in_buckets(run, len(learners), size, cost * budget, active, (params, budget), members, chunk_size)

    def results(self, state: TrainingState, members: Members) -> Results:
        """The mean of the losses in the folds."""
        key = jnp.repeat(jax.random.key_data(state.key)[None], len(members.epoch), axis=0)
        aux = {"folds": members.losses, "epochs": members.epoch, "key": key}
        return Results(jnp.mean(members.losses, axis=1), violation=members.violation, aux=aux)

    def _unborn(self, space: PyTree, x: Array) -> Members:
        params = self.params(space, x)
        violation = excess(self.model, space, params, self.max_parameters, self.max_flops)
        return epochs.unborn(len(x), self.folds)._replace(violation=violation)

    def params(self, space: PyTree, x: Array) -> PyTree:
        """The candidates `x` `[P, D]` decoded, with numbers in place of the indices of a Choice of numbers."""
        return numbers(space, jax.vmap(codec.decode, in_axes=(None, 0))(space, x))

    def learner(self, model: Any, space: PyTree, num_rows: int | None = None) -> Any:
        """How `model` learns from so many rows, by default those of a fold."""
        num_rows = num_rows or len(self.data[0]) - self.num_held_out
        size = micro_batch(space, self.batch_size, num_rows)
        if self._own:
            return OwnNetwork(model, num_rows // size, size)
        return Supervised(model, metrics[self.metric], self.epochs, num_rows // size, size, "batch_size" in space)

    def lesson(self, state: TrainingState, space: PyTree) -> Lesson:
        """What all candidates have in common."""
        x, y = self.arrays()
        held_out = state.fold[None] == jnp.arange(self.folds)[:, None]
        measured, most = splits.measured(held_out, self.num_held_out, self.measure, self._own)
        # Every generation learns from the same numbers, on purpose: `clone` says so to JAX's check of keys.
        _, key = jax.random.split(jax.random.clone(state.key))
        regression = not self._own and not self.classifies
        learner = self.learner(self.model, space)
        return lesson(key, learner, space, x, y, held_out, measured, most, regression, self.weights, self.class_weights)

    def arrays(self) -> tuple[Array, Array]:
        """The data with floats where the arithmetic needs them; integer pixels and prices are welcome."""
        x, y = map(jnp.asarray, self.data)
        if self._own:
            return x, y
        x = x.astype(jnp.result_type(float))
        return x, y if self.classifies else y.astype(x.dtype)
