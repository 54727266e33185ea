"""Training that goes on from generation to generation."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from jaxsearch.core import ranking
from jaxsearch.core.population import check_count
from jaxsearch.core.protocols import State, Trainable
from jaxsearch.core.pytree import pytree, static
from jaxsearch.core.types import Array, Candidates, Key, PyTree, Results
from jaxsearch.evaluators.fitted import Fitted, network
from jaxsearch.evaluators.halving import trainable
from jaxsearch.evaluators.sharded import Sharded
from jaxsearch.evaluators.training import Training
from jaxsearch.spaces import codec

CHANGEABLE = ("learning_rate", "weight_decay", "momentum", "label_smoothing", "batch_size", "dropout")


class BestMember(NamedTuple):
    """A member as it was when it was measured: `x` `[1, D]`, `members` `[1, ...]` and its `loss` `[1]`."""

    x: Array
    members: PyTree
    loss: Array


@pytree
class ContinuedState:
    """The population after a generation.

    inner: the state of the evaluator. x: `[P, D]`. members: `[P, ...]`, what they learned. age: `[P]` int32, the
    generations behind them. best: the member with the lowest loss of all generations, as it was when that was measured.
    """

    inner: State
    x: Array
    members: PyTree
    age: Array
    best: BestMember


@pytree
class Continued:
    """Trains each candidate a little further, from where the member of the generation before that it names has got.

        member_i <- members[origin_i] if origin_i >= 0 and it has the same fixed parameters, else begun anew
        member_i <- trained to min(budget_i * epochs_per_generation, horizon_i) epochs

    For `PBT`, whose candidates carry `origin` and `budget`. Candidates of a strategy that gives no origin all begin
    anew; without a budget, each trains one generation. The weights and the state of the optimizer of the whole
    population are kept, in the state, and those of the best member that there ever was; `fitted` makes a network of one
    of them. The loss of a candidate is what was measured after `Results.aux["epochs"]` epochs, under all
    hyperparameters that it has had until then, so `fit` with the last of them trains another network.

    What was learned fits only the architecture that learned it. A parameter that is not `changeable` is part of that,
    and a candidate that changes it begins anew, however many epochs that takes. Give `PBT` the coordinates that it
    shall leave alone: `PBT(fixed=continued.fixed(space))`, which "auto" stands for.

    `Training` lowers the learning rate of a member to 0 over the last of its `epochs`: let these be the generations
    times `epochs_per_generation`. No member is trained beyond its horizon, the epochs that the evaluator gives it in
    full, which are none for a model beyond its limits.

    evaluator: trains step by step, e.g. `Training`, or `Sharded(Training(...))` for many devices.
    changeable: the names of the parameters that may change while a member learns.
    Raises ValueError for an evaluator that does not train step by step, and for a space that is no dict.

    References: Jaderberg et al., Population Based Training of Neural Networks, arXiv 1711.09846, 2017.
    """

    evaluator: Trainable
    epochs_per_generation: int = static(default=1)
    changeable: tuple[str, ...] = static(default=CHANGEABLE)

    def __post_init__(self):
        check_count("epochs_per_generation", self.epochs_per_generation)
        if not isinstance(self.changeable, tuple) or not all(isinstance(name, str) for name in self.changeable):
            raise ValueError(
                f"changeable must be a tuple of names; got {self.changeable!r}. Leave it out for what does not change "
                "the architecture."
            )
        trainable(self.evaluator, known=False)

    def fixed(self, space: PyTree) -> tuple[int, ...]:
        """The coordinates of the parameters that are not changeable, those inside of a branch included."""
        if not isinstance(space, dict):
            raise ValueError(f"Continued needs a dict of dimensions by name; got {space!r}. Name them.")
        names = np.concatenate([np.repeat(name, codec.domain({name: space[name]}).size) for name in sorted(space)])
        return tuple(np.flatnonzero(~np.isin(names, self.changeable)).tolist())

    def fitted(
        self, state: ContinuedState, space: PyTree, member: int | Array | None = None, fold: int | Array = 0
    ) -> Fitted:
        """A member ready to predict: what it has learned from the rows that `fold` trains on.

        member: its place in the population, to have it as it is now; None for that with the lowest loss of all
            generations, as it was then: the best of the search, with the weights that were measured.
        Raises ValueError for another evaluator than `Training`, alone or sharded, and for numbers out of range.
        """
        training = self.evaluator.evaluator if isinstance(self.evaluator, Sharded) else self.evaluator
        if not isinstance(training, Training):
            raise ValueError(f"Only a Training has members that predict; got a {type(training).__name__}. Use one.")
        for name, number, count in (("member", member, len(state.x)), ("fold", fold, training.folds)):
            if isinstance(number, int) and not 0 <= number < count:
                raise ValueError(f"{name} must be from 0 to {count - 1}; got {number}. Leave it out for the default.")
        if member is None:
            return _fitted(training, state.inner, space, state.best.x, state.best.members, 0, fold)
        return _fitted(training, state.inner, space, state.x, state.members, member, fold)

    def init(self, key: Key, space: PyTree, count: int) -> ContinuedState:
        inner = trainable(self.evaluator).init(key, space, count)
        x = jnp.full((count, codec.domain(space).size), 0.5, jnp.result_type(float))
        x, age = self._placed((x, jnp.zeros(count, jnp.int32)))
        members = self.evaluator.begin(inner, space, x)
        first_member = jax.tree.map(lambda leaf: leaf[:1], members)
        best = self._placed(BestMember(x[:1], first_member, jnp.full_like(x[:1, 0], jnp.inf)))
        return ContinuedState(inner, x, members, age, best)

    def evaluate(
        self, key: Key, state: ContinuedState, space: PyTree, candidates: Candidates
    ) -> tuple[Results, ContinuedState]:
        x, none = self._placed(candidates.x), jnp.full(len(candidates.x), -1, jnp.int32)
        origin = none if candidates.origin is None else candidates.origin
        source = jnp.maximum(origin, 0)
        goes_on = (origin >= 0) & self._alike(space, x, state.x[source])

        def where(old: Array, new: Array) -> Array:
            return jnp.where(goes_on.reshape(-1, *(1,) * (old.ndim - 1)), old[source], new)

        members = jax.tree.map(where, state.members, self.evaluator.begin(state.inner, space, x))
        age = jnp.where(goes_on, state.age[source], 0)
        goal = age + 1 if candidates.budget is None else jnp.maximum(candidates.budget, age).astype(jnp.int32)
        goal = self._placed(goal)
        budget = jnp.minimum(goal * self.epochs_per_generation, self.evaluator.horizon(space, x))
        members = self.evaluator.advance(state.inner, space, x, members, budget)
        results = self.evaluator.results(state.inner, members)
        best = self._placed(_better(state.best, x, members, results.loss))
        return results, ContinuedState(state.inner, x, members, goal, best)

    def _placed(self, tree: PyTree) -> PyTree:
        """The same on every device, where there are several, so that a search compiles once. Members stay spread."""
        return self.evaluator.everywhere(tree) if isinstance(self.evaluator, Sharded) else tree

    def _alike(self, space: PyTree, x: Array, before: Array) -> Array:
        """`[P]` bool, whether the points have the same fixed parameters."""
        domain = codec.domain(space)
        same = jnp.where(domain.discrete[None], domain.index(x) == domain.index(before), x == before)
        matters = domain.active(x)
        changeable = ~np.isin(np.arange(domain.size), self.fixed(space))
        return jnp.all(same | ~matters | changeable[None], axis=1)


def _better(best: BestMember, x: Array, members: PyTree, loss: Array) -> BestMember:
    """The best of a generation if its loss is the lowest so far, or else the best so far."""
    loss = jnp.where(jnp.isfinite(loss), loss, jnp.inf)
    index = ranking.lowest(loss)[None]
    found = jax.tree.map(lambda leaf: leaf[index], BestMember(x, members, loss))
    better = found.loss[0] < best.loss[0]
    return jax.tree.map(lambda new, old: jnp.where(better, new, old), found, best)


@jax.jit
def _fitted(
    training: Training, inner: State, space: PyTree, x: Array, members: PyTree, member: Any, fold: Any
) -> Fitted:
    params = jax.tree.map(lambda leaf: leaf[member], training.params(space, x))
    learned = jax.tree.map(lambda leaf: leaf[member, fold], members.learned)
    rows = jax.tree.map(lambda leaf: leaf[fold], training.lesson(inner, space).folds)
    return network(training, space, params, learned, rows)
