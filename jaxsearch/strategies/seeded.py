"""A wrapper that evaluates given points first."""

import jax.numpy as jnp
import numpy as np

from jaxsearch.core.bounds import clip
from jaxsearch.core.population import zero_of
from jaxsearch.core.protocols import State, Strategy
from jaxsearch.core.pytree import is_concrete, pytree, static
from jaxsearch.core.results import checked
from jaxsearch.core.types import Array, Candidates, Domain, Key, Results


@pytree
class SeededState:
    """What Seeded remembers between generations."""

    inner: State
    count: Array  # [] int32, candidates asked so far
    domain: Domain = static()


@pytree
class Seeded:
    """Puts given points in the place of the first candidates of any strategy, which learns from them as its own.

    strategy: the strategy that goes on from there.
    points: `[K, D]` or `[D]` in the unit cube, e.g. `encode(space, params)`; K may exceed the population size, then
        they fill the first generations.
    Raises ValueError when `points` do not have the dimension of the space, and for known ones outside of the cube.
    """

    strategy: Strategy
    points: Array

    def __post_init__(self):
        if not is_concrete(self.points) or np.asarray(self.points).dtype.kind not in "iuf":
            return
        points = np.atleast_1d(np.asarray(self.points, float))
        outside = np.argwhere(~((points >= 0) & (points <= 1)))
        if len(outside):
            place = tuple(outside[0].tolist())
            raise ValueError(
                f"Seeded needs points in the unit cube, every number from 0 to 1; got {points[place]:g} in "
                f"points{list(place)}. Make them with encode(space, params)."
            )

    def init(self, key: Key, domain: Domain) -> SeededState:
        shape = getattr(self.points, "shape", None)
        if shape is None or len(shape) not in (1, 2) or shape[-1] != domain.size:
            raise ValueError(
                f"Seeded needs points of shape [K, {domain.size}] for this space; got {shape or self.points!r}. "
                "Make them with encode(space, params)."
            )
        count = zero_of(key).astype(jnp.int32)
        return SeededState(self.strategy.init(key, domain), count, domain)

    def ask(self, key: Key, state: SeededState) -> tuple[Candidates, SeededState]:
        candidates, inner = self.strategy.ask(key, state.inner)
        size = len(candidates.x)
        points = clip(jnp.atleast_2d(jnp.asarray(self.points, candidates.x.dtype)))
        row = state.count + jnp.arange(size, dtype=jnp.int32)
        given = points[jnp.minimum(row, len(points) - 1)]
        x = jnp.where((row < len(points))[:, None], given, candidates.x)
        count = jnp.minimum(state.count + size, len(points))  # does not grow for ever
        return candidates._replace(x=x), SeededState(inner, count, state.domain)

    def tell(self, state: SeededState, candidates: Candidates, results: Results) -> SeededState:
        results = checked(candidates, results)
        return SeededState(self.strategy.tell(state.inner, candidates, results), state.count, state.domain)
